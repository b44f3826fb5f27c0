// Window attributes of ONNX, automatic padding worked out.
#include "converter/ops/window_attributes.h"

#include <algorithm>

namespace pith {
namespace {
constexpr int64_t kMaxCount = 1 << 20;  // as the runtime checks
constexpr int64_t kMaxSpatialDim = INT32_MAX;

Status to_counts(ImportContext& c, const char* name, int64_t lowest, const std::vector<int64_t>& values,
                 std::vector<uint32_t>* out) {
  out->clear();
  for (int64_t v : values) {
    if (v < lowest || v > kMaxCount)
      return c.malformed(format("attribute %s holds %lld; it must be %lld to %lld", name,
                                static_cast<long long>(v), static_cast<long long>(lowest),
                                static_cast<long long>(kMaxCount)));
    out->push_back(static_cast<uint32_t>(v));
  }
  return Status::ok();
}

// SAME_*: as many outputs as inputs / stride, rounded up.
Status same_pads(ImportContext& c, const ir::Value* x, bool upper, WindowAttributes* w) {
  const size_t rank = w->kernel.size();
  w->pads.assign(2 * rank, 0);
  for (size_t d = 0; d < rank; ++d) {
    const int64_t stride = w->strides.empty() ? 1 : w->strides[d];
    const int64_t reach = (int64_t{w->kernel[d]} - 1) * (w->dilations.empty() ? 1 : w->dilations[d]) + 1;
    const int64_t in =
        x->shape.rank() == static_cast<int>(rank) + 2 ? x->shape[static_cast<int>(d) + 2] : kUnknownDim;
    if (in < 0 && stride != 1)
      return c.unsupported("auto_pad needs the size of every spatial dim, and one is unknown",
                           "fix it with --shape");
    if (in > kMaxSpatialDim) return c.unsupported("a spatial dim is above 2^31");
    const int64_t total = in < 0 ? reach - 1 : ((in + stride - 1) / stride - 1) * stride + reach - in;
    const int64_t small = std::max<int64_t>(total, 0) / 2, large = std::max<int64_t>(total, 0) - small;
    if (large > kMaxCount) return c.malformed("auto_pad needs more padding than is supported");
    w->pads[d] = static_cast<uint32_t>(upper ? small : large);
    w->pads[d + rank] = static_cast<uint32_t>(upper ? large : small);
  }
  return Status::ok();
}
}  // namespace

Status need_inputs(ImportContext& c, std::initializer_list<size_t> inputs) {
  for (size_t i : inputs)
    if (!c.has(i)) return c.malformed(format("input %zu is missing", i));
  return Status::ok();
}

ir::Value* to_channels_last(ImportContext& c, ir::Value* x, int rank) {
  std::vector<uint32_t> perm{0};
  for (int d = 2; d < rank; ++d) perm.push_back(static_cast<uint32_t>(d));
  perm.push_back(1);
  return c.transpose(x, perm);
}

ir::Value* to_channels_first(ImportContext& c, ir::Value* x, int rank) {
  std::vector<uint32_t> perm{0, static_cast<uint32_t>(rank - 1)};
  for (int d = 1; d + 1 < rank; ++d) perm.push_back(static_cast<uint32_t>(d));
  return c.transpose(x, perm);
}

bool is_constant_weight(const ir::Value* v) {
  if (v->is_constant()) return true;
  const ir::Node* dq = v->producer;
  return dq != nullptr && dq->is(schema::Op::DequantizeOptions) && dq->in(0)->is_constant();
}

ir::Value* permute_weights(ImportContext& c, ir::Value* w, const std::vector<uint32_t>& perm) {
  ir::Node* dq = w->producer;
  const auto* o = dq == nullptr ? nullptr : dq->as<schema::DequantizeOptionsT>();
  const int rank = static_cast<int>(perm.size());
  if (o == nullptr || o->block != 0 || !dq->in(0)->is_constant() || bits_of(dq->in(0)->dtype) < 8 ||
      w->shape.rank() != rank)
    return c.transpose(w, perm);
  schema::DequantizeOptionsT moved = *o;
  const int axis = o->axis < 0 ? o->axis + rank : o->axis;
  for (int d = 0; d < rank; ++d)
    if (static_cast<int>(perm[static_cast<size_t>(d)]) == axis) moved.axis = d;
  std::vector<ir::Value*> inputs = dq->inputs;
  inputs[0] = c.transpose(inputs[0], perm);
  return c.emit(moved, std::move(inputs));
}

Status read_counts(ImportContext& c, const char* name, int64_t lowest, std::vector<uint32_t>* out) {
  return to_counts(c, name, lowest, c.attr_ints(name), out);
}

Status read_window(ImportContext& c, const ir::Value* x, std::vector<int64_t> kernel, WindowAttributes* out) {
  const std::vector<int64_t> given = c.attr_ints("kernel_shape");
  if (kernel.empty()) kernel = given;
  if (kernel.empty()) return c.malformed("attribute kernel_shape is missing");
  if (!given.empty() && given != kernel)
    return c.malformed("kernel_shape differs from the shape of the weights");
  PITH_RETURN_IF_ERROR(to_counts(c, "kernel_shape", 1, kernel, &out->kernel));
  PITH_RETURN_IF_ERROR(read_counts(c, "strides", 1, &out->strides));
  PITH_RETURN_IF_ERROR(read_counts(c, "dilations", 1, &out->dilations));
  const size_t rank = kernel.size();
  if ((!out->strides.empty() && out->strides.size() != rank) ||
      (!out->dilations.empty() && out->dilations.size() != rank))
    return c.malformed("strides or dilations do not have one number per spatial dim");
  const std::string mode = c.attr_string("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") return same_pads(c, x, mode == "SAME_UPPER", out);
  if (mode == "VALID") return Status::ok();
  if (mode != "NOTSET" && !mode.empty()) return c.malformed("auto_pad is '" + mode + "'");
  PITH_RETURN_IF_ERROR(read_counts(c, "pads", 0, &out->pads));
  if (!out->pads.empty() && out->pads.size() != 2 * rank)
    return c.malformed("pads does not have two numbers per spatial dim");
  return Status::ok();
}

Status apply_activation(ImportContext& c, ir::Value** y) {
  using enum schema::UnaryKind;
  const std::string kind = c.attr_string("activation", "");
  const std::vector<float> p = c.attr_floats("activation_params");
  const auto param = [&](size_t i, float otherwise) { return i < p.size() ? p[i] : otherwise; };
  if (kind.empty()) return Status::ok();
  if (kind == "Relu")
    *y = c.unary(relu, *y);
  else if (kind == "Sigmoid")
    *y = c.unary(sigmoid, *y);
  else if (kind == "Tanh")
    *y = c.unary(tanh, *y);
  else if (kind == "LeakyRelu")
    *y = c.unary(leaky_relu, *y, param(0, c.attr_float("leaky_relu_alpha", 0.01f)));
  else if (kind == "Clip")
    *y = c.unary(clip, *y, param(0, -3.4028235e38f), param(1, 3.4028235e38f));
  else if (kind == "HardSigmoid")
    *y = c.unary(hard_sigmoid, *y, param(0, 0.2f), param(1, 0.5f));
  else
    return c.unsupported("activation '" + kind + "' cannot be fused");
  return Status::ok();
}

}  // namespace pith
