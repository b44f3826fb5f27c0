// Requantize: i32 sums -> 8-bit codes. Inputs acc, acc_scale (f32: one, or one for each index of `axis`),
// y_scale (f32, one) and y_zero (i8 or u8, one), whose type the result has.
#include "kernels/quantize/quantize.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 4, 4, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::i32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::f32}));
  return expect_dtype(node, 3, {DType::i8, DType::u8});
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  set_output(node, 0, node.in(3).dtype, x);
  for (size_t i = 2; i < 4; ++i)
    if (node.in(i).shape.is_known() && node.in(i).shape.count() != 1)
      return node_error(node, Code::bad_file, format("input %zu must have one element", i));
  const int64_t scales = node.in(1).shape.count();
  if (!x.has_rank() || scales < 0 || scales == 1) return Status::ok();
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, node.opt<schema::RequantizeOptions>().axis(), x.rank(), &axis));
  if (x[axis] >= 0 && x[axis] != scales)
    return node_error(
        node, Code::bad_file,
        format("%lld scales for axis %d of %s", static_cast<long long>(scales), axis, x.text().c_str()));
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::RequantizeArgs a{};
  a.acc = node.in(0).as<int32_t>();
  a.y.data = node.out(0).data;
  a.y.dtype = node.out(0).dtype;
  a.acc_scale.data = node.in(1).data;
  a.acc_scale.dtype = DType::f32;
  a.y_scale = *node.in(2).as<float>();
  a.y_zero = a.y.dtype == DType::i8 ? *node.in(3).as<int8_t>() : *node.in(3).as<uint8_t>();
  const Shape& x = node.in(0).shape;
  a.runs = node.in(1).count() == 1
               ? kernels::runs_of_tensor(static_cast<size_t>(x.count()))
               : kernels::runs_of_axis(axis_view(x, node.opt<schema::RequantizeOptions>().axis()));
  parallel_for(context.pool, a.runs.count, grain_of(a.runs.length),
               [&](Range runs) { kernels::requantize_ref(a, runs); });
}

}  // namespace

PITH_OPERATOR(Requantize){schema::Op::RequantizeOptions, "requantize", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
