// Quantize: x (float or i32) -> i8, u8, i16 or u16 codes. Dequantize: codes (also i32, and i4, u4) -> f32,
// f16 or bf16. Scale and zero point are inputs 1 and 2, or, without input 1, belong to the quantized tensor
// itself. One scale; one for each index of `axis`; or, with `block`, the shape of x with the axis divided by
// the block.
#include "kernels/quantize/quantize.h"

#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

struct Spec {  // what differs between the two operators
  const TensorView* codes;
  int64_t axis;
  uint32_t block;
};

Spec quantize_spec(const NodeView& node) {
  const auto& o = node.opt<schema::QuantizeOptions>();
  return {&node.out(0), o.axis(), o.block()};
}
Spec dequantize_spec(const NodeView& node) {
  const auto& o = node.opt<schema::DequantizeOptions>();
  return {&node.in(0), o.axis(), o.block()};
}
// The tensor's own numbers name their own axis and block.
Spec resolved(const NodeView& node, Spec s) {
  if (node.has(1)) return s;
  return {s.codes, s.codes->quant.axis < 0 ? 0 : s.codes->quant.axis, s.codes->quant.group};
}

Status check_grid(const NodeView& node, const Spec& s) {
  if (node.has(1)) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32, DType::f16, DType::bf16}));
    return expect_dtype(node, 2,
                        {DType::i8, DType::u8, DType::i16, DType::u16, DType::i32, DType::i4, DType::u4});
  }
  if (s.codes->quant.empty())
    return node_error(node, Code::bad_file, format("'%s' has no scale and no scale is given", s.codes->name));
  const size_t zeros = s.codes->quant.zero_points.size();
  if (zeros != 0 && zeros != s.codes->quant.scales.size())
    return node_error(node, Code::bad_file,
                      format("'%s' has %zu scales and %zu zero points", s.codes->name,
                             s.codes->quant.scales.size(), zeros));
  return Status::ok();
}

// Does the number of scales fit x?
Status infer_grid(const NodeView& node, Spec s) {
  s = resolved(node, s);
  const Shape& x = node.in(0).shape;
  const int64_t scales =
      node.has(1) ? node.in(1).shape.count() : static_cast<int64_t>(s.codes->quant.scales.size());
  if (node.has(2) && node.has(1) && scales >= 0 && node.in(2).shape.count() >= 0 &&
      node.in(2).shape.count() != scales)
    return node_error(node, Code::bad_file,
                      "scale " + node.in(1).shape.text() + " and zero point " + node.in(2).shape.text() +
                          " differ in shape");
  if (!x.has_rank() || scales < 0 || (scales == 1 && s.block == 0)) return Status::ok();
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, s.axis, x.rank(), &axis));
  const int64_t n = x[axis];
  int64_t expected = n;
  if (s.block != 0) {
    const int64_t blocks = n < 0 ? kUnknownDim : n / s.block + (n % s.block != 0);
    expected = dim_mul(dim_mul(x.count(0, axis), blocks), x.count(axis + 1, x.rank()));
  }
  if (expected >= 0 && expected != scales)
    return node_error(
        node, Code::bad_file,
        format("%lld scales for %s: axis %d%s needs %lld", static_cast<long long>(scales), x.text().c_str(),
               axis, s.block != 0 ? " in blocks" : "", static_cast<long long>(expected)));
  return Status::ok();
}

kernels::QuantizeArgs args_of(const NodeView& node, Spec s) {
  s = resolved(node, s);
  kernels::QuantizeArgs a{};
  a.x.data = node.in(0).data;
  a.x.dtype = node.in(0).dtype;
  a.y.data = node.out(0).data;
  a.y.dtype = node.out(0).dtype;
  int64_t scales = 1;
  if (node.has(1)) {
    scales = node.in(1).count();
    a.scale.data = node.in(1).data;
    a.scale.dtype = node.in(1).dtype;
    if (node.has(2)) {
      a.zero.data = node.in(2).data;
      a.zero.dtype = node.in(2).dtype;
    }
  } else {
    const QuantView& quant = s.codes->quant;
    scales = static_cast<int64_t>(quant.scales.size());
    a.scale.data = const_cast<float*>(quant.scales.data());
    a.scale.dtype = DType::f32;
    a.zero.data = quant.zero_points.empty() ? nullptr : const_cast<int32_t*>(quant.zero_points.data());
    a.zero.dtype = DType::i32;
  }
  const Shape& x = node.in(0).shape;
  if (scales == 1 && s.block == 0)
    a.runs = kernels::runs_of_tensor(static_cast<size_t>(x.count()));
  else if (s.block == 0)
    a.runs = kernels::runs_of_axis(axis_view(x, s.axis));
  else
    a.runs = kernels::runs_of_blocks(axis_view(x, s.axis), s.block);
  return a;
}

DType quantized_type(const NodeView& node) {
  const auto to = static_cast<DType>(node.opt<schema::QuantizeOptions>().to());
  if (to != DType::none) return to;
  return node.has(2) ? node.in(2).dtype : DType::u8;
}

Status check_quantize(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 3, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::f16, DType::bf16, DType::i32}));
  const DType to = quantized_type(node);
  if (to != DType::i8 && to != DType::u8 && to != DType::i16 && to != DType::u16)
    return node_error(node, Code::unsupported,
                      format("to %s; i8, u8, i16 and u16 are supported", name_of(to)));
  if (node.has(2) && node.in(2).dtype != to)
    return node_error(node, Code::bad_file,
                      format("the zero point is %s, the result %s", name_of(node.in(2).dtype), name_of(to)));
  for (int32_t zero : node.out(0).quant.zero_points)
    if (zero < -32768 || zero > 65535) return node_error(node, Code::bad_file, format("zero point %d", zero));
  return check_grid(node, quantize_spec(node));
}

Status infer_quantize(const NodeView& node) {
  set_output(node, 0, quantized_type(node), node.in(0).shape);
  return infer_grid(node, quantize_spec(node));
}

void run_quantize(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const kernels::QuantizeArgs a = args_of(node, quantize_spec(node));
  parallel_for(context.pool, a.runs.count, grain_of(a.runs.length),
               [&](Range runs) { kernels::quantize_ref(a, runs); });
}

Status check_dequantize(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 3, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(
      node, 0, {DType::i8, DType::u8, DType::i16, DType::u16, DType::i32, DType::i4, DType::u4}));
  if (node.has(2) && node.in(2).dtype != node.in(0).dtype)
    return node_error(node, Code::bad_file,
                      format("the zero point is %s, the codes are %s", name_of(node.in(2).dtype),
                             name_of(node.in(0).dtype)));
  return check_grid(node, dequantize_spec(node));
}

Status infer_dequantize(const NodeView& node) {
  set_output(node, 0, node.has(1) ? node.in(1).dtype : DType::f32, node.in(0).shape);
  return infer_grid(node, dequantize_spec(node));
}

void run_dequantize(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const kernels::QuantizeArgs a = args_of(node, dequantize_spec(node));
  parallel_for(context.pool, a.runs.count, grain_of(a.runs.length),
               [&](Range runs) { kernels::dequantize_ref(a, runs); });
}

}  // namespace

PITH_OPERATOR(Quantize){
    schema::Op::QuantizeOptions, "quantize", kNoFlags, check_quantize, infer_quantize, nullptr, run_quantize};
PITH_OPERATOR(Dequantize){schema::Op::DequantizeOptions,
                          "dequantize",
                          kNoFlags,
                          check_dequantize,
                          infer_dequantize,
                          nullptr,
                          run_dequantize};

}  // namespace pith
