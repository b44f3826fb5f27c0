// Which nodes can have packed weights (kernels/base/panel_layout.h) or weights of 8 bits beside float activations:
// FullyConnected, and Conv of one group, with constant weights and a constant bias or none.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// Which nodes of those that can be packed shall be; empty: all.
using NodeFilter = std::function<bool(const ir::Node&)>;
inline bool wants(const NodeFilter& filter, const ir::Node& node) { return !filter || filter(node); }

// Convolution or matrix product of float activations with constant weights.
bool is_float_activation_product(const ir::Node& node);
// Ok, or Code::unsupported with the reason. group: 0 for layouts without.
Status check_packable(const ir::Node& node, Layout layout, size_t group);

// Notes about products that stay float: one for each, but one for all convolutions in groups.
class FloatNotes {
 public:
  void add(const ir::Node& node, const Status& why);
  size_t count() const { return count_; }
  std::vector<std::string> lines() const;

 private:
  std::vector<std::string> lines_;
  std::string first_grouped_;
  size_t count_ = 0, grouped_ = 0;
};

// Elements of weights, with every kernel row of a convolution rounded up to a multiple of 4 by zeros, as packed layouts count
// K (runtime/ops/panel_weights.h).
template <class T>
std::vector<T> padded_rows(std::span<const T> from, const Shape& shape) {
  const int rank = shape.rank();
  if (rank < 3) return {from.begin(), from.end()};
  const auto run = static_cast<size_t>(shape.count(rank - 2, rank)), padded = (run + 3) / 4 * 4;
  std::vector<T> rows(from.size() / run * padded);
  for (size_t i = 0; i < from.size(); ++i) rows[i / run * padded + i % run] = from[i];
  return rows;
}

}  // namespace pith::quantize
