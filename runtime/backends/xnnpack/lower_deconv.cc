// Transposed convolution, 1-D and 2-D, channels-last: f32, i8 with i8 weights per channel, u8 with u8
// weights. Weights [O, kh, kw, C/groups] with O counting all groups are XNNPACK's own layout.
#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/backends/xnnpack/xnn_quant.h"
#include "runtime/backends/xnnpack/xnn_window.h"

namespace pith {
namespace {

struct DeconvShape {
  Window win;
  uint32_t groups = 1;
  size_t in_per_group = 0, out_per_group = 0;
  uint32_t extra_h = 0, extra_w = 0;  // output_pads
  float clamp_min = 0, clamp_max = 0;
  size_t outputs() const { return groups * out_per_group; }
};

Status read_shape(const NodeView& node, DeconvShape* s) {
  const auto& o = node.opt<schema::ConvTransposeOptions>();
  const Shape &x = node.in(0).shape, &w = node.in(1).shape;
  if (x.rank() != w.rank()) return decline("weights of another rank");
  const auto kernel = [&](int i) { return w[i + 1]; };
  if (!make_window(x, kernel, o.strides(), o.pads(), o.dilations(), &s->win))
    return decline("3-D or very large window");
  s->groups = o.groups();
  if (s->groups == 0 || dim(w, 0) % s->groups != 0 || s->win.c % s->groups != 0)
    return decline("channels do not divide into groups");
  s->in_per_group = s->win.c / s->groups;
  s->out_per_group = dim(w, 0) / s->groups;
  if (s->in_per_group != dim(w, w.rank() - 1)) return decline("weights of another shape");
  if (const auto* extra = o.output_pads(); extra != nullptr && extra->size() > 0) {
    s->extra_w = extra->Get(extra->size() - 1);
    if (x.rank() == 4 && extra->size() > 1) s->extra_h = extra->Get(0);
  }
  // XNNPACK's adjustment must be smaller than the stride.
  if (s->extra_h >= s->win.stride_h || s->extra_w >= s->win.stride_w)
    return decline("output padding as large as the stride");
  s->clamp_min = o.clamp_min(), s->clamp_max = o.clamp_max();
  return is_clamp(s->clamp_min, s->clamp_max) ? Status::ok() : decline("empty clamp range");
}

#define PITH_DECONV_GEOMETRY(s)                                                                 \
  (s).win.top, (s).win.right, (s).win.bottom, (s).win.left, (s).win.kernel_h, (s).win.kernel_w, \
      (s).win.stride_h, (s).win.stride_w, (s).win.dilation_h, (s).win.dilation_w, (s).groups,   \
      (s).in_per_group, (s).out_per_group, (s).win.c, (s).outputs()

Status create_f32(const NodeView& node, const DeconvShape& s, XnnOperator* op) {
  PackBuffer widened_w, widened_b;
  const float* w = as_f32(node.in(1), widened_w);
  const float* b = node.has(2) ? as_f32(node.in(2), widened_b) : nullptr;
  if (w == nullptr || (node.has(2) && b == nullptr)) return check_xnn(xnn_status_out_of_memory);
  return check_xnn(xnn_create_deconvolution2d_nhwc_f32(PITH_DECONV_GEOMETRY(s), w, b, s.clamp_min,
                                                       s.clamp_max, 0, nullptr, nullptr, op->put()));
}

Status create_qs8(const NodeView& node, const DeconvShape& s, const SignedWeights& w, const Codes& x,
                  const Codes& y, XnnOperator* op) {
  CodeRange range{};
  if (!clamp_codes(y, s.clamp_min, s.clamp_max, &range)) return decline("empty clamp range");
  return check_xnn(xnn_create_deconvolution2d_nhwc_qs8_qc8w(
      PITH_DECONV_GEOMETRY(s), static_cast<int8_t>(x.zero), x.scale, w.scales, w.codes,
      node.has(2) ? node.in(2).as<int32_t>() : nullptr, static_cast<int8_t>(y.zero), y.scale,
      static_cast<int8_t>(range.lo), static_cast<int8_t>(range.hi), 0, nullptr, nullptr, op->put()));
}

Status create_qu8(const NodeView& node, const DeconvShape& s, const Codes& x, const Codes& y,
                  XnnOperator* op) {
  Codes w;
  if (!read_codes(node.in(1), &w) || w.dtype != DType::u8)
    return decline("weights are not u8 with one zero point");
  CodeRange range{};
  if (!clamp_codes(y, s.clamp_min, s.clamp_max, &range)) return decline("empty clamp range");
  return check_xnn(xnn_create_deconvolution2d_nhwc_qu8(
      PITH_DECONV_GEOMETRY(s), static_cast<uint8_t>(x.zero), x.scale, static_cast<uint8_t>(w.zero), w.scale,
      node.in(1).as<uint8_t>(), node.has(2) ? node.in(2).as<int32_t>() : nullptr,
      static_cast<uint8_t>(y.zero), y.scale, static_cast<uint8_t>(range.lo), static_cast<uint8_t>(range.hi),
      0, nullptr, nullptr, op->put()));
}
#undef PITH_DECONV_GEOMETRY

Status create_codes(const NodeView& node, const DeconvShape& s, const Codes& x, const Codes& y,
                    XnnState& state) {
  SignedWeights w;
  if (read_signed_weights(node.in(1), 0, s.outputs(), &w)) {
    state.runs_signed = true;
    return create_qs8(node, s, w, as_signed(x), as_signed(y), &state.op);
  }
  if (x.dtype != DType::u8 || y.dtype != DType::u8) return decline("weights do not fit i8");
  return create_qu8(node, s, x, y, &state.op);
}

template <auto kSetup, class T>
Status bind_deconv(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  const auto& s = *static_cast<const XnnState*>(state);
  return check_xnn(
      kSetup(s.op.get(), static_cast<const T*>(s.input(node, scratch)), node.out(0).as_mutable<T>()));
}

using ReshapeFn = decltype(&xnn_reshape_deconvolution2d_nhwc_f32);

Status finish(const NodeView& node, Lowering& low, XnnState& state, const DeconvShape& s, ReshapeFn reshape,
              const char* name, BindFn bind) {
  size_t h = 0, w = 0;
  PITH_RETURN_IF_ERROR(check_xnn(
      reshape(state.op.get(), s.win.n, s.win.h, s.win.w, s.extra_h, s.extra_w, &h, &w, low.threads())));
  if (!same_spatial(node.out(0).shape, h, w)) return decline("output size differs from its own rule");
  return low.done(name, bind);
}

}  // namespace

Status lower_deconv(const NodeView& node, Lowering& low) {
  DeconvShape s;
  PITH_RETURN_IF_ERROR(read_shape(node, &s));
  const TensorView &x = node.in(0), &w = node.in(1), &y = node.out(0);
  if (!w.has_value || (node.has(2) && !node.in(2).has_value)) return decline("weights are not constant");
  if (node.has(2) && node.in(2).count() != static_cast<int64_t>(s.outputs()))
    return decline("bias of another size");
  XnnState& state = low.packed_state({1, 2});
  if (x.dtype == DType::f32 && y.dtype == DType::f32 && is_f32_like(w.dtype) &&
      (!node.has(2) || is_f32_like(node.in(2).dtype))) {
    if (!state.op) PITH_RETURN_IF_ERROR(create_f32(node, s, &state.op));
    return finish(node, low, state, s, xnn_reshape_deconvolution2d_nhwc_f32, "xnn_deconv_f32",
                  bind_deconv<xnn_setup_deconvolution2d_nhwc_f32, float>);
  }
  Codes xq, yq;
  if (!read_codes(x, &xq) || !read_codes(y, &yq) || !is_accumulator_bias(node, 2, s.outputs()))
    return decline("no kernel for these element types or quantizations");
  if (!state.op) PITH_RETURN_IF_ERROR(create_codes(node, s, xq, yq, state));
  if (state.runs_signed) {
    shift_unsigned(node, state);
    return finish(node, low, state, s, xnn_reshape_deconvolution2d_nhwc_qs8_qc8w, "xnn_deconv_qs8_qc8w",
                  bind_deconv<xnn_setup_deconvolution2d_nhwc_qs8_qc8w, int8_t>);
  }
  return finish(node, low, state, s, xnn_reshape_deconvolution2d_nhwc_qu8, "xnn_deconv_qu8",
                bind_deconv<xnn_setup_deconvolution2d_nhwc_qu8, uint8_t>);
}

}  // namespace pith
