// Import of the QLinear* operators. With constant scales they are written as Dequantize, the float operator,
// Quantize, which fuse_qdq turns into one integer operator. QLinearConv and QLinearMatMul with run-time
// scales become the exact integer sums and Requantize.
#include "converter/ops/window_attributes.h"

namespace pith {
namespace {

using schema::BinaryKind;

ir::Value* dequantized(ImportContext& c, ir::Value* codes, ir::Value* scale, ir::Value* zero, int axis) {
  schema::DequantizeOptionsT o;
  o.axis = axis;
  return zero == nullptr ? c.emit(o, {codes, scale}) : c.emit(o, {codes, scale, zero});
}
ir::Value* quantized(ImportContext& c, ir::Value* y, ir::Value* scale, ir::Value* zero) {
  schema::QuantizeOptionsT o;
  return zero == nullptr ? c.emit(o, {y, scale}) : c.emit(o, {y, scale, zero});
}

bool all_constant(const ImportContext& c, std::initializer_list<size_t> inputs) {
  for (size_t i : inputs)
    if (c.has(i) && !c.in(i)->is_constant()) return false;
  return true;
}

// y codes of exact sums: acc * (a_scale * b_scale) / y_scale + y_zero.
ir::Value* requantized(ImportContext& c, ir::Value* acc, ir::Value* a_scale, ir::Value* b_scale,
                       ir::Value* y_scale, ir::Value* y_zero) {
  schema::RequantizeOptionsT o;
  o.axis = -1;
  return c.emit(o, {acc, c.binary(BinaryKind::mul, a_scale, b_scale), y_scale, y_zero});
}

// A bias of i32 codes in steps of a_scale * b_scale, as real numbers.
ir::Value* real_bias(ImportContext& c, ir::Value* bias, ir::Value* a_scale, ir::Value* b_scale) {
  return dequantized(c, bias, c.binary(BinaryKind::mul, a_scale, b_scale), nullptr, 0);
}

template <class OptionsT>
Status conv_options(ImportContext& c, OptionsT* o) {
  const Shape& w = c.in(3)->shape;
  if (w.rank() < 3 || w.rank() > 5 || w.count() < 0)
    return c.unsupported("weights have shape " + w.text() + "; it must be known, with 1 to 3 spatial dims");
  std::vector<int64_t> kernel;
  for (int d = 2; d < w.rank(); ++d) kernel.push_back(w[d]);
  WindowAttributes a;
  PITH_RETURN_IF_ERROR(read_window(c, c.in(0), kernel, &a));
  const int64_t group = c.attr_int("group", 1);
  if (group < 1 || group > (1 << 20)) return c.malformed("attribute group is out of range");
  o->strides = a.strides, o->pads = a.pads, o->dilations = a.dilations;
  o->groups = static_cast<uint32_t>(group);
  return Status::ok();
}

// x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias
Status import_conv(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 2, 3, 4, 5, 6, 7}));
  const int rank = c.in(3)->shape.rank();
  ir::Value *x_scale = c.in(1), *w_scale = c.in(4);
  ir::Value* y = nullptr;
  if (all_constant(c, {1, 2, 3, 4, 5, 6, 7, 8})) {
    schema::ConvOptionsT o;
    PITH_RETURN_IF_ERROR(conv_options(c, &o));
    ir::Value* w = to_channels_last(c, c.in(3), rank);
    std::vector<ir::Value*> inputs{to_channels_last(c, dequantized(c, c.in(0), x_scale, c.in(2), 1), rank),
                                   dequantized(c, w, w_scale, c.in(5), 0)};
    if (c.has(8)) inputs.push_back(real_bias(c, c.in(8), x_scale, w_scale));
    y = quantized(c, to_channels_first(c, c.emit(o, std::move(inputs)), rank), c.in(6), c.in(7));
  } else {
    schema::ConvIntegerOptionsT o;
    PITH_RETURN_IF_ERROR(conv_options(c, &o));
    ir::Value* x = to_channels_last(c, c.in(0), rank);
    ir::Value* acc = c.emit(o, {x, to_channels_last(c, c.in(3), rank), c.in(2), c.in(5)});
    if (c.has(8)) acc = c.binary(BinaryKind::add, acc, c.in(8));
    y = to_channels_first(c, requantized(c, acc, x_scale, w_scale, c.in(6), c.in(7)), rank);
  }
  c.set_out(0, y);
  return Status::ok();
}

// a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero
Status import_matmul(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 2, 3, 4, 5, 6, 7}));
  if (all_constant(c, {1, 2, 3, 4, 5, 6, 7}) && c.in(3)->shape.rank() == 2) {
    ir::Value* w = dequantized(c, c.transpose(c.in(3), {1, 0}), c.in(4), c.in(5), 0);
    ir::Value* y =
        c.emit(schema::FullyConnectedOptionsT{}, {dequantized(c, c.in(0), c.in(1), c.in(2), 1), w});
    c.set_out(0, quantized(c, y, c.in(6), c.in(7)));
    return Status::ok();
  }
  ir::Value* acc = c.emit(schema::MatMulIntegerOptionsT{}, {c.in(0), c.in(3), c.in(2), c.in(5)});
  c.set_out(0, requantized(c, acc, c.in(1), c.in(4), c.in(6), c.in(7)));
  return Status::ok();
}

