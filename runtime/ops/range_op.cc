// Range: start, start + delta, ... before limit. Inputs start, limit, delta: one element each, of one type.
#include <cmath>

#include "kernels/move/generate.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

struct RangeState final : NodeState {
  kernels::RangeArgs args{};
};

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 3, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::f64, DType::i16, DType::i32, DType::i64}));
  for (size_t i = 1; i < 3; ++i)
    if (node.in(i).dtype != node.in(0).dtype)
      return node_error(node, Code::bad_file, "start, limit and delta differ in type");
  return Status::ok();
}

Status too_long(const NodeView& node) { return node_error(node, Code::bad_file, "the range is too long"); }

Status count_floats(const NodeView& node, kernels::RangeArgs* a, int64_t* count) {
  double limit = 0;
  PITH_RETURN_IF_ERROR(read_scalar(node, 0, &a->start));
  PITH_RETURN_IF_ERROR(read_scalar(node, 1, &limit));
  PITH_RETURN_IF_ERROR(read_scalar(node, 2, &a->delta));
  const double n = std::ceil((limit - a->start) / a->delta);
  if (!(a->delta != 0) || std::isnan(n))
    return node_error(node, Code::bad_file, "start, limit or delta is not usable");
  if (n > static_cast<double>(kMaxElements)) return too_long(node);
  *count = n > 0 ? static_cast<int64_t>(n) : 0;
  return Status::ok();
}

Status read_int(const NodeView& node, size_t i, int64_t* out) {
  if (node.in(i).dtype == DType::i16) {
    double value = 0;
    PITH_RETURN_IF_ERROR(read_scalar(node, i, &value));
    *out = static_cast<int64_t>(value);
    return Status::ok();
  }
  std::vector<int64_t> values;
  PITH_RETURN_IF_ERROR(read_ints(node, i, &values));
  if (values.empty()) return node_error(node, Code::bad_file, format("input %zu must have one element", i));
  *out = values[0];
  return Status::ok();
}

Status count_ints(const NodeView& node, kernels::RangeArgs* a, int64_t* count) {
  int64_t limit = 0;
  PITH_RETURN_IF_ERROR(read_int(node, 0, &a->int_start));
  PITH_RETURN_IF_ERROR(read_int(node, 1, &limit));
  PITH_RETURN_IF_ERROR(read_int(node, 2, &a->int_delta));
  if (a->int_delta == 0) return node_error(node, Code::bad_file, "delta is 0");
  const bool up = a->int_delta > 0;
  *count = 0;
  if (up ? a->int_start >= limit : a->int_start <= limit) return Status::ok();
  // Distances as unsigned: they may exceed the signed range.
  const auto from = static_cast<uint64_t>(a->int_start), to = static_cast<uint64_t>(limit);
  const auto delta = static_cast<uint64_t>(a->int_delta);
  const uint64_t n = ((up ? to - from : from - to) - 1) / (up ? delta : 0 - delta) + 1;
  if (n > static_cast<uint64_t>(kMaxElements)) return too_long(node);
  *count = static_cast<int64_t>(n);
  return Status::ok();
}

Status measure(const NodeView& node, kernels::RangeArgs* a, int64_t* count) {
  a->dtype = node.in(0).dtype;
  return is_float(a->dtype) ? count_floats(node, a, count) : count_ints(node, a, count);
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  kernels::RangeArgs a{};
  int64_t count = 0;
  PITH_RETURN_IF_ERROR(measure(node, &a, &count));
  set_output(node, 0, node.in(0).dtype, Shape{count});
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  kernels::RangeArgs a = static_cast<const RangeState*>(context.state)->args;
  a.y = node.out(0).data;
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), 1 << 14,
               [&](Range r) { kernels::range_ref(a, r); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  auto state = std::make_unique<RangeState>();
  int64_t count = 0;
  PITH_RETURN_IF_ERROR(measure(node, &state->args, &count));
  context.use("range", run);
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

extern const OpDef kRangeOp{schema::Op::RangeOptions, "range", kNoFlags, check, infer, prepare, run};

}  // namespace pith
