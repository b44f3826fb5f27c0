// x[rows.., K] times constant weights [N, K]: f32, i8, u8, and f32 with i8 weights, where x is quantized row
// by row inside the node. MatMul with a constant right side of two dims comes here, too (weights [K, N]).
#include "runtime/backends/xnnpack/lower_fully_connected.h"

#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/backends/xnnpack/xnn_quant.h"

namespace pith {
namespace {

Status create_f32(const NodeView& node, const Product& p, XnnOperator* op) {
  PackBuffer widened_w, widened_b;
  const float* w = as_f32(node.in(1), widened_w);
  const float* b = node.has(2) ? as_f32(node.in(2), widened_b) : nullptr;
  if (w == nullptr || (node.has(2) && b == nullptr)) return check_xnn(xnn_status_out_of_memory);
  return check_xnn(xnn_create_fully_connected_nc_f32(p.k, p.n, p.k, p.n, w, b, p.clamp_min, p.clamp_max,
                                                     p.flags(), nullptr, nullptr, op->put()));
}

Status create_qs8(const NodeView& node, const Product& p, const SignedWeights& w, const Codes& x,
                  const Codes& y, XnnOperator* op) {
  CodeRange range{};
  if (!clamp_codes(y, p.clamp_min, p.clamp_max, &range)) return decline("empty clamp range");
  return check_xnn(xnn_create_fully_connected_nc_qs8_qc8w(
      p.k, p.n, p.k, p.n, static_cast<int8_t>(x.zero), x.scale, w.scales, w.codes,
      node.has(2) ? node.in(2).as<int32_t>() : nullptr, static_cast<int8_t>(y.zero), y.scale,
      static_cast<int8_t>(range.lo), static_cast<int8_t>(range.hi), p.flags(), nullptr, nullptr, op->put()));
}

Status create_qu8(const NodeView& node, const Product& p, const Codes& x, const Codes& y, XnnOperator* op) {
  Codes w;
  if (!read_codes(node.in(1), &w) || w.dtype != DType::u8)
    return decline("weights are not u8 with one zero point");
  CodeRange range{};
  if (!clamp_codes(y, p.clamp_min, p.clamp_max, &range)) return decline("empty clamp range");
  return check_xnn(xnn_create_fully_connected_nc_qu8(
      p.k, p.n, p.k, p.n, static_cast<uint8_t>(x.zero), x.scale, static_cast<uint8_t>(w.zero), w.scale,
      node.in(1).as<uint8_t>(), node.has(2) ? node.in(2).as<int32_t>() : nullptr,
      static_cast<uint8_t>(y.zero), y.scale, static_cast<uint8_t>(range.lo), static_cast<uint8_t>(range.hi),
      p.flags(), nullptr, nullptr, op->put()));
}

Status create_codes(const NodeView& node, const Product& p, const Codes& x, const Codes& y, XnnState& state) {
  SignedWeights w;
  if (read_signed_weights(node.in(1), p.channel_axis(), p.n, &w)) {
    state.runs_signed = true;
    return create_qs8(node, p, w, as_signed(x), as_signed(y), &state.op);
  }
  if (x.dtype != DType::u8 || y.dtype != DType::u8) return decline("weights do not fit i8");
  return create_qu8(node, p, x, y, &state.op);
}

template <auto kSetup, class T>
Status bind_product(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  const auto& s = *static_cast<const XnnState*>(state);
  return check_xnn(
      kSetup(s.op.get(), static_cast<const T*>(s.input(node, scratch)), node.out(0).as_mutable<T>()));
}

// Dynamic: `op` quantizes the rows of x into scratch, `second` multiplies.
Status bind_dynamic(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  auto& s = *static_cast<XnnState*>(state);
  void* params_memory = static_cast<char*>(scratch) + s.part[0];
  auto* params = static_cast<xnn_quantization_params*>(params_memory);
  auto* codes = static_cast<int8_t*>(scratch) + s.part[1];
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_setup_convert_nc_f32_qd8(s.op.get(), node.in(0).as<float>(), codes, params)));
  return check_xnn(xnn_setup_fully_connected_nc_qd8_f32_qc8w(s.second.get(), codes,
                                                             node.out(0).as_mutable<float>(), params));
}

