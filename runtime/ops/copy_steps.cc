// Building and replaying lists of strided copies.
#include "runtime/ops/copy_steps.h"

#include <algorithm>

#include "runtime/ops/infer_helpers.h"

namespace pith {

void dense_strides(const Shape& shape, ptrdiff_t* strides) {
  const bool empty =
      shape.count() <= 0;  // nothing is ever addressed, and products of the other dims may overflow
  ptrdiff_t stride = empty ? 0 : 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= empty ? 0 : static_cast<ptrdiff_t>(shape[d]);
  }
}

void CopyBuilder::add_dim(int64_t n, ptrdiff_t x_stride, ptrdiff_t y_stride) {
  const auto bytes = static_cast<ptrdiff_t>(views_.element_bytes);
  const int d = views_.rank++;
  views_.dims[d] = static_cast<size_t>(n);
  views_.x_stride[d] = x_stride * bytes;
  views_.y_stride[d] = y_stride * bytes;
}

CopyStep CopyBuilder::step(size_t input, size_t output, ptrdiff_t x_offset, ptrdiff_t y_offset) const {
  const auto bytes = static_cast<ptrdiff_t>(views_.element_bytes);
  return {input, output, x_offset * bytes, y_offset * bytes, kernels::plan_strided_copy(views_)};
}

void use_copy_steps(PrepareContext& context, std::unique_ptr<CopySteps> steps) {
  const char* name = "copy_nothing";
  size_t most = 0;  // named after the loop that moves the most
  for (const CopyStep& s : steps->steps) {
    const size_t bytes = s.plan.items * s.plan.tile_i * s.plan.tile_j * s.plan.element_bytes;
    if (bytes <= most) continue;
    most = bytes;
    name = kernels::name_of(s.plan.loop);
  }
  context.use(name, run_copy_steps);
  context.keep(std::move(steps));
}

void run_copy_steps(const NodeView& node, RunContext& context) {
  for (const CopyStep& s : static_cast<const CopySteps*>(context.state)->steps) {
    if (s.plan.items == 0) continue;
    const uint8_t* x = node.in(s.input).as<uint8_t>() + s.x_offset;
    uint8_t* y = node.out(s.output).as_mutable<uint8_t>() + s.y_offset;
    parallel_for(context.pool, s.plan.items, s.plan.grain,
                 [&](Range items) { kernels::strided_copy_ref(s.plan, x, y, items); });
  }
}

Status expect_same_quant(const NodeView& node, const TensorView& x, const TensorView& y) {
  if (x.quant.empty() && y.quant.empty()) return Status::ok();
  if (std::ranges::equal(x.quant.scales, y.quant.scales) &&
      std::ranges::equal(x.quant.zero_points, y.quant.zero_points))
    return Status::ok();
  return node_error(
      node, Code::bad_file,
      format("tensors '%s' and '%s' must have the same quantization: values are moved, not changed", x.name,
             y.name));
}

Status expect_whole_bytes(const NodeView& node, size_t input) {
  if (!node.has(input) || bits_of(node.in(input).dtype) >= 8 || node.in(input).dtype == DType::none)
    return Status::ok();
  return node_error(node, Code::unsupported,
                    format("input %zu ('%s') has 4-bit elements, which cannot be moved one by one", input,
                           node.in(input).name));
}

}  // namespace pith
