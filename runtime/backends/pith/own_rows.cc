// Softmax of float rows.
#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/float_rows_state.h"

namespace pith {
namespace {

void run_softmax(const NodeView& node, RunContext& context) {
  const Shape& shape = node.in(0).shape;
  const auto n = static_cast<size_t>(shape[shape.rank() - 1]);
  const kernels::SoftmaxRows a{node.in(0).as<float>(), node.out(0).as_mutable<float>(), n};
  const auto softmax = float_rows_of(context).softmax;
  parallel_for(context.pool, static_cast<size_t>(shape.count()) / n, grain_of(n * 2),
               [&](Range rows) { softmax(a, rows); });
}

}  // namespace

Status take_softmax(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::SoftmaxOptions>();
  const TensorView& x = node.in(0);
  if (o.kind() != schema::SoftmaxKind::softmax) return leave("only plain softmax");
  if (x.dtype != DType::f32) return leave("not f32");
  if (x.shape.rank() == 0 || (o.axis() != -1 && o.axis() != x.shape.rank() - 1))
    return leave("not over the last dim");
  if (!worth_taking(kernels::select_float_rows(context.cpu()).needs, context.cpu())) return leave_scalar();
  use_float_rows(context, run_softmax, kPithOwner);
  return Status::ok();
}

}  // namespace pith
