// Pooling, 1-D and 2-D, channels-last: max of f32, i8, u8; average of f32.
// XNNPACK's average divides by all elements of the window where there is no padding at all, else by the ones
// inside x: count_include_pad is taken only without padding. Its maximum repeats border elements instead of
// padding, which is right as long as every window holds an element of x and there is no dilation.
#include <cmath>

#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/backends/xnnpack/xnn_quant.h"
#include "runtime/backends/xnnpack/xnn_window.h"

namespace pith {
namespace {

// ceil_mode may add a window that begins inside x but ends beyond the padding: seen as more padding at the
// end.
bool extend_to(size_t in, size_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t begin,
               uint32_t* end) {
  const uint64_t last = uint64_t{out - 1} * stride;  // where the last window begins, padding included
  const uint64_t need = last + uint64_t{kernel - 1} * dilation + 1;
  const uint64_t have = uint64_t{in} + begin + *end;
  if (need > have) *end += static_cast<uint32_t>(need - have);
  // Also true for every window between: begins before the end of x, ends after its start.
  return last < uint64_t{in} + begin && begin < kernel && *end < kernel && need + stride > have;
}

Status read_window(const NodeView& node, Window* win) {
  const auto& o = node.opt<schema::PoolOptions>();
  const Shape &x = node.in(0).shape, &y = node.out(0).shape;
  const auto* k = o.kernel();
  const auto kernel = [&](int i) -> int64_t {
    return k == nullptr || static_cast<uint32_t>(i) >= k->size() ? 0 : k->Get(static_cast<uint32_t>(i));
  };
  if (!make_window(x, kernel, o.strides(), o.pads(), o.dilations(), win))
    return decline("3-D or very large window");
  if (win->kernel_h * win->kernel_w == 1) return decline("window of one element");
  if ((win->dilation_h | win->dilation_w) != 1) return decline("dilated window");
  const size_t out_h = x.rank() == 4 ? dim(y, 1) : 1, out_w = dim(y, x.rank() - 2);
  if (!extend_to(win->h, out_h, win->kernel_h, win->stride_h, win->dilation_h, win->top, &win->bottom) ||
      !extend_to(win->w, out_w, win->kernel_w, win->stride_w, win->dilation_w, win->left, &win->right))
    return decline("a window outside the input");
  return Status::ok();
}

template <auto kSetup, class T>
Status bind_max(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  return check_xnn(
      kSetup(static_cast<XnnState*>(state)->op.get(), node.in(0).as<T>(), node.out(0).as_mutable<T>()));
}

template <auto kCreate, auto kReshape, auto kSetup, class T>
Status lower_max(const NodeView& node, const Window& win, Lowering& low, T lo, T hi, const char* name) {
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(
      check_xnn(kCreate(win.top, win.right, win.bottom, win.left, win.kernel_h, win.kernel_w, win.stride_h,
                        win.stride_w, win.dilation_h, win.dilation_w, lo, hi, 0, s.op.put())));
  size_t h = 0, w = 0;
  PITH_RETURN_IF_ERROR(
      check_xnn(kReshape(s.op.get(), win.n, win.h, win.w, win.c, win.c, win.c, &h, &w, low.threads())));
  if (!same_spatial(node.out(0).shape, h, w)) return decline("output size differs from its own rule");
  return low.done(name, bind_max<kSetup, T>);
}

Status bind_average(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  return check_xnn(xnn_setup_average_pooling2d_nhwc_f32(static_cast<XnnState*>(state)->op.get(), scratch,
                                                        node.in(0).as<float>(),
                                                        node.out(0).as_mutable<float>()));
}

Status lower_average(const NodeView& node, const Window& win, Lowering& low) {
  if (node.in(0).dtype != DType::f32) return decline("average of f32 only");
  if (win.any_padding() && node.opt<schema::PoolOptions>().count_include_pad())
    return decline("average that counts padding");
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_average_pooling2d_nhwc_f32(
      win.top, win.right, win.bottom, win.left, win.kernel_h, win.kernel_w, win.stride_h, win.stride_w,
      -INFINITY, INFINITY, 0, s.op.put())));
  size_t h = 0, w = 0, bytes = 0, alignment = 0;
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_average_pooling2d_nhwc_f32(
      s.op.get(), win.n, win.h, win.w, win.c, win.c, win.c, &bytes, &alignment, &h, &w, low.threads())));
  if (!same_spatial(node.out(0).shape, h, w)) return decline("output size differs from its own rule");
  return low.done("xnn_average_pool_f32", bind_average, bytes);
}

bool same_quantization(const TensorView& x, const TensorView& y) {
  if (x.quant.empty() && y.quant.empty()) return true;
  Codes a, b;
  return read_codes(x, &a) && read_codes(y, &b) && a.scale == b.scale && a.zero == b.zero;
}

}  // namespace

Status lower_pool(const NodeView& node, Lowering& low) {
  const auto& o = node.opt<schema::PoolOptions>();
  if (node.has_out(1)) return decline("indices wanted");
  const TensorView &x = node.in(0), &y = node.out(0);
  if (x.dtype != y.dtype) return decline("different element types");
  Window win;
  PITH_RETURN_IF_ERROR(read_window(node, &win));
  if (o.kind() == schema::PoolKind::average) return lower_average(node, win, low);
  if (o.kind() != schema::PoolKind::max) return decline("no such pooling");
  if (x.dtype == DType::f32)
    return lower_max<xnn_create_max_pooling2d_nhwc_f32, xnn_reshape_max_pooling2d_nhwc_f32,
                     xnn_setup_max_pooling2d_nhwc_f32, float>(node, win, low, -INFINITY, INFINITY,
                                                              "xnn_max_pool_f32");
  if (!same_quantization(x, y)) return decline("input and output quantized differently");
  if (x.dtype == DType::i8)
    return lower_max<xnn_create_max_pooling2d_nhwc_s8, xnn_reshape_max_pooling2d_nhwc_s8,
                     xnn_setup_max_pooling2d_nhwc_s8, int8_t>(node, win, low, -128, 127, "xnn_max_pool_s8");
  if (x.dtype == DType::u8)
    return lower_max<xnn_create_max_pooling2d_nhwc_u8, xnn_reshape_max_pooling2d_nhwc_u8,
                     xnn_setup_max_pooling2d_nhwc_u8, uint8_t>(node, win, low, 0, 255, "xnn_max_pool_u8");
  return decline("no kernel for this element type");
}

}  // namespace pith
