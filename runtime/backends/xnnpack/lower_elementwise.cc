// Unary and binary elementwise operators, by table. Quantized unary ones become a lookup in a table of 256.
#include <algorithm>
#include <cmath>

#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/backends/xnnpack/xnn_quant.h"

namespace pith {
namespace {

using schema::BinaryKind;
using schema::UnaryKind;

// Left out on purpose: exp, sin, cos, reciprocal ... for which this snapshot has only plain loops; relu and
// clip of f32, where ours are as fast (memory decides) and keep NaN.
struct UnaryRow {
  UnaryKind kind;
  xnn_unary_operator op;
  bool floats, codes;
};
constexpr UnaryRow kUnary[] = {
    {UnaryKind::abs, xnn_unary_abs, true, false},
    {UnaryKind::neg, xnn_unary_negate, true, false},
    {UnaryKind::floor, xnn_unary_floor, true, false},
    {UnaryKind::ceil, xnn_unary_ceiling, true, false},
    {UnaryKind::round_even, xnn_unary_bankers_rounding, true, false},
    {UnaryKind::sqrt, xnn_unary_square_root, true, false},
    {UnaryKind::log, xnn_unary_log, true, false},
    {UnaryKind::sigmoid, xnn_unary_sigmoid, true, true},
    {UnaryKind::tanh, xnn_unary_tanh, true, true},
    {UnaryKind::relu, xnn_unary_clamp, false, true},
    {UnaryKind::clip, xnn_unary_clamp, false, true},
    {UnaryKind::leaky_relu, xnn_unary_leaky_relu, true, false},
    {UnaryKind::elu, xnn_unary_elu, true, true},
    {UnaryKind::hard_swish, xnn_unary_hardswish, true, true},
    {UnaryKind::gelu, xnn_unary_gelu, true, true},
};

bool unary_params(const schema::UnaryOptions& o, xnn_unary_params* p) {
  switch (o.kind()) {
    case UnaryKind::relu:
      p->clamp = {0, INFINITY};
      return true;
    case UnaryKind::clip:
      p->clamp = {o.alpha(), o.beta()};
      return o.alpha() <= o.beta();  // ONNX allows an empty range; XNNPACK does not
    case UnaryKind::leaky_relu:
      p->leaky_relu.negative_slope = o.alpha();
      return std::isfinite(o.alpha());
    case UnaryKind::elu:
      p->elu.alpha = o.alpha();
      return std::isfinite(o.alpha());
    default:
      return true;
  }
}

Status bind_unary(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  return check_xnn(xnn_setup_unary_elementwise_nc(static_cast<XnnState*>(state)->op.get(), node.in(0).data,
                                                  node.out(0).data));
}

Status create_unary(const NodeView& node, const UnaryRow& row, const xnn_unary_params& p, XnnOperator* op) {
  const TensorView &x = node.in(0), &y = node.out(0);
  if (row.floats && x.dtype == DType::f32 && y.dtype == DType::f32)
    return check_xnn(xnn_create_unary_elementwise_nc(row.op, xnn_datatype_fp32, xnn_datatype_fp32, &p,
                                                     nullptr, nullptr, 0, op->put()));
  Codes xq, yq;
  if (!row.codes || !read_codes(x, &xq) || !read_codes(y, &yq) || xq.dtype != yq.dtype)
    return decline("no kernel for this element type or quantization");
  const xnn_quantization_params xp = params_of(xq), yp = params_of(yq);
  return check_xnn(xnn_create_unary_elementwise_nc(row.op, datatype_of(x.dtype), datatype_of(y.dtype), &p,
                                                   &xp, &yp, 0, op->put()));
}

// What follows a binary operator that clamps: in place on y.
Status create_clamp(const TensorView& y, float lo, float hi, XnnOperator* op) {
  xnn_unary_params p{};
  p.clamp = {lo, hi};
  Codes q;
  const bool quantized = read_codes(y, &q);
  const xnn_quantization_params yp = params_of(q);
  return check_xnn(xnn_create_unary_elementwise_nc(xnn_unary_clamp, datatype_of(y.dtype),
                                                   datatype_of(y.dtype), &p, quantized ? &yp : nullptr,
                                                   quantized ? &yp : nullptr, 0, op->put()));
}

// x sigmoid(x): sigmoid to scratch, then the product, which may be in place on x.
Status bind_swish(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  auto& s = *static_cast<XnnState*>(state);
  PITH_RETURN_IF_ERROR(check_xnn(xnn_setup_unary_elementwise_nc(s.op.get(), node.in(0).data, scratch)));
  return check_xnn(
      xnn_setup_binary_elementwise_nd(s.second.get(), node.in(0).data, scratch, node.out(0).data));
}

Status lower_swish(const NodeView& node, float alpha, Lowering& low) {
  if (alpha != 1 || node.in(0).dtype != DType::f32 || node.out(0).dtype != DType::f32)
    return decline("swish of f32 with alpha 1 only");
  const xnn_unary_params none{};
  const auto n = static_cast<size_t>(node.out(0).count());
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_unary_elementwise_nc(
      xnn_unary_sigmoid, xnn_datatype_fp32, xnn_datatype_fp32, &none, nullptr, nullptr, 0, s.op.put())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_unary_elementwise_nc(s.op.get(), n, 1, 1, 1, low.threads())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_binary_elementwise_nd(
      xnn_binary_multiply, xnn_datatype_fp32, nullptr, nullptr, nullptr, 0, s.second.put())));
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_binary_elementwise_nd(s.second.get(), 1, &n, 1, &n, low.threads())));
  return low.done("xnn_swish", bind_swish, n * sizeof(float));
}

