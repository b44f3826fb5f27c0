// Import of Conv, ConvTranspose, ConvInteger and com.microsoft FusedConv: Transpose to channels last, the
// operator, Transpose back. Neighbouring transposes cancel in move_transposes.
#include <algorithm>

#include "converter/ops/window_attributes.h"

namespace pith {
namespace {

Status spatial_kernel(ImportContext& c, std::vector<int64_t>* kernel) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0, 1}));
  const Shape& w = c.in(1)->shape;
  if (w.rank() < 3 || w.rank() > 5 || w.count() < 0)
    return c.unsupported("weights have shape " + w.text() + "; it must be known, with 1 to 3 spatial dims");
  for (int d = 2; d < w.rank(); ++d) kernel->push_back(w[d]);
  return Status::ok();
}

Status read_groups(ImportContext& c, uint32_t* groups) {
  const int64_t group = c.attr_int("group", 1);
  if (group < 1 || group > (1 << 20)) return c.malformed("attribute group is out of range");
  *groups = static_cast<uint32_t>(group);
  return Status::ok();
}

template <class OptionsT>
Status read_conv(ImportContext& c, OptionsT* o) {
  std::vector<int64_t> kernel;
  PITH_RETURN_IF_ERROR(spatial_kernel(c, &kernel));
  WindowAttributes w;
  PITH_RETURN_IF_ERROR(read_window(c, c.in(0), kernel, &w));
  o->strides = w.strides, o->pads = w.pads, o->dilations = w.dilations;
  return read_groups(c, &o->groups);
}

std::vector<uint32_t> weights_last(int rank) {
  std::vector<uint32_t> perm{0};
  for (int d = 2; d < rank; ++d) perm.push_back(static_cast<uint32_t>(d));
  perm.push_back(1);
  return perm;
}

ir::Value* residual(ImportContext& c, ir::Value* y) {  // FusedConv's Z
  return c.has(3) ? c.binary(schema::BinaryKind::add, y, c.in(3)) : y;
}

Status import_conv(ImportContext& c) {
  schema::ConvOptionsT o;
  PITH_RETURN_IF_ERROR(read_conv(c, &o));
  const int rank = c.in(1)->shape.rank();
  ir::Value* x = to_channels_last(c, c.in(0), rank);
  ir::Value* w = permute_weights(c, c.in(1), weights_last(rank));
  std::vector<ir::Value*> inputs{x, w};
  if (c.has(2)) inputs.push_back(c.in(2));
  ir::Value* y = to_channels_first(c, c.emit(o, std::move(inputs)), rank);
  if (c.node().domain == "com.microsoft") {
    y = residual(c, y);
    PITH_RETURN_IF_ERROR(apply_activation(c, &y));
  }
  c.set_out(0, y);
  return Status::ok();
}

Status import_conv_integer(ImportContext& c) {
  schema::ConvIntegerOptionsT o;
  PITH_RETURN_IF_ERROR(read_conv(c, &o));
  const int rank = c.in(1)->shape.rank();
  ir::Value* x = to_channels_last(c, c.in(0), rank);
  ir::Value* y = c.emit(o, {x, c.transpose(c.in(1), weights_last(rank)), c.in(2), c.in(3)});
  c.set_out(0, to_channels_first(c, y, rank));
  return Status::ok();
}

// [C, O/G, k..] -> [O, k.., C/G]
ir::Value* transposed_weights(ImportContext& c, int64_t groups) {
  ir::Value* w = c.in(1);
  const Shape s = w->shape;
  std::vector<uint32_t> perm;
  if (groups == 1) {
    perm.push_back(1);
    for (int d = 2; d < s.rank(); ++d) perm.push_back(static_cast<uint32_t>(d));
    perm.push_back(0);
    return permute_weights(c, w, perm);
  }
  std::vector<int64_t> split{groups, s[0] / groups, s[1]}, joined{s[1] * groups};
  perm = {0, 2};
  for (int d = 2; d < s.rank(); ++d) {
    split.push_back(s[d]);
    joined.push_back(s[d]);
    perm.push_back(static_cast<uint32_t>(d + 1));
  }
  perm.push_back(1);
  joined.push_back(s[0] / groups);
  return c.reshape(c.transpose(c.reshape(w, split), perm), joined);
}

