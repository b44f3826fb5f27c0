// Movement operators as a list of strided copies, made in prepare and replayed by one run function:
// Transpose, Concat, Split, Slice, Expand, Tile, Fill.
#pragma once
#include <vector>

#include "kernels/move/strided_copy.h"
#include "runtime/ops/op.h"

namespace pith {

struct CopyStep {
  size_t input = 0, output = 0;          // which tensors of the node
  ptrdiff_t x_offset = 0, y_offset = 0;  // bytes from their start to the first element of the view
  kernels::StridedCopy plan;
};

struct CopySteps final : NodeState {
  std::vector<CopyStep> steps;
};

// Strides in elements of a dense row-major tensor: of dim d, the product of the dims behind it.
void dense_strides(const Shape& shape, ptrdiff_t* strides);

// One copy under construction: dims with the strides of both views, counted in elements.
class CopyBuilder {
 public:
  explicit CopyBuilder(DType dtype) { views_.element_bytes = size_of(dtype); }
  void add_dim(int64_t n, ptrdiff_t x_stride, ptrdiff_t y_stride);  // at most kernels::kCopyMaxRank of them
  CopyStep step(size_t input, size_t output, ptrdiff_t x_offset = 0, ptrdiff_t y_offset = 0) const;

 private:
  kernels::StridedViews views_;
};

// Keeps the steps as the node's state and chooses run_copy_steps.
void use_copy_steps(PrepareContext& context, std::unique_ptr<CopySteps> steps);
void run_copy_steps(const NodeView& node, RunContext& context);

// Moved codes keep their meaning only if both tensors have the same scale and zero point.
Status expect_same_quant(const NodeView& node, const TensorView& x, const TensorView& y);
// Elements that can be moved one by one: whole bytes.
Status expect_whole_bytes(const NodeView& node, size_t input);

}  // namespace pith
