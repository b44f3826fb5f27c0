// Reduce: sum, mean, max, min, prod, l1, l2, log_sum, log_sum_exp, sum_square over the axes of input 1, or
// all. x: any number type; max and min also bool; sum, mean, max and min
// also quantized i8 and u8. With no axes and noop_with_empty_axes every element is
// reduced alone.
#include "kernels/reduce/reduce.h"

#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/quant_helpers.h"
#include "runtime/ops/reduce_axes.h"

namespace pith {
namespace {

static_assert(static_cast<int>(schema::ReduceKind::mean) == static_cast<int>(kernels::ReduceKind::mean));
static_assert(static_cast<int>(schema::ReduceKind::prod) == static_cast<int>(kernels::ReduceKind::prod));
static_assert(static_cast<int>(schema::ReduceKind::l2) == static_cast<int>(kernels::ReduceKind::l2));
static_assert(static_cast<int>(schema::ReduceKind::sum_square) ==
              static_cast<int>(kernels::ReduceKind::sum_square));

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 2, 1, 1));
  const auto kind = node.opt<schema::ReduceOptions>().kind();
  if (kind > schema::ReduceKind::MAX) return node_error(node, Code::unsupported, "unknown kind");
  const TensorView& x = node.in(0);
  const bool extremum = kind == schema::ReduceKind::max || kind == schema::ReduceKind::min;
  if (bits_of(x.dtype) < 8 || (x.dtype == DType::boolean && !extremum))
    return node_error(node, Code::unsupported,
                      format("%s of %s", schema::EnumNameReduceKind(kind), name_of(x.dtype)));
  if (x.quant.empty() && node.out(0).quant.empty()) return Status::ok();
  if (!extremum && kind != schema::ReduceKind::mean && kind != schema::ReduceKind::sum)
    return node_error(node, Code::unsupported,
                      format("%s of a quantized tensor", schema::EnumNameReduceKind(kind)));
  PITH_RETURN_IF_ERROR(expect_codes(node, x, "input"));
  TensorView y = node.out(0);
  y.dtype = x.dtype;
  return expect_codes(node, y, "output");
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  node.out(0).shape = Shape::unknown_rank();
  const Shape& x = node.in(0).shape;
  if (!x.has_rank()) return Status::ok();
  uint32_t mask = 0;
  PITH_RETURN_IF_ERROR(read_reduce_mask(node, &mask));
  const bool keep = node.opt<schema::ReduceOptions>().keepdims();
  Shape y;
  for (int d = 0; d < x.rank(); ++d) {
    const bool reduced = (mask >> d & 1u) != 0;
    if (!reduced)
      y.push_back(x[d]);
    else if (keep)
      y.push_back(1);
  }
  node.out(0).shape = y;
  return Status::ok();
}

struct Plan final : NodeState {
  kernels::ReduceShape shape;
};

Status prepare(const NodeView& node, PrepareContext& context) {
  uint32_t mask = 0;
  PITH_RETURN_IF_ERROR(read_reduce_mask(node, &mask));
  auto plan = std::make_unique<Plan>();
  plan->shape = kernels::make_reduce_shape(node.in(0).shape.dims(), mask);
  context.keep(std::move(plan));
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::ReduceArgs a{};
  a.kind = static_cast<kernels::ReduceKind>(node.opt<schema::ReduceOptions>().kind());
  a.x = lane_of(node.in(0));
  a.y = lane_of(node.out(0));
  a.shape = static_cast<Plan*>(context.state)->shape;
  const size_t pieces = pieces_of(a.shape);
  parallel_for(context.pool, pieces, grain_of(static_cast<size_t>(node.in(0).count()) / pieces),
               [&](Range range) { kernels::reduce_ref(a, range); });
}

}  // namespace

Status read_reduce_mask(const NodeView& node, uint32_t* mask) {
  const int rank = node.in(0).shape.rank();
  std::vector<int64_t> axes;
  if (node.has(1)) PITH_RETURN_IF_ERROR(read_ints(node, 1, &axes));
  *mask = 0;
  if (axes.empty() && !node.opt<schema::ReduceOptions>().noop_with_empty_axes()) *mask = (1u << rank) - 1;
  for (int64_t axis : axes) {
    int at = 0;
    PITH_RETURN_IF_ERROR(normalize_axis(node, axis, rank, &at));
    *mask |= 1u << at;
  }
  return Status::ok();
}

PITH_OPERATOR(Reduce){schema::Op::ReduceOptions, "reduce", kNoFlags, check, infer, prepare, run};

}  // namespace pith
