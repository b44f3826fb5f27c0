// MatMul: a[.., M, K] x b[.., K, N] as numpy.matmul: batch dims broadcast, a 1-D operand gets a dim of 1 that
// the result loses. f32, f64, 32- and 64-bit integers; or 8-bit codes a (per tensor), b (per tensor or per
// column) -> codes. transpose_b: b is [.., N, K], f32 only.
#include "kernels/gemm/matmul.h"

#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/matmul_shape.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

using kernels::MatMulArgs;

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(
      node, 0,
      {DType::f32, DType::f64, DType::i32, DType::u32, DType::i64, DType::u64, DType::i8, DType::u8}));
  const TensorView &a = node.in(0), &b = node.in(1);
  if (node.opt<schema::MatMulOptions>().transpose_b() && a.dtype != DType::f32)
    return node_error(node, Code::unsupported, "transpose_b needs f32");
  if (!is_codes(a.dtype)) {
    if (b.dtype != a.dtype)
      return node_error(
          node, Code::bad_file,
          format("multiplies %s by %s; both must have one type", name_of(a.dtype), name_of(b.dtype)));
    return Status::ok();
  }
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i8, DType::u8}));
  PITH_RETURN_IF_ERROR(expect_tensor_grid(node, a, "input"));
  PITH_RETURN_IF_ERROR(expect_channel_grid(node, b, b.shape.rank() - 1, "input"));
  if (b.quant.scales.size() > 1 && b.shape.rank() < 2)
    return node_error(node, Code::unsupported, "a vector of codes must have one scale");
  return expect_tensor_grid(node, node.out(0), "output");
}

Status infer(const NodeView& node) {
  const TensorView& a = node.in(0);
  node.out(0).dtype = is_codes(a.dtype) ? declared_codes(node, a) : a.dtype;
  return infer_matmul(node, node.opt<schema::MatMulOptions>().transpose_b());
}

void run_codes(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const RequantState*>(context.state);
  kernels::MatMulCodesArgs q{};
  q.shape = matmul_args(node, false);
  q.y_zero = state.y_zero, q.y_lo = state.y_lo, q.y_hi = state.y_hi;
  q.a_zero = &state.x_zero, q.a_zero_stride = 0;
  q.b_zero = state.w_zero.data(), q.b_zero_stride = state.stride();
  q.scale = state.scale.data(), q.scale_stride = state.stride();
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto a, auto b) {
    const bool is_signed = node.out(0).dtype == DType::i8;
    parallel_for(context.pool, kernels::matmul_tasks(q.shape), 1, [&](Range tasks) {
      if (is_signed)
        kernels::matmul_codes_ref<decltype(a), decltype(b), int8_t>(q, tasks);
      else
        kernels::matmul_codes_ref<decltype(a), decltype(b), uint8_t>(q, tasks);
    });
  });
}

void run(const NodeView& node, RunContext& context) {
  const bool transposed = node.opt<schema::MatMulOptions>().transpose_b();
  const MatMulArgs a = matmul_args(node, transposed);
  void (*kernel)(const MatMulArgs&, Range) = kernels::matmul_ref<float>;
  if (transposed) kernel = kernels::matmul_transposed_f32_ref;
  const DType t = node.in(0).dtype;
  if (t == DType::f64) kernel = kernels::matmul_ref<double>;
  if (t == DType::i32 || t == DType::u32) kernel = kernels::matmul_ref<uint32_t>;
  if (t == DType::i64 || t == DType::u64) kernel = kernels::matmul_ref<uint64_t>;
  parallel_for(context.pool, kernels::matmul_tasks(a), 1, [&](Range tasks) { kernel(a, tasks); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  if (!is_codes(node.in(0).dtype)) return Status::ok();
  constexpr float kAll = std::numeric_limits<float>::infinity();
  context.keep(RequantState::make(node.in(0), node.in(1), node.out(0), -kAll, kAll));
  context.use("matmul_codes", run_codes);
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(MatMul){schema::Op::MatMulOptions, "matmul", kNoFlags, check, infer, prepare, run};

}  // namespace pith
