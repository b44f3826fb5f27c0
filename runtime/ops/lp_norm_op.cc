// LpNorm: divides along an axis by the 1-norm or 2-norm. Float.
#include "kernels/norm/lp_norm.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const int p = node.opt<schema::LpNormOptions>().p();
  if (p != 1 && p != 2) return node_error(node, Code::unsupported, format("p = %d; only 1 and 2", p));
  return expect_dtype(node, 0, {DType::f32});
}

Status infer(const NodeView& node) {
  set_output(node, 0, DType::f32, node.in(0).shape);
  return expect_axis(node, node.in(0).shape, node.opt<schema::LpNormOptions>().axis());
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::LpNormOptions>();
  const kernels::LpNormArgs a{node.in(0).as<float>(), node.out(0).as_mutable<float>(),
                              axis_view(node.in(0).shape, o.axis()), o.p()};
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n),
               [&](Range pieces) { kernels::lp_norm_ref(a, pieces); });
}

}  // namespace

PITH_OPERATOR(LpNorm){schema::Op::LpNormOptions, "lp_norm", kInPlace, check, infer, nullptr, run};

}  // namespace pith
