// Softmax, LogSoftmax and Hardmax along one axis. x, y: f32 or f64; or quantized i8 or u8 (not Hardmax).
#include "kernels/softmax/softmax.h"

#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/float_rows_state.h"
#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const auto kind = node.opt<schema::SoftmaxOptions>().kind();
  if (kind > schema::SoftmaxKind::MAX) return node_error(node, Code::unsupported, "unknown kind");
  const TensorView& x = node.in(0);
  if (x.quant.empty() && node.out(0).quant.empty()) return expect_dtype(node, 0, {DType::f32, DType::f64});
  if (kind == schema::SoftmaxKind::hardmax)
    return node_error(node, Code::unsupported, "Hardmax of a quantized tensor");
  PITH_RETURN_IF_ERROR(expect_codes(node, x, "input"));
  TensorView y = node.out(0);
  y.dtype = x.dtype;
  return expect_codes(node, y, "output");
}

Status infer(const NodeView& node) {
  set_output(node, 0, node.in(0).dtype, node.in(0).shape);
  return expect_axis(node, node.in(0).shape, node.opt<schema::SoftmaxOptions>().axis());
}

kernels::SoftmaxArgs args_of(const NodeView& node) {
  const auto& o = node.opt<schema::SoftmaxOptions>();
  return {static_cast<kernels::SoftmaxKind>(o.kind()), lane_of(node.in(0)), lane_of(node.out(0)),
          axis_view(node.in(0).shape, o.axis()), nullptr};
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const kernels::SoftmaxArgs a = args_of(node);
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n * 8),
               [&](Range pieces) { kernels::softmax_ref(a, pieces); });
}

// Plain softmax of f32 over the last dim: rows of floats, with vectors.
bool is_rows(const NodeView& node) {
  const auto& o = node.opt<schema::SoftmaxOptions>();
  return o.kind() == schema::SoftmaxKind::softmax && node.in(0).dtype == DType::f32 &&
         node.out(0).count() > 0 && axis_view(node.in(0).shape, o.axis()).inner == 1;
}

void run_rows(const NodeView& node, RunContext& context) {
  const kernels::AxisView view = axis_view(node.in(0).shape, node.opt<schema::SoftmaxOptions>().axis());
  const kernels::SoftmaxRows a{node.in(0).as<float>(), node.out(0).as_mutable<float>(), view.n};
  const auto softmax = float_rows_of(context).softmax;
  parallel_for(context.pool, view.outer, grain_of(view.n * 2), [&](Range rows) { softmax(a, rows); });
}

struct ExpTable final : NodeState {
  float value[256];
};

void run_codes(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::SoftmaxArgs a = args_of(node);
  a.exp_table = static_cast<ExpTable*>(context.state)->value;
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n),
               [&](Range pieces) { kernels::softmax_codes_ref(a, pieces); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  if (node.in(0).quant.empty()) {
    if (is_rows(node)) use_float_rows(context, run_rows);
    return Status::ok();
  }
  auto table = std::make_unique<ExpTable>();
  kernels::make_exp_table(scale_of(node.in(0)), table->value);
  context.keep(std::move(table));
  context.use("softmax_codes", run_codes);
  return Status::ok();
}

}  // namespace

static_assert(static_cast<int>(schema::SoftmaxKind::hardmax) ==
              static_cast<int>(kernels::SoftmaxKind::hardmax));
static_assert(static_cast<int>(schema::SoftmaxKind::log_softmax) ==
              static_cast<int>(kernels::SoftmaxKind::log_softmax));

PITH_OPERATOR(Softmax){schema::Op::SoftmaxOptions, "softmax", kInPlace, check, infer, prepare, run};

}  // namespace pith