// com.microsoft QGemm: A, a_scale, a_zero, B, b_scale, b_zero, C, y_scale, y_zero
Status import_gemm(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 3, 4}));
  if (!all_constant(c, {1, 2, 3, 4, 5, 6, 7, 8}) || c.attr_float("alpha", 1) != 1 ||
      c.in(3)->shape.rank() != 2)
    return c.unsupported("scales and weights must be constant, and alpha 1");
  ir::Value* a = dequantized(c, c.in(0), c.in(1), c.in(2), 1);
  if (c.attr_int("transA", 0) != 0) a = c.transpose(a, {1, 0});
  ir::Value* codes = c.attr_int("transB", 0) != 0 ? c.in(3) : c.transpose(c.in(3), {1, 0});
  std::vector<ir::Value*> inputs{a, dequantized(c, codes, c.in(4), c.in(5), 0)};
  if (c.has(6)) {
    if (c.in(6)->shape.count() != codes->shape[0]) return c.unsupported("C must hold one number per column");
    inputs.push_back(real_bias(c, c.reshape(c.in(6), {-1}), c.in(1), c.in(4)));
  }
  ir::Value* y = c.emit(schema::FullyConnectedOptionsT{}, std::move(inputs));
  c.set_out(0, c.has(7) ? quantized(c, y, c.in(7), c.in(8)) : y);
  return Status::ok();
}

// a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero
Status import_binary(ImportContext& c, BinaryKind kind) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 3, 4, 6}));
  ir::Value* a = dequantized(c, c.in(0), c.in(1), c.in(2), 1);
  ir::Value* b = dequantized(c, c.in(3), c.in(4), c.in(5), 1);
  c.set_out(0, quantized(c, c.binary(kind, a, b), c.in(6), c.in(7)));
  return Status::ok();
}
Status import_add(ImportContext& c) { return import_binary(c, BinaryKind::add); }
Status import_mul(ImportContext& c) { return import_binary(c, BinaryKind::mul); }

// x, x_scale, x_zero, y_scale, y_zero
Status import_unary(ImportContext& c, schema::UnaryKind kind, float alpha) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 3}));
  ir::Value* x = dequantized(c, c.in(0), c.in(1), c.in(2), 1);
  c.set_out(0, quantized(c, c.unary(kind, x, alpha), c.in(3), c.in(4)));
  return Status::ok();
}
Status import_sigmoid(ImportContext& c) { return import_unary(c, schema::UnaryKind::sigmoid, 0); }
Status import_leaky_relu(ImportContext& c) {
  return import_unary(c, schema::UnaryKind::leaky_relu, c.attr_float("alpha", 0.01f));
}

Status import_global_average(ImportContext& c) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1, 3}));
  const int rank = c.in(0)->shape.rank();
  if (rank < 3) return c.unsupported("the input must have spatial dims");
  const int first = c.attr_int("channels_last", 0) != 0 ? 1 : 2;
  std::vector<int64_t> axes;
  for (int d = first; d < first + rank - 2; ++d) axes.push_back(d);
  schema::ReduceOptionsT o;
  o.kind = schema::ReduceKind::mean;
  ir::Value* y = c.emit(o, {dequantized(c, c.in(0), c.in(1), c.in(2), 1), c.const_i64(axes)});
  c.set_out(0, quantized(c, y, c.in(3), c.in(4)));
  return Status::ok();
}

// y_scale, y_zero, then x, x_scale, x_zero of every operand
Status import_concat(ImportContext& c) {
  schema::ConcatOptionsT o;
  o.axis = static_cast<int32_t>(c.attr_int("axis", 0));
  std::vector<ir::Value*> inputs;
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1}));
  for (size_t i = 2; i + 2 < c.in_count(); i += 3) {
    PITH_RETURN_IF_ERROR(need_inputs(c, {i, i + 1}));
    inputs.push_back(dequantized(c, c.in(i), c.in(i + 1), c.in(i + 2), 1));
  }
  c.set_out(0, quantized(c, c.emit(o, std::move(inputs)), c.in(0), c.in(1)));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> qlinear_imports() {
  static constexpr ImportRule kRules[] = {
      {"QLinearConv", import_conv, 8},
      {"QLinearMatMul", import_matmul, 8},
      {"com.microsoft:QGemm", import_gemm, 6},
      {"com.microsoft:QLinearAdd", import_add, 2},
      {"com.microsoft:QLinearConcat", import_concat, 3},
      {"com.microsoft:QLinearGlobalAveragePool", import_global_average, 5},
      {"com.microsoft:QLinearLeakyRelu", import_leaky_relu, 2},
      {"com.microsoft:QLinearMul", import_mul, 2},
      {"com.microsoft:QLinearSigmoid", import_sigmoid, 2}};
  return kRules;
}

}  // namespace pith
