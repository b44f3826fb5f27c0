// Everything that is wrong with a source model, collected in one pass so that a user sees it all at once.
#pragma once
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith {

struct Problem {
  Code code = Code::bad_file;  // bad_file, unsupported or internal
  std::string node, op, shapes, reason, suggestion;
};

class Diagnostics {
 public:
  void add(Problem problem) { problems_.push_back(std::move(problem)); }
  bool empty() const { return problems_.empty(); }
  const std::vector<Problem>& problems() const { return problems_; }
  // Ok, or one status with every problem (at most kShown spelled out) in its message.
  Status status() const;

 private:
  static constexpr size_t kShown = 50;
  std::vector<Problem> problems_;
};

}  // namespace pith