constexpr int64_t kMaxTaps = 1 << 20;  // of a kernel's dim, and of padding, as the runtime checks

// output_shape and auto_pad decide the pads: total = stride (in - 1) + output_padding + reach - out.
Status transpose_pads(ImportContext& c, const std::vector<int64_t>& kernel,
                      schema::ConvTransposeOptionsT* o) {
  std::vector<int64_t> wanted = c.attr_ints("output_shape");
  const std::string mode = c.attr_string("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  const size_t rank = kernel.size();
  if (wanted.size() > rank) wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(rank));
  if (wanted.empty() && !same) return Status::ok();
  o->pads.assign(2 * rank, 0);
  for (size_t d = 0; d < rank; ++d) {
    const int64_t in =
        c.in(0)->shape.rank() == static_cast<int>(rank) + 2 ? c.in(0)->shape[static_cast<int>(d) + 2] : -1;
    const int64_t stride = o->strides.empty() ? 1 : o->strides[d];
    const int64_t extra = o->output_pads.empty() ? 0 : o->output_pads[d];
    if (kernel[d] > kMaxTaps || in > INT32_MAX ||
        (!wanted.empty() && (wanted[d] < 0 || wanted[d] > INT32_MAX)))
      return c.malformed("kernel, input or output_shape is out of range");
    const int64_t reach = (kernel[d] - 1) * (o->dilations.empty() ? 1 : o->dilations[d]) + 1;
    if (in < 0 && !wanted.empty())
      return c.unsupported("output_shape needs the size of every spatial dim, and one is unknown",
                           "fix it with --shape");
    // SAME: out = in * stride, whatever `in` is.
    int64_t total = wanted.empty() ? reach - stride + extra : stride * (in - 1) + extra + reach - wanted[d];
    if (total > kMaxTaps || total < -kMaxTaps)
      return c.malformed("it would need more padding than is supported");
    if (total < 0) {  // more outputs than the taps reach: they hold the bias alone
      if (o->output_pads.empty()) o->output_pads.assign(rank, 0);
      o->output_pads[d] += static_cast<uint32_t>(-total);
      total = 0;
    }
    const auto small = static_cast<uint32_t>(total / 2), large = static_cast<uint32_t>(total) - small;
    const bool more_at_end = mode == "SAME_UPPER";
    o->pads[d] = more_at_end ? small : large;
    o->pads[d + rank] = more_at_end ? large : small;
  }
  return Status::ok();
}

Status import_conv_transpose(ImportContext& c) {
  schema::ConvTransposeOptionsT o;
  std::vector<int64_t> kernel;
  PITH_RETURN_IF_ERROR(spatial_kernel(c, &kernel));
  PITH_RETURN_IF_ERROR(read_groups(c, &o.groups));
  PITH_RETURN_IF_ERROR(read_counts(c, "strides", 1, &o.strides));
  PITH_RETURN_IF_ERROR(read_counts(c, "dilations", 1, &o.dilations));
  PITH_RETURN_IF_ERROR(read_counts(c, "output_padding", 0, &o.output_pads));
  PITH_RETURN_IF_ERROR(read_counts(c, "pads", 0, &o.pads));
  for (const auto* list : {&o.strides, &o.dilations, &o.output_pads})
    if (!list->empty() && list->size() != kernel.size())
      return c.malformed("strides, dilations or output_padding do not have one number per spatial dim");
  PITH_RETURN_IF_ERROR(transpose_pads(c, kernel, &o));
  if (c.in(1)->shape[0] % int64_t{o.groups} != 0)
    return c.malformed("the channels cannot be divided into the groups");
  const int rank = c.in(1)->shape.rank();
  const int64_t groups = o.groups;
  ir::Value* x = to_channels_last(c, c.in(0), rank);
  std::vector<ir::Value*> inputs{x, transposed_weights(c, groups)};
  if (c.has(2)) inputs.push_back(c.in(2));
  c.set_out(0, to_channels_first(c, c.emit(o, std::move(inputs)), rank));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> conv_imports() {
  static constexpr ImportRule kRules[] = {{"Conv", import_conv, 2},
                                          {"ConvInteger", import_conv_integer, 2},
                                          {"ConvTranspose", import_conv_transpose, 2},
                                          {"com.microsoft:FusedConv", import_conv, 2}};
  return kRules;
}

}  // namespace pith