Status create_dynamic(const NodeView& node, const Product& p, XnnState& s) {
  PackBuffer widened_b;
  SignedWeights w;
  if (!read_signed_weights(node.in(1), p.channel_axis(), p.n, &w)) return decline("weights do not fit i8");
  const float* b = node.has(2) ? as_f32(node.in(2), widened_b) : nullptr;
  if (node.has(2) && b == nullptr) return check_xnn(xnn_status_out_of_memory);
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_convert_nc_f32_qd8(0, s.op.put())));
  return check_xnn(xnn_create_fully_connected_nc_qd8_f32_qc8w(p.k, p.n, p.k, p.n, w.scales, w.codes, b,
                                                              p.clamp_min, p.clamp_max, p.flags(), nullptr,
                                                              nullptr, s.second.put()));
}

Status lower_dynamic(const NodeView& node, const Product& p, Lowering& low, XnnState& s) {
  if (!s.second) PITH_RETURN_IF_ERROR(create_dynamic(node, p, s));
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_convert_nc_f32_qd8(s.op.get(), p.rows, p.k, p.k, p.k, low.threads())));
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_fully_connected_nc_qd8_f32_qc8w(s.second.get(), p.rows, low.threads())));
  constexpr size_t kOverRead = 128;  // kernels read whole vectors of codes
  s.part[0] = 0;
  s.part[1] = align_scratch((p.rows + XNN_EXTRA_QUANTIZATION_PARAMS) * sizeof(xnn_quantization_params));
  return low.done("xnn_fully_connected_qd8_f32_qc8w", bind_dynamic,
                  s.part[1] + align_scratch(p.rows * p.k + kOverRead));
}

template <auto kReshape>
Status finish(const Product& p, Lowering& low, XnnState& s, const char* name, BindFn bind) {
  PITH_RETURN_IF_ERROR(check_xnn(kReshape(s.op.get(), p.rows, low.threads())));
  return low.done(name, bind);
}

}  // namespace

Status lower_product(const NodeView& node, const Product& p, Lowering& low) {
  const TensorView &x = node.in(0), &w = node.in(1), &y = node.out(0);
  if (!w.has_value || (node.has(2) && !node.in(2).has_value)) return decline("weights are not constant");
  if (node.has(2) && node.in(2).count() != static_cast<int64_t>(p.n)) return decline("bias of another size");
  if (!is_clamp(p.clamp_min, p.clamp_max)) return decline("empty clamp range");
  XnnState& s = low.packed_state({1, 2});
  const bool f32_bias = !node.has(2) || is_f32_like(node.in(2).dtype);
  if (x.dtype == DType::f32 && y.dtype == DType::f32 && f32_bias) {
    if (!is_float(w.dtype)) return lower_dynamic(node, p, low, s);
    if (!is_f32_like(w.dtype)) return decline("no kernel for these weights");
    if (!s.op) PITH_RETURN_IF_ERROR(create_f32(node, p, &s.op));
    return finish<xnn_reshape_fully_connected_nc_f32>(p, low, s, "xnn_fully_connected_f32",
                                                      bind_product<xnn_setup_fully_connected_nc_f32, float>);
  }
  Codes xq, yq;
  if (!read_codes(x, &xq) || !read_codes(y, &yq) || !is_accumulator_bias(node, 2, p.n))
    return decline("no kernel for these element types or quantizations");
  if (!s.op) PITH_RETURN_IF_ERROR(create_codes(node, p, xq, yq, s));
  if (s.runs_signed) {
    shift_unsigned(node, s);
    return finish<xnn_reshape_fully_connected_nc_qs8_qc8w>(
        p, low, s, "xnn_fully_connected_qs8_qc8w",
        bind_product<xnn_setup_fully_connected_nc_qs8_qc8w, int8_t>);
  }
  return finish<xnn_reshape_fully_connected_nc_qu8>(p, low, s, "xnn_fully_connected_qu8",
                                                    bind_product<xnn_setup_fully_connected_nc_qu8, uint8_t>);
}

Status lower_fully_connected(const NodeView& node, Lowering& low) {
  const auto& o = node.opt<schema::FullyConnectedOptions>();
  const Shape &x = node.in(0).shape, &w = node.in(1).shape;
  if (x.rank() < 1 || w.rank() != 2 || w[1] != x[x.rank() - 1]) return decline("weights of another shape");
  Product p;
  p.rows = product(x, 0, x.rank() - 1), p.k = dim(w, 1), p.n = dim(w, 0);
  p.clamp_min = o.clamp_min(), p.clamp_max = o.clamp_max();
  return lower_product(node, p, low);
}

}  // namespace pith
