// Bilinear resize of x[N,H,W,C], f32: its 8-bit kernels round ties up, ours to even. Coordinates of an output
// pixel i in XNNPACK, with s = in / out:
//   default: clamp((i + 0.5) s - 0.5, 0, in - 1)   half_pixel: beyond the border both neighbours are the
//   border legacy:  i s                                   asymmetric align:   i (in - 1) / (out - 1), 0 if
//   out = 1  align_corners
#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

struct ResizeShape {
  size_t n, h, w, c, out_h, out_w;
  uint32_t flags = 0;
};

// Without given sizes the scales decide, and in / out must then be what they say, exactly.
bool scales_agree(const NodeView& node, size_t h, size_t w, size_t out_h, size_t out_w) {
  if (node.has(3) && node.in(3).count() > 0) return true;
  if (!node.has(2) || !node.in(2).has_value || node.in(2).dtype != DType::f32) return false;
  const TensorView& scales = node.in(2);
  const auto* axes = node.opt<schema::ResizeOptions>().axes();
  for (int64_t i = 0; i < scales.count(); ++i) {
    const double scale = static_cast<double>(scales.as<float>()[i]);
    int64_t axis = i;
    if (axes != nullptr && axes->size() > 0) {
      if (i >= static_cast<int64_t>(axes->size())) return false;
      axis = axes->Get(static_cast<uint32_t>(i));
      if (axis < 0) axis += 4;
    }
    const double in = axis == 1 ? static_cast<double>(h) : axis == 2 ? static_cast<double>(w) : 1;
    const double out = axis == 1 ? static_cast<double>(out_h) : axis == 2 ? static_cast<double>(out_w) : 1;
    if (in * scale != out) return false;
  }
  return true;
}

bool read_coordinates(const NodeView& node, ResizeShape* r) {
  using schema::ResizeCoordinates;
  switch (node.opt<schema::ResizeOptions>().coordinates()) {
    case ResizeCoordinates::half_pixel:
      return true;
    case ResizeCoordinates::pytorch_half_pixel:  // differs only where one pixel comes out
      return r->out_h > 1 && r->out_w > 1;
    case ResizeCoordinates::align_corners:
      r->flags = XNN_FLAG_ALIGN_CORNERS;
      return true;
    case ResizeCoordinates::asymmetric:
      r->flags = XNN_FLAG_TENSORFLOW_LEGACY_MODE;
      return true;
    default:
      return false;
  }
}

Status read_resize(const NodeView& node, ResizeShape* r) {
  const auto& o = node.opt<schema::ResizeOptions>();
  const TensorView &x = node.in(0), &y = node.out(0);
  if (o.mode() != schema::ResizeMode::linear || o.antialias() || o.exclude_outside() ||
      o.aspect() != schema::ResizeAspect::stretch)
    return decline("not a plain bilinear resize");
  if (x.shape.rank() != 4 || x.shape[0] != y.shape[0] || x.shape[3] != y.shape[3])
    return decline("not over the middle dims of [N,H,W,C]");
  *r = {dim(x.shape, 0), dim(x.shape, 1), dim(x.shape, 2), dim(x.shape, 3), dim(y.shape, 1), dim(y.shape, 2)};
  constexpr size_t kMaxSide = 1 << 20;  // coordinates are computed in f32
  if (r->h > kMaxSide || r->w > kMaxSide || r->out_h > kMaxSide || r->out_w > kMaxSide)
    return decline("very large picture");
  if (!read_coordinates(node, r)) return decline("other coordinates");
  if (!scales_agree(node, r->h, r->w, r->out_h, r->out_w)) return decline("scales do not give whole sizes");
  return Status::ok();
}

Status bind_resize(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  return check_xnn(xnn_setup_resize_bilinear2d_nhwc_f32(static_cast<XnnState*>(state)->op.get(), scratch,
                                                        node.in(0).as<float>(),
                                                        node.out(0).as_mutable<float>()));
}

}  // namespace

Status lower_resize(const NodeView& node, Lowering& low) {
  if (node.in(0).dtype != DType::f32 || node.out(0).dtype != DType::f32) return decline("f32 only");
  ResizeShape r{};
  PITH_RETURN_IF_ERROR(read_resize(node, &r));
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_create_resize_bilinear2d_nhwc_f32(r.out_h, r.out_w, r.flags, s.op.put())));
  size_t bytes = 0, alignment = 0;
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_resize_bilinear2d_nhwc_f32(
      s.op.get(), r.n, r.h, r.w, r.c, r.c, r.c, &bytes, &alignment, low.threads())));
  return low.done("xnn_resize_f32", bind_resize, bytes);
}

}  // namespace pith
