// DynamicQuantize: x (f32) -> u8 codes, scale and zero point chosen so that 0 and every x are held.
#include "kernels/quantize/quantize.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 3, 3));
  return expect_dtype(node, 0, {DType::f32});
}

Status infer(const NodeView& node) {
  set_output(node, 0, DType::u8, node.in(0).shape);
  set_output(node, 1, DType::f32, Shape{});
  set_output(node, 2, DType::u8, Shape{});
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const auto count = static_cast<size_t>(node.in(0).count());
  const kernels::DynamicGrid grid = kernels::dynamic_grid(node.in(0).as<float>(), count);
  *node.out(1).as_mutable<float>() = grid.scale;
  *node.out(2).as_mutable<uint8_t>() = grid.zero;
  if (count == 0) return;
  kernels::QuantizeArgs a{};
  a.x.data = node.in(0).data;
  a.x.dtype = DType::f32;
  a.y.data = node.out(0).data;
  a.scale.data = node.out(1).data;
  a.scale.dtype = DType::f32;
  a.zero.data = node.out(2).data;
  a.y.dtype = a.zero.dtype = DType::u8;
  a.runs = kernels::runs_of_tensor(count);
  parallel_for(context.pool, a.runs.count, 4, [&](Range runs) { kernels::quantize_ref(a, runs); });
}

}  // namespace

PITH_OPERATOR(DynamicQuantize){
    schema::Op::DynamicQuantizeOptions, "dynamic_quantize", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
