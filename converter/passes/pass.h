// A pass rewrites the graph; run_passes runs the whole list (pass_list.cc), each followed by the verifier.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

class PassReport {
 public:
  void fired(const std::string& what) { log_.push_back(what); }
  size_t count() const { return log_.size(); }
  const std::vector<std::string>& log() const { return log_; }

 private:
  std::vector<std::string> log_;
};

using PassFn = Status (*)(ir::Graph&, PassReport&);
struct Pass {
  const char* name;
  PassFn run;
};

struct PassOptions {
  std::string dump_folder;  // --dump-ir: the graph as text after every pass that changed something
};

// Runs the optimization passes for float execution. Calling it again on its own result changes nothing.
Status run_passes(ir::Graph& graph, const PassOptions& options);

#define PASS(name) Status name(ir::Graph& graph, PassReport& report);
#include "converter/passes/pass_list.inc"
#undef PASS

}  // namespace pith
