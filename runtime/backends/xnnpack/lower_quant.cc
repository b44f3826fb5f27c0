// Quantize and dequantize with one scale, and casts between f32 and f16.
#include <cmath>

#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/backends/xnnpack/xnn_quant.h"

namespace pith {
namespace {

Status bind_convert(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  return check_xnn(xnn_setup_unary_elementwise_nc(static_cast<XnnState*>(state)->op.get(), node.in(0).data,
                                                  node.out(0).data));
}

Status lower_convert(const NodeView& node, Lowering& low, const Codes* xq, const Codes* yq,
                     const char* name) {
  xnn_quantization_params xp{}, yp{};
  if (xq != nullptr) xp = params_of(*xq);
  if (yq != nullptr) yp = params_of(*yq);
  const xnn_unary_params none{};
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_unary_elementwise_nc(
      xnn_unary_convert, datatype_of(node.in(0).dtype), datatype_of(node.out(0).dtype), &none,
      xq != nullptr ? &xp : nullptr, yq != nullptr ? &yp : nullptr, 0, s.op.put())));
  const auto n = static_cast<size_t>(node.out(0).count());
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_unary_elementwise_nc(s.op.get(), n, 1, 1, 1, low.threads())));
  return low.done(name, bind_convert);
}

// Scale and zero point from inputs 1 and 2 when given (their values must be known), else from the codes
// tensor.
bool read_conversion(const NodeView& node, const TensorView& codes, Codes* out) {
  TensorView t = codes;
  float scale = 1;
  int32_t zero = 0;
  if (node.has(1)) {
    const TensorView& s = node.in(1);
    if (!s.has_value || s.dtype != DType::f32 || s.count() != 1) return false;
    scale = s.as<float>()[0];
    if (node.has(2)) {
      const TensorView& z = node.in(2);
      if (!z.has_value || z.dtype != codes.dtype || z.count() != 1) return false;
      zero = z.dtype == DType::i8 ? z.as<int8_t>()[0] : z.dtype == DType::u8 ? z.as<uint8_t>()[0] : 0;
    }
    t.quant = {{&scale, 1}, {&zero, 1}, -1, 0};
  }
  return read_codes(t, out);
}

}  // namespace

// XNNPACK multiplies by 1/scale where the definition divides: the same only for powers of two.
Status lower_quantize(const NodeView& node, Lowering& low) {
  Codes yq;
  int exponent = 0;
  if (node.in(0).dtype != DType::f32 || !read_conversion(node, node.out(0), &yq))
    return decline("not f32 to 8-bit codes with one scale");
  if (std::frexp(yq.scale, &exponent) != 0.5f) return decline("scale is not a power of two");
  return lower_convert(node, low, nullptr, &yq, "xnn_quantize");
}

Status lower_dequantize(const NodeView& node, Lowering& low) {
  Codes xq;
  if (node.out(0).dtype != DType::f32 || !read_conversion(node, node.in(0), &xq))
    return decline("not 8-bit codes with one scale to f32");
  return lower_convert(node, low, &xq, nullptr, "xnn_dequantize");
}

Status lower_cast(const NodeView& node, Lowering& low) {
  const DType from = node.in(0).dtype, to = node.out(0).dtype;
  if (!(from == DType::f32 && to == DType::f16) && !(from == DType::f16 && to == DType::f32))
    return decline("only between f32 and f16");
  return lower_convert(node, low, nullptr, nullptr, "xnn_cast");
}

}  // namespace pith
