// Which unknown dims are certainly equal: every dim is traced back, through operators and through shape arithmetic, to
// a number or to the place it comes from (a dim of a graph input, or of a value that cannot be looked through).
#pragma once
#include <map>
#include <string>
#include <utility>

#include "converter/ir/graph.h"

namespace pith {

struct DimOrigin {
  int64_t number = -1;               // the dim, when it is known
  const ir::Value* value = nullptr;  // else: dim `index` of `value`, or element -1 - index of its contents
  int index = 0;
  std::string name;  // of a dim of a graph input; dims of one name are equal
  bool operator==(const DimOrigin& o) const {
    if (number >= 0 || o.number >= 0) return number == o.number;
    return (value == o.value && index == o.index) || (!name.empty() && name == o.name);
  }
};

// Remembers what it has found: make one per walk over a graph.
class DimTracer {
 public:
  DimOrigin of(const ir::Value* v, int dim);  // dim in [0, rank)
  // True only when the two dims are equal whenever the model runs.
  bool same(const ir::Value* a, int i, const ir::Value* b, int j) { return of(a, i) == of(b, j); }

 private:
  DimOrigin trace(const ir::Value* v, int dim);
  DimOrigin through_binary(const ir::Node& node, int dim, const DimOrigin& self);
  DimOrigin through_matmul(const ir::Node& node, int dim, const DimOrigin& self);
  DimOrigin through_reshape(const ir::Node& node, int dim, const DimOrigin& self);
  DimOrigin remaining_dim(const ir::Node& reshape, int dim, const DimOrigin& self);
  DimOrigin through_gather(const ir::Node& node, int dim, const DimOrigin& self);
  DimOrigin through_axes(const ir::Node& node, int dim, const DimOrigin& self);
  DimOrigin element(const ir::Value* v, int64_t i);  // of a list of dims, such as the shape input of Reshape
  DimOrigin through_list(const ir::Node& node, int64_t i, const DimOrigin& self);

  std::map<std::pair<const ir::Value*, int>, DimOrigin> known_;
  int depth_ = 0;
};

}  // namespace pith
