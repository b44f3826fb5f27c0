// Values of a model for many items, in files without names: what one stage made and a later one reads.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "runtime/exec/session.h"

namespace pith::quantize {

class SpilledValues {
 public:
  explicit SpilledValues(std::string folder) : folder_(std::move(folder)) {}
  ~SpilledValues();
  SpilledValues(const SpilledValues&) = delete;
  SpilledValues& operator=(const SpilledValues&) = delete;

  // Items are added in order 0, 1, ...
  Status add(const ir::Value* value, const TensorView& tensor);
  Shape shape(const ir::Value* value, int64_t item) const;
  Status read(const ir::Value* value, int64_t item, TensorView& to) const;
  void release(const ir::Value* value);

 private:
  struct File {
    int fd = -1;
    std::vector<Shape> shapes;      // by item
    std::vector<uint64_t> offsets;  // one more than items
  };
  std::string folder_;
  std::map<const ir::Value*, File> files_;
};

}  // namespace pith::quantize
