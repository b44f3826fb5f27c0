// Import of MatMul, Gemm, MatMulInteger and com.microsoft FusedMatMul, FusedGemm, DynamicQuantizeMatMul,
// MatMulIntegerToFloat. A product with a constant matrix becomes FullyConnected.
#include "converter/ops/window_attributes.h"

namespace pith {
namespace {

using schema::BinaryKind;

bool is_float_value(const ir::Value* v) {
  return v->dtype == DType::f32 || v->dtype == DType::f16 || v->dtype == DType::bf16;
}

// The last two dims swapped.
ir::Value* swap_last(ImportContext& c, ir::Value* x) {
  std::vector<uint32_t> perm;
  for (int d = 0; d < x->shape.rank(); ++d) perm.push_back(static_cast<uint32_t>(d));
  std::swap(perm[perm.size() - 2], perm[perm.size() - 1]);
  return permute_weights(c, x, perm);
}

ir::Value* scaled(ImportContext& c, ir::Value* x, float factor) {
  if (factor == 1.0f) return x;
  return c.binary(BinaryKind::mul, x, c.const_scalar(x->dtype, static_cast<double>(factor)));
}

// a x b; b is [K, N], or [N, K] when `turned`. bias [N] or null.
ir::Value* product(ImportContext& c, ir::Value* a, ir::Value* b, bool turned, ir::Value* bias) {
  if (is_float_value(a) && is_float_value(b) && b->shape.rank() == 2 && is_constant_weight(b) &&
      a->shape.rank() != 0) {
    ir::Value* w = turned ? b : swap_last(c, b);
    return bias == nullptr ? c.emit(schema::FullyConnectedOptionsT{}, {a, w})
                           : c.emit(schema::FullyConnectedOptionsT{}, {a, w, bias});
  }
  schema::MatMulOptionsT o;
  o.transpose_b = turned && is_float_value(a);
  if (turned && !o.transpose_b) b = swap_last(c, b);
  ir::Value* y = c.emit(o, {a, b});
  return bias == nullptr ? y : c.binary(BinaryKind::add, y, bias);
}

Status import_matmul(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1}));
  c.set_out(0, product(c, c.in(0), c.in(1), false, nullptr));
  return Status::ok();
}

Status import_fused_matmul(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1}));
  ir::Value *a = c.in(0), *b = c.in(1);
  if (c.attr_int("transBatchA", 0) != 0 || c.attr_int("transBatchB", 0) != 0)
    return c.unsupported("transposed batch dims are not supported");
  const bool trans_a = c.attr_int("transA", 0) != 0, trans_b = c.attr_int("transB", 0) != 0;
  if ((trans_a && a->shape.rank() < 2) || (trans_b && b->shape.rank() < 2))
    return c.unsupported("a transposed operand must have a known rank of 2 or more");
  if (trans_a) a = swap_last(c, a);
  c.set_out(0, scaled(c, product(c, a, b, trans_b, nullptr), c.attr_float("alpha", 1)));
  return Status::ok();
}

// A Gemm C that is one number per column, as [N]; null otherwise.
ir::Value* column_bias(ImportContext& c, ir::Value* bias, int64_t columns) {
  if (bias == nullptr || columns < 0 || !bias->shape.is_known()) return nullptr;
  const Shape& s = bias->shape;
  if (s.rank() == 1 && s[0] == columns) return bias;
  return s.rank() == 2 && s[0] == 1 && s[1] == columns ? c.reshape(bias, {columns}) : nullptr;
}

Status import_gemm(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1}));
  ir::Value *a = c.in(0), *b = c.in(1), *bias = c.has(2) ? c.in(2) : nullptr;
  if ((a->shape.has_rank() && a->shape.rank() != 2) || b->shape.rank() != 2)
    return c.unsupported("A and B must be matrices, found " + a->shape.text() + " and " + b->shape.text());
  if (c.attr_int("transA", 0) != 0) a = c.transpose(a, {1, 0});
  const bool turned = c.attr_int("transB", 0) != 0;
  const float alpha = c.attr_float("alpha", 1), beta = c.attr_float("beta", 1);
  if (beta == 0) bias = nullptr;
  if (bias != nullptr) bias = scaled(c, bias, beta);
  const bool scale_weights = alpha != 1 && b->is_constant() && is_float_value(b);
  if (scale_weights) b = scaled(c, b, alpha);
  const bool scale_result = alpha != 1 && !scale_weights;
  ir::Value* columns = scale_result ? nullptr : column_bias(c, bias, b->shape[turned ? 0 : 1]);
  ir::Value* y = product(c, a, b, turned, columns);
  if (scale_result) y = scaled(c, y, alpha);
  if (bias != nullptr && columns == nullptr) y = c.binary(BinaryKind::add, y, bias);
  if (c.node().domain == "com.microsoft") PITH_RETURN_IF_ERROR(apply_activation(c, &y));
  c.set_out(0, y);
  return Status::ok();
}

Status import_matmul_integer(ImportContext& c) {
  c.set_out(0, c.emit(schema::MatMulIntegerOptionsT{}, {c.in(0), c.in(1), c.in(2), c.in(3)}));
  return Status::ok();
}

// (a - a_zero) x (b - b_zero) * a_scale * b_scale + bias
ir::Value* scaled_integer_product(ImportContext& c, ir::Value* a, ir::Value* b, ir::Value* a_zero,
                                  ir::Value* b_zero, ir::Value* a_scale, ir::Value* b_scale,
                                  ir::Value* bias) {
  ir::Value* sums = c.emit(schema::MatMulIntegerOptionsT{}, {a, b, a_zero, b_zero});
  ir::Value* scale = c.binary(BinaryKind::mul, a_scale, b_scale);
  ir::Value* y = c.binary(BinaryKind::mul, c.cast(sums, DType::f32), scale);
  return bias == nullptr ? y : c.binary(BinaryKind::add, y, bias);
}

Status import_matmul_integer_to_float(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 2, 3}));
  c.set_out(0, scaled_integer_product(c, c.in(0), c.in(1), c.in(4), c.in(5), c.in(2), c.in(3), c.in(6)));
  return Status::ok();
}

Status import_dynamic_quantize_matmul(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 2}));
  const auto a = c.emit_n(schema::DynamicQuantizeOptionsT{}, {c.in(0)}, 3);
  c.set_out(0, scaled_integer_product(c, a[0], c.in(1), a[2], c.in(3), a[1], c.in(2), c.in(4)));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> matmul_imports() {
  static constexpr ImportRule kRules[] = {
      {"Gemm", import_gemm, 2},
      {"MatMul", import_matmul, 2},
      {"MatMulInteger", import_matmul_integer, 2},
      {"com.microsoft:DynamicQuantizeMatMul", import_dynamic_quantize_matmul, 3},
      {"com.microsoft:FusedGemm", import_gemm, 2},
      {"com.microsoft:FusedMatMul", import_fused_matmul, 2},
      {"com.microsoft:MatMulIntegerToFloat", import_matmul_integer_to_float, 4}};
  return kRules;
}

}  // namespace pith
