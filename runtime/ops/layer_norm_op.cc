// LayerNorm and RmsNorm: normalize over the dims from `axis` on. Float. Inputs x, scale, bias (LayerNorm
// only, optional); scale and bias have the normalized dims, or one element. Outputs y, and for LayerNorm mean
// and 1 / std, optional.
#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/float_rows_state.h"

namespace pith {
namespace {

Status check_epsilon(const NodeView& node, float epsilon) {
  if (!(epsilon >= 0 && epsilon < 3.4e38f))
    return node_error(node, Code::bad_file, format("epsilon is %g", static_cast<double>(epsilon)));
  return Status::ok();
}

Status check_layer(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 3, 1, 3));
  PITH_RETURN_IF_ERROR(check_epsilon(node, node.opt<schema::LayerNormOptions>().epsilon()));
  for (size_t i = 0; i < 3; ++i) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  return Status::ok();
}
Status check_rms(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(check_epsilon(node, node.opt<schema::RmsNormOptions>().epsilon()));
  for (size_t i = 0; i < 2; ++i) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  return Status::ok();
}

// Scale or bias: as many elements as a row, in the same order, or one.
Status expect_row(const NodeView& node, size_t i, int64_t row) {
  if (!node.has(i)) return Status::ok();
  const int64_t count = node.in(i).shape.count();
  if (count < 0 || row < 0 || count == row || count == 1) return Status::ok();
  return node_error(
      node, Code::unsupported,
      format("input %zu has shape %s; expected %lld elements, those of the normalized dims, or one", i,
             node.in(i).shape.text().c_str(), static_cast<long long>(row)));
}

Status infer_rows(const NodeView& node, int axis_option) {
  const Shape& x = node.in(0).shape;
  set_output(node, 0, DType::f32, x);
  set_output(node, 1, DType::f32, Shape::unknown_rank());
  set_output(node, 2, DType::f32, Shape::unknown_rank());
  if (!x.has_rank()) return Status::ok();
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, axis_option, x.rank(), &axis));
  const int64_t row = x.count(axis, x.rank());
  PITH_RETURN_IF_ERROR(expect_row(node, 1, row));
  PITH_RETURN_IF_ERROR(expect_row(node, 2, row));
  Shape statistics = x;
  for (int d = axis; d < x.rank(); ++d) statistics[d] = 1;
  set_output(node, 1, DType::f32, statistics);
  set_output(node, 2, DType::f32, statistics);
  return Status::ok();
}
Status infer_layer(const NodeView& node) {
  return infer_rows(node, node.opt<schema::LayerNormOptions>().axis());
}
Status infer_rms(const NodeView& node) { return infer_rows(node, node.opt<schema::RmsNormOptions>().axis()); }

using RowsFn = void (*)(const kernels::LayerNormArgs&, Range);

void run_rows(const NodeView& node, RunContext& context, int axis, float epsilon, RowsFn rows_fn) {
  const Shape& x = node.in(0).shape;
  const int from = axis < 0 ? axis + x.rank() : axis;
  kernels::LayerNormArgs a{};
  a.n = static_cast<size_t>(x.count(from, x.rank()));
  const auto rows = static_cast<size_t>(x.count(0, from));
  if (a.n == 0 && rows == 0) return;
  a.x = node.in(0).as<float>();
  a.y = node.out(0).as_mutable<float>();
  a.scale = node.in(1).as<float>();
  a.scale_step = node.in(1).count() == 1 ? 0 : 1;
  if (node.has(2)) {
    a.bias = node.in(2).as<float>();
    a.bias_step = node.in(2).count() == 1 ? 0 : 1;
  }
  a.mean = node.has_out(1) ? node.out(1).as_mutable<float>() : nullptr;
  a.inv_std = node.has_out(2) ? node.out(2).as_mutable<float>() : nullptr;
  a.epsilon = epsilon;
  parallel_for(context.pool, rows, grain_of(a.n), [&](Range range) { rows_fn(a, range); });
}

void run_layer(const NodeView& node, RunContext& context) {
  const auto& o = node.opt<schema::LayerNormOptions>();
  run_rows(node, context, o.axis(), o.epsilon(), float_rows_of(context).layer_norm);
}
void run_rms(const NodeView& node, RunContext& context) {
  const auto& o = node.opt<schema::RmsNormOptions>();
  run_rows(node, context, o.axis(), o.epsilon(), float_rows_of(context).rms_norm);
}

Status prepare_layer(const NodeView&, PrepareContext& context) {
  use_float_rows(context, run_layer);
  return Status::ok();
}
Status prepare_rms(const NodeView&, PrepareContext& context) {
  use_float_rows(context, run_rms);
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(LayerNorm){
    schema::Op::LayerNormOptions, "layer_norm", kNoFlags, check_layer, infer_layer, prepare_layer, run_layer};
PITH_OPERATOR(RmsNorm){
    schema::Op::RmsNormOptions, "rms_norm", kNoFlags, check_rms, infer_rms, prepare_rms, run_rms};

}  // namespace pith
