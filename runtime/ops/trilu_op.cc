// Trilu: the upper or lower triangle of the matrices x[.., M, N]; k (one i64, default 0) moves the diagonal.
#include <algorithm>

#include "kernels/move/select.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/index_helpers.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i64, DType::i32}));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  if (x.rank() < 2) return node_error(node, Code::bad_file, "the input must be matrices, found " + x.text());
  if (node.has(1) && node.in(1).shape.is_known() && node.in(1).count() != 1)
    return node_error(node, Code::bad_file, "k must have one element");
  set_output(node, 0, node.in(0).dtype, x);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  if (x.count() == 0) return;
  uint8_t zero[8] = {};
  const QuantView& quant = node.in(0).quant;
  if (size_of(node.in(0).dtype) == 1 && quant.per_tensor() && quant.zero_points.size() == 1)
    zero[0] = static_cast<uint8_t>(quant.zero_points[0]);
  kernels::TriangleArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.zero = zero;
  a.element_bytes = size_of(node.in(0).dtype);
  a.rows = x[x.rank() - 2];
  a.columns = x[x.rank() - 1];
  constexpr int64_t kFar = kMaxElements;  // beyond every diagonal
  a.k = node.has(1) ? std::clamp(index_view(node.in(1))[0], -kFar, kFar) : 0;
  a.upper = node.opt<schema::TriluOptions>().upper();
  parallel_for(context.pool, static_cast<size_t>(x.count() / a.columns),
               (1 << 14) / static_cast<size_t>(a.columns) + 1,
               [&](Range rows) { kernels::triangle_ref(a, rows); });
}

}  // namespace

extern const OpDef kTriluOp{schema::Op::TriluOptions, "trilu", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
