// CumSum: running sum or product along the axis that input 1 (one i32 or i64) names. x, y: any number type.
#include "kernels/reduce/cum_sum.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  const DType t = node.in(0).dtype;
  if (bits_of(t) < 8 || t == DType::boolean || !node.in(0).quant.empty() || !node.out(0).quant.empty())
    return node_error(node, Code::unsupported, format("of %s", name_of(t)));
  return expect_dtype(node, 1, {DType::i32, DType::i64});
}

Status read_axis(const NodeView& node, int64_t* axis) {
  std::vector<int64_t> axes;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &axes));
  if (axes.size() != 1)
    return node_error(node, Code::bad_file, format("the axis must be one number, found %zu", axes.size()));
  *axis = axes[0];
  return expect_axis(node, node.in(0).shape, *axis);
}

Status infer(const NodeView& node) {
  set_output(node, 0, node.in(0).dtype, node.in(0).shape);
  int64_t axis = 0;
  return read_axis(node, &axis);
}

struct Plan final : NodeState {
  kernels::AxisView view;
};

Status prepare(const NodeView& node, PrepareContext& context) {
  int64_t axis = 0;
  PITH_RETURN_IF_ERROR(read_axis(node, &axis));
  auto plan = std::make_unique<Plan>();
  plan->view = axis_view(node.in(0).shape, axis);
  context.keep(std::move(plan));
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::CumSumOptions>();
  kernels::CumSumArgs a{};
  a.x.data = node.in(0).data;
  a.y.data = node.out(0).data;
  a.x.dtype = a.y.dtype = node.in(0).dtype;
  a.view = static_cast<Plan*>(context.state)->view;
  a.exclusive = o.exclusive();
  a.reverse = o.reverse();
  a.product = o.product();
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n),
               [&](Range pieces) { kernels::cum_sum_ref(a, pieces); });
}

}  // namespace

PITH_OPERATOR(CumSum){schema::Op::CumSumOptions, "cum_sum", kNoFlags, check, infer, prepare, run};

}  // namespace pith
