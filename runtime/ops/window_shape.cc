// Window arithmetic with every value bounded before it is used.
#include "runtime/ops/window_shape.h"

#include "runtime/ops/infer_helpers.h"

namespace pith {

Status expect_window_values(const NodeView& node, const char* what, const DimList* list, uint32_t lowest) {
  if (list == nullptr) return Status::ok();
  for (uint32_t v : *list)
    if (v < lowest || v > kMaxWindowValue)
      return node_error(node, Code::bad_file,
                        format("%s holds %u; it must be %u to %lld", what, v, lowest,
                               static_cast<long long>(kMaxWindowValue)));
  return Status::ok();
}

Status expect_window_length(const NodeView& node, const char* what, const DimList* list, uint32_t length) {
  if (list == nullptr || list->size() == 0 || list->size() == length) return Status::ok();
  return node_error(node, Code::bad_file,
                    format("%s has %u values; expected %u", what, list->size(), length));
}

Status check_window(const NodeView& node, const WindowOptions& o) {
  PITH_RETURN_IF_ERROR(expect_window_values(node, "strides", o.strides, 1));
  PITH_RETURN_IF_ERROR(expect_window_values(node, "dilations", o.dilations, 1));
  return expect_window_values(node, "pads", o.pads, 0);
}

Status spatial_dims(const NodeView& node, const TensorView& t, const char* role, Shape* out) {
  if (t.shape.rank() < 3 || t.shape.rank() > 5)
    return node_error(node, Code::unsupported,
                      format("%s '%s' must have 1 to 3 spatial dims, found shape %s", role, t.name,
                             t.shape.text().c_str()));
  *out = Shape();
  for (int d = 1; d + 1 < t.shape.rank(); ++d) {
    if (t.shape[d] > INT32_MAX)
      return node_error(node, Code::unsupported, format("%s '%s' has a dim above 2^31", role, t.name));
    out->push_back(t.shape[d]);
  }
  return Status::ok();
}

Status window_output(const NodeView& node, const WindowOptions& o, const Shape& in, const Shape& kernel,
                     Shape* out) {
  const int rank = in.rank();
  PITH_RETURN_IF_ERROR(expect_window_length(node, "strides", o.strides, static_cast<uint32_t>(rank)));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "dilations", o.dilations, static_cast<uint32_t>(rank)));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "pads", o.pads, static_cast<uint32_t>(2 * rank)));
  *out = Shape();
  for (int d = 0; d < rank; ++d) {
    if (kernel[d] > kMaxWindowValue || kernel[d] == 0)
      return node_error(node, Code::bad_file,
                        format("the kernel size %lld is out of range", static_cast<long long>(kernel[d])));
    if (in[d] < 0 || kernel[d] < 0) {
      out->push_back(kUnknownDim);
      continue;
    }
    const int64_t begin = window_value(o.pads, d, 0), end = window_value(o.pads, d + rank, 0);
    const int64_t stride = window_value(o.strides, d, 1);
    const int64_t reach = (kernel[d] - 1) * window_value(o.dilations, d, 1) + 1;
    const int64_t room = in[d] + begin + end - reach;
    if (room < 0)
      return node_error(
          node, Code::bad_file,
          format("the window covers %lld inputs of spatial dim %d, which has %lld with padding",
                 static_cast<long long>(reach), d, static_cast<long long>(in[d] + begin + end)));
    int64_t size = (o.ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
    if (o.ceil_mode && size > 1 && (size - 1) * stride >= in[d] + begin) --size;
    out->push_back(size);
  }
  return Status::ok();
}

kernels::Window window_of(const WindowOptions& o, const Shape& in, const Shape& kernel, const Shape& out) {
  kernels::Window w{};
  const int rank = in.rank(), skipped = 3 - rank;
  for (int i = 0; i < 3; ++i) {
    const int d = i - skipped;
    w.in[i] = w.out[i] = w.kernel[i] = w.stride[i] = w.dilation[i] = 1;
    if (d < 0) continue;
    w.in[i] = in[d];
    w.out[i] = out[d];
    w.kernel[i] = kernel[d];
    w.stride[i] = window_value(o.strides, d, 1);
    w.dilation[i] = window_value(o.dilations, d, 1);
    w.pad[i] = window_value(o.pads, d, 0);
    w.pad_end[i] = window_value(o.pads, d + rank, 0);
  }
  return w;
}

Status expect_conv_weights(const NodeView& node, uint32_t groups, size_t bias) {
  const Shape &x = node.in(0).shape, &w = node.in(1).shape;
  const int64_t outputs = w[0], depth = w[w.rank() - 1], channels = x[x.rank() - 1];
  if (x.rank() != w.rank() || (outputs >= 0 && outputs % groups != 0) ||
      (depth >= 0 && channels >= 0 && dim_mul(depth, groups) != channels))
    return node_error(node, Code::bad_file,
                      format("weights %s do not fit input %s in %u groups (channels last)", w.text().c_str(),
                             x.text().c_str(), groups));
  if (node.has(bias) && node.in(bias).shape.is_known() && outputs >= 0 &&
      (node.in(bias).shape.rank() != 1 || node.in(bias).shape[0] != outputs))
    return node_error(node, Code::bad_file,
                      format("bias must be [%lld], found %s", static_cast<long long>(outputs),
                             node.in(bias).shape.text().c_str()));
  return Status::ok();
}

Status infer_conv(const NodeView& node, const WindowOptions& o, uint32_t groups, size_t bias) {
  const TensorView &x = node.in(0), &w = node.in(1);
  const DType dtype = node.out(0).dtype;
  if (!x.shape.has_rank() || !w.shape.has_rank()) {
    set_output(node, 0, dtype, Shape::unknown_rank());
    return Status::ok();
  }
  Shape in, kernel, spatial;
  PITH_RETURN_IF_ERROR(spatial_dims(node, x, "input", &in));
  PITH_RETURN_IF_ERROR(spatial_dims(node, w, "weights", &kernel));
  PITH_RETURN_IF_ERROR(expect_conv_weights(node, groups, bias));
  PITH_RETURN_IF_ERROR(window_output(node, o, in, kernel, &spatial));
  Shape y{x.shape[0]};
  for (int64_t d : spatial.dims()) y.push_back(d);
  y.push_back(w.shape[0]);
  set_output(node, 0, dtype, y);
  return Status::ok();
}

kernels::Window conv_window(const NodeView& node, const WindowOptions& o) {
  Shape in, kernel, out;
  for (int d = 1; d + 1 < node.in(0).shape.rank(); ++d) {
    in.push_back(node.in(0).shape[d]);
    kernel.push_back(node.in(1).shape[d]);
    out.push_back(node.out(0).shape[d]);
  }
  return window_of(o, in, kernel, out);
}

}  // namespace pith