struct BinaryRow {
  BinaryKind kind;
  xnn_binary_operator op;
  bool quantized;
};
// On ARM its products of codes are rounded in fixed point and can be a step away from those of every other
// processor: a quantized model must give the same bytes everywhere, so ours is used there.
#if defined(__aarch64__) || defined(__arm__)
constexpr bool kExactProducts = false;
#else
constexpr bool kExactProducts = true;
#endif
constexpr BinaryRow kBinary[] = {
    {BinaryKind::add, xnn_binary_add, true},
    {BinaryKind::sub, xnn_binary_subtract, true},
    {BinaryKind::mul, xnn_binary_multiply, kExactProducts},
    {BinaryKind::div, xnn_binary_divide, false},
    {BinaryKind::max, xnn_binary_maximum, false},
    {BinaryKind::min, xnn_binary_minimum, false},
    {BinaryKind::prelu, xnn_binary_prelu, false},
};

// Neighbouring dims that broadcast alike are merged; XNNPACK takes at most 6 and both shapes of equal rank.
struct BroadcastDims {
  size_t a[kMaxRank], b[kMaxRank];
  size_t count = 0;
};

bool merge_dims(const Shape& a, const Shape& b, BroadcastDims* out) {
  const int rank = std::max(a.rank(), b.rank());
  enum { same, only_a, only_b, none } previous = none;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const size_t da = ia < 0 ? 1 : dim(a, ia), db = ib < 0 ? 1 : dim(b, ib);
    if (da == 1 && db == 1) continue;
    const auto kind = da == db ? same : db == 1 ? only_a : only_b;
    if (kind == previous) {
      out->a[out->count - 1] *= da, out->b[out->count - 1] *= db;
      continue;
    }
    out->a[out->count] = da, out->b[out->count] = db;
    ++out->count;
    previous = kind;
  }
  return out->count <= XNN_MAX_TENSOR_DIMS;
}

