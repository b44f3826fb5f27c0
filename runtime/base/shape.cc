// Text form of shapes for messages.
#include "runtime/base/shape.h"

namespace pith {

std::string Shape::text() const {
  if (!has_rank()) return "[unknown rank]";
  std::string s = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) s += ", ";
    s += dims_[i] < 0 ? std::string("?") : std::to_string(dims_[i]);
  }
  return s + "]";
}

}  // namespace pith
