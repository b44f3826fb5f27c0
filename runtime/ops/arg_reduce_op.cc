// ArgReduce: index (i64) of the largest or smallest element along an axis. x: any number type of whole bytes.
#include "kernels/reduce/arg_reduce.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const DType t = node.in(0).dtype;
  if (bits_of(t) < 8 || t == DType::boolean)
    return node_error(node, Code::unsupported, format("of %s", name_of(t)));
  return Status::ok();
}

Status infer(const NodeView& node) {
  const auto& o = node.opt<schema::ArgReduceOptions>();
  const Shape& x = node.in(0).shape;
  set_output(node, 0, DType::i64, Shape::unknown_rank());
  if (!x.has_rank()) return Status::ok();
  PITH_RETURN_IF_ERROR(expect_axis(node, x, o.axis()));
  const int axis = o.axis() < 0 ? o.axis() + x.rank() : o.axis();
  Shape y;
  for (int d = 0; d < x.rank(); ++d) {
    if (d != axis)
      y.push_back(x[d]);
    else if (o.keepdims())
      y.push_back(1);
  }
  if (x.rank() > 0 && x[axis] == 0 && y.count() != 0)
    return node_error(node, Code::bad_file, format("axis %d of %s is empty", axis, x.text().c_str()));
  node.out(0).shape = y;
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::ArgReduceOptions>();
  kernels::ArgReduceArgs a{};
  a.x.data = node.in(0).data;
  a.x.dtype = node.in(0).dtype;
  a.y = node.out(0).as_mutable<int64_t>();
  a.view = axis_view(node.in(0).shape, o.axis());
  a.largest = o.largest();
  a.last = o.select_last_index();
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n),
               [&](Range pieces) { kernels::arg_reduce_ref(a, pieces); });
}

}  // namespace

PITH_OPERATOR(ArgReduce){schema::Op::ArgReduceOptions, "arg_reduce", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