Status bind_binary(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  auto& s = *static_cast<XnnState*>(state);
  PITH_RETURN_IF_ERROR(check_xnn(
      xnn_setup_binary_elementwise_nd(s.op.get(), node.in(0).data, node.in(1).data, node.out(0).data)));
  if (!s.second) return Status::ok();
  return check_xnn(xnn_setup_unary_elementwise_nc(s.second.get(), node.out(0).data, node.out(0).data));
}

Status create_binary(const NodeView& node, const BinaryRow& row, XnnOperator* op) {
  const TensorView &a = node.in(0), &b = node.in(1), &y = node.out(0);
  if (a.dtype == DType::f32 && b.dtype == DType::f32 && y.dtype == DType::f32)
    return check_xnn(
        xnn_create_binary_elementwise_nd(row.op, xnn_datatype_fp32, nullptr, nullptr, nullptr, 0, op->put()));
  Codes aq, bq, yq;
  if (!row.quantized || !read_codes(a, &aq) || !read_codes(b, &bq) || !read_codes(y, &yq) ||
      aq.dtype != bq.dtype || aq.dtype != yq.dtype)
    return decline("no kernel for these element types or quantizations");
  if (row.kind != BinaryKind::mul) {  // its fixed-point sum needs input and output steps of like size
    for (float ratio : {aq.scale / yq.scale, bq.scale / yq.scale})
      if (!(ratio >= 0x1p-10f && ratio < 0x1p+8f)) return decline("scales too far apart");
  } else if (const float s = aq.scale * bq.scale / yq.scale; !(s >= 0x1p-16f && s < 0x1p+8f)) {
    return decline("scales too far apart");
  }
  const xnn_quantization_params ap = params_of(aq), bp = params_of(bq), yp = params_of(yq);
  return check_xnn(
      xnn_create_binary_elementwise_nd(row.op, datatype_of(y.dtype), &ap, &bp, &yp, 0, op->put()));
}

}  // namespace

Status lower_unary(const NodeView& node, Lowering& low) {
  const auto& o = node.opt<schema::UnaryOptions>();
  if (o.kind() == UnaryKind::swish) return lower_swish(node, o.alpha(), low);
  const auto* row = std::find_if(std::begin(kUnary), std::end(kUnary),
                                 [&](const UnaryRow& r) { return r.kind == o.kind(); });
  xnn_unary_params p{};
  if (row == std::end(kUnary) || !unary_params(o, &p)) return decline("no such function");
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(create_unary(node, *row, p, &s.op));
  const auto n = static_cast<size_t>(node.out(0).count());
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_unary_elementwise_nc(s.op.get(), n, 1, 1, 1, low.threads())));
  return low.done("xnn_unary", bind_unary);
}

Status lower_binary(const NodeView& node, Lowering& low) {
  const auto& o = node.opt<schema::BinaryOptions>();
  const auto* row = std::find_if(std::begin(kBinary), std::end(kBinary),
                                 [&](const BinaryRow& r) { return r.kind == o.kind(); });
  if (row == std::end(kBinary)) return decline("no such function");
  BroadcastDims dims;
  if (!merge_dims(node.in(0).shape, node.in(1).shape, &dims)) return decline("too many broadcast dims");
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(create_binary(node, *row, &s.op));
  PITH_RETURN_IF_ERROR(check_xnn(
      xnn_reshape_binary_elementwise_nd(s.op.get(), dims.count, dims.a, dims.count, dims.b, low.threads())));
  if (o.clamp_min() > -INFINITY || o.clamp_max() < INFINITY) {
    if (!is_clamp(o.clamp_min(), o.clamp_max())) return decline("empty clamp range");
    PITH_RETURN_IF_ERROR(create_clamp(node.out(0), o.clamp_min(), o.clamp_max(), &s.second));
    const auto n = static_cast<size_t>(node.out(0).count());
    PITH_RETURN_IF_ERROR(
        check_xnn(xnn_reshape_unary_elementwise_nc(s.second.get(), n, 1, 1, 1, low.threads())));
  }
  return low.done("xnn_binary", bind_binary);
}

}  // namespace pith
