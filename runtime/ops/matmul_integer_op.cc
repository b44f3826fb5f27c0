// MatMulInteger: exact i32 product of 8-bit codes, (a - a_zero) x (b - b_zero). Zero points are run-time
// tensors or omitted: a_zero one value or one per row of a, b_zero one value or one per column of b.
#include "kernels/gemm/matmul.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/matmul_shape.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 4, 1, 1));
  for (size_t i : {0u, 1u}) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::i8, DType::u8}));
    if (node.has(i + 2) && node.in(i + 2).dtype != node.in(i).dtype)
      return node_error(node, Code::bad_file,
                        format("zero point %zu must have the type of input %zu", i + 2, i));
  }
  return Status::ok();
}

// A zero point that is not one value must have `count` of them.
Status expect_zero(const NodeView& node, size_t i, int64_t count) {
  if (!node.has(i) || !node.in(i).shape.is_known() || node.in(i).count() == 1) return Status::ok();
  if (count >= 0 && node.in(i).count() != count)
    return node_error(node, Code::unsupported,
                      format("zero point %zu has shape %s; it must hold 1 or %lld values", i,
                             node.in(i).shape.text().c_str(), static_cast<long long>(count)));
  return Status::ok();
}

Status infer(const NodeView& node) {
  node.out(0).dtype = DType::i32;
  PITH_RETURN_IF_ERROR(infer_matmul(node, false));
  const Shape &a = node.in(0).shape, &b = node.in(1).shape;
  if (!a.has_rank() || !b.has_rank()) return Status::ok();
  PITH_RETURN_IF_ERROR(expect_zero(node, 2, a.rank() > 1 ? a[a.rank() - 2] : 1));
  return expect_zero(node, 3, b.rank() > 1 ? b[b.rank() - 1] : 1);
}

size_t zero_count(const NodeView& node, size_t i) {
  return node.has(i) ? static_cast<size_t>(node.in(i).count()) : 1;
}

Status prepare(const NodeView& node, PrepareContext& context) {
  if (node.out(0).count() == 0) return Status::ok();
  const size_t rows = static_cast<size_t>(matmul_args(node, false).m);
  context.request_scratch((rows + zero_count(node, 3)) * sizeof(int32_t));
  return Status::ok();
}

void widen(const NodeView& node, size_t i, int32_t* zero, size_t count, size_t period) {
  for (size_t k = 0; k < count; ++k) {
    zero[k] = 0;
    if (!node.has(i)) continue;
    zero[k] = node.in(i).dtype == DType::i8 ? node.in(i).as<int8_t>()[k % period]
                                            : node.in(i).as<uint8_t>()[k % period];
  }
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::MatMulCodesArgs q{};
  q.shape = matmul_args(node, false);
  const size_t b_count = zero_count(node, 3);
  auto* a_zero = static_cast<int32_t*>(context.scratch);
  auto* b_zero = a_zero + q.shape.m;
  widen(node, 2, a_zero, q.shape.m, zero_count(node, 2));  // a common b folds the batch into the rows
  widen(node, 3, b_zero, b_count, b_count);
  q.a_zero = a_zero, q.a_zero_stride = 1;
  q.b_zero = b_zero, q.b_zero_stride = b_count == 1 ? 0 : 1;
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto a, auto b) {
    parallel_for(context.pool, kernels::matmul_tasks(q.shape), 1,
                 [&](Range tasks) { kernels::matmul_integer_ref<decltype(a), decltype(b)>(q, tasks); });
  });
}

}  // namespace

PITH_OPERATOR(MatMulInteger){
    schema::Op::MatMulIntegerOptions, "matmul_integer", kNoFlags, check, infer, prepare, run};

}  // namespace pith
