// Resize: x resampled along some axes; nearest (any element type), linear and cubic (f32, i8, u8). Inputs x,
// roi, scales, sizes; of scales and sizes one is given. Semantics: ONNX Resize 19.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/base/float16.h"
#include "kernels/resize/resize.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/resize_axes.h"

namespace pith {
namespace {

struct ResizeState final : NodeState {
  std::vector<ResizeAxis> axes;  // those that change anything
  std::vector<ResizeTable> tables;
  uint8_t extrapolation[8] = {};  // as an element of x
};

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 4, 1, 1));
  const auto& o = node.opt<schema::ResizeOptions>();
  if (o.mode() > schema::ResizeMode::MAX || o.coordinates() > schema::ResizeCoordinates::MAX ||
      o.nearest() > schema::ResizeNearest::MAX || o.aspect() > schema::ResizeAspect::MAX)
    return node_error(node, Code::unsupported, "the mode, coordinates, rounding or aspect policy is unknown");
  if (node.has(2) == node.has(3)) return node_error(node, Code::bad_file, "needs either scales or sizes");
  if (o.axes() != nullptr && o.axes()->size() > kMaxRank)
    return node_error(node, Code::unsupported, format("more than %d axes", kMaxRank));
  if (o.coordinates() == schema::ResizeCoordinates::tf_crop_and_resize && !node.has(1))
    return node_error(node, Code::bad_file, "tf_crop_and_resize needs a roi");
  if (o.mode() != schema::ResizeMode::nearest)
    PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::i8, DType::u8}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32, DType::f64}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status read_floats(const NodeView& node, size_t i, size_t count, std::vector<double>* out) {
  PITH_RETURN_IF_ERROR(need_value(node, i));
  const TensorView& t = node.in(i);
  if (t.count() != static_cast<int64_t>(count))
    return node_error(node, Code::bad_file,
                      format("input %zu ('%s') must have %zu values, found shape %s", i, t.name, count,
                             t.shape.text().c_str()));
  for (size_t k = 0; k < count; ++k)
    out->push_back(t.dtype == DType::f64 ? t.as<double>()[k] : static_cast<double>(t.as<float>()[k]));
  return Status::ok();
}

Status read_axes(const NodeView& node, std::vector<ResizeAxis>* axes) {
  const auto* listed = node.opt<schema::ResizeOptions>().axes();
  const Shape& x = node.in(0).shape;
  const bool all = listed == nullptr || listed->size() == 0;
  uint32_t seen = 0;
  for (int i = 0; i < (all ? x.rank() : static_cast<int>(listed->size())); ++i) {
    ResizeAxis a;
    PITH_RETURN_IF_ERROR(
        normalize_axis(node, all ? i : listed->Get(static_cast<uint32_t>(i)), x.rank(), &a.axis));
    if ((seen >> a.axis & 1u) != 0) return node_error(node, Code::bad_file, "an axis is named twice");
    seen |= 1u << a.axis;
    a.in = x[a.axis];
    axes->push_back(a);
  }
  return Status::ok();
}

Status apply_sizes(const NodeView& node, std::vector<ResizeAxis>* axes) {
  std::vector<int64_t> sizes;
  PITH_RETURN_IF_ERROR(read_ints(node, 3, &sizes));
  if (sizes.size() != axes->size())
    return node_error(node, Code::bad_file, format("%zu sizes for %zu axes", sizes.size(), axes->size()));
  const auto aspect = node.opt<schema::ResizeOptions>().aspect();
  double shared = aspect == schema::ResizeAspect::not_larger ? INFINITY : 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    ResizeAxis& a = (*axes)[i];
    if (sizes[i] < 0 || sizes[i] > kMaxElements)
      return node_error(node, Code::bad_file, "a size is negative or too large");
    a.out = sizes[i];
    a.scale = a.in > 0 ? static_cast<double>(a.out) / static_cast<double>(a.in) : 1;
    shared =
        aspect == schema::ResizeAspect::not_larger ? std::min(shared, a.scale) : std::max(shared, a.scale);
  }
  if (aspect == schema::ResizeAspect::stretch) return Status::ok();
  const bool known = std::all_of(axes->begin(), axes->end(), [](const ResizeAxis& a) { return a.in >= 0; });
  for (ResizeAxis& a : *axes) {
    a.scale = shared;
    const double length = std::floor(shared * static_cast<double>(a.in) + 0.5);
    if (!(length <= static_cast<double>(kMaxElements)))
      return node_error(node, Code::bad_file, "the result is too large");
    a.out = known ? static_cast<int64_t>(length) : kUnknownDim;
  }
  return Status::ok();
}

Status apply_scales(const NodeView& node, std::vector<ResizeAxis>* axes) {
  std::vector<double> scales;
  PITH_RETURN_IF_ERROR(read_floats(node, 2, axes->size(), &scales));
  const bool crops =
      node.opt<schema::ResizeOptions>().coordinates() == schema::ResizeCoordinates::tf_crop_and_resize;
  for (size_t i = 0; i < scales.size(); ++i) {
    ResizeAxis& a = (*axes)[i];
    a.scale = scales[i];
    const double length =
        std::floor(static_cast<double>(a.in) * a.scale * (crops ? a.roi_end - a.roi_begin : 1.0));
    if (!(a.scale > 0)) return node_error(node, Code::bad_file, format("scale %g is not positive", a.scale));
    a.out = kUnknownDim;
    if (a.in < 0) continue;
    if (!(length >= 0 && length <= static_cast<double>(kMaxElements)))
      return node_error(node, Code::bad_file, "the result has a negative or too large dim");
    a.out = static_cast<int64_t>(length);
  }
  return Status::ok();
}

Status measure(const NodeView& node, std::vector<ResizeAxis>* axes) {
  PITH_RETURN_IF_ERROR(read_axes(node, axes));
  if (node.opt<schema::ResizeOptions>().coordinates() == schema::ResizeCoordinates::tf_crop_and_resize) {
    std::vector<double> roi;
    PITH_RETURN_IF_ERROR(read_floats(node, 1, 2 * axes->size(), &roi));
    for (size_t i = 0; i < axes->size(); ++i) {
      (*axes)[i].roi_begin = roi[i];
      (*axes)[i].roi_end = roi[i + axes->size()];
    }
  }
  return node.has(3) ? apply_sizes(node, axes) : apply_scales(node, axes);
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  std::vector<ResizeAxis> axes;
  PITH_RETURN_IF_ERROR(measure(node, &axes));
  Shape y = node.in(0).shape;
  for (const ResizeAxis& a : axes) {
    if (a.in == 0 && a.out > 0)
      return node_error(node, Code::bad_file, format("axis %d has no element to resample", a.axis));
    y[a.axis] = a.out;
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

// Elements of x with the dims before axis `done` already at their new lengths.
size_t count_after(const NodeView& node, int done) {
  const Shape& x = node.in(0).shape;
  return static_cast<size_t>(node.out(0).shape.count(0, done + 1) * x.count(done + 1, x.rank()));
}

// One pass per axis, outermost first; sums stay f32 in scratch until the last pass.
void run_passes(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const ResizeState*>(context.state);
  if (node.out(0).count() == 0) return;
  const Shape& x = node.in(0).shape;
  kernels::ResizeAxisArgs a;
  a.extrapolation = node.opt<schema::ResizeOptions>().extrapolation();
  a.x = node.in(0).data;
  a.x_dtype = node.in(0).dtype;
  auto* scratch = static_cast<float*>(context.scratch);
  for (size_t p = 0; p < state.axes.size(); ++p) {
    const ResizeAxis& axis = state.axes[p];
    const ResizeTable& table = state.tables[p];
    const bool last = p + 1 == state.axes.size();
    a.y = last ? node.out(0).data : scratch;
    a.y_dtype = last ? node.out(0).dtype : DType::f32;
    a.in = static_cast<size_t>(axis.in);
    a.out = static_cast<size_t>(axis.out);
    a.inner = static_cast<size_t>(x.count(axis.axis + 1, x.rank()));
    a.taps = table.taps;
    a.index = table.index.data();
    a.weight = table.weight.data();
    a.outside = table.outside.empty() ? nullptr : table.outside.data();
    const auto outer = static_cast<size_t>(node.out(0).shape.count(0, axis.axis));
    parallel_for(context.pool, outer, (1 << 14) / (a.out * a.inner * a.taps) + 1,
                 [&](Range r) { kernels::resize_axis_ref(a, r); });
    if (last) return;
    scratch += count_after(node, axis.axis);
    a.x = a.y;
    a.x_dtype = DType::f32;
  }
}

void run_nearest(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const ResizeState*>(context.state);
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  if (y.count() == 0) return;
  kernels::ResizeNearestArgs a;
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.extrapolation = state.extrapolation;
  a.element_bytes = size_of(node.in(0).dtype);
  a.rank = state.axes.empty() ? std::max(x.rank(), 1) : state.axes.back().axis + 1;
  a.y_dims[0] = 1;
  for (int d = 0; d < std::min(a.rank, x.rank()); ++d) {
    a.y_dims[d] = static_cast<size_t>(y[d]);
    a.x_stride[d] = static_cast<size_t>(x.count(d + 1, x.rank()));
  }
  a.block = static_cast<size_t>(x.count(std::min(a.rank, x.rank()), x.rank()));
  for (size_t i = 0; i < state.axes.size(); ++i) {
    a.index[state.axes[i].axis] = state.tables[i].index.data();
    if (!state.tables[i].outside.empty()) a.outside[state.axes[i].axis] = state.tables[i].outside.data();
  }
  const size_t row = a.y_dims[a.rank - 1] * a.block;
  parallel_for(context.pool, static_cast<size_t>(y.count()) / row, (1 << 14) / row + 1,
               [&](Range rows) { kernels::resize_nearest_ref(a, rows); });
}

void run_copy(const NodeView& node, RunContext&) {
  if (node.out(0).byte_size() > 0) std::memcpy(node.out(0).data, node.in(0).data, node.out(0).byte_size());
}

void set_extrapolation(const NodeView& node, ResizeState* state) {
  const float value = node.opt<schema::ResizeOptions>().extrapolation();
  const f16 half = to_f16(value);
  const auto code = static_cast<int8_t>(std::clamp(value, -128.0f, 127.0f));
  const auto positive = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
  switch (node.in(0).dtype) {
    case DType::f32:
      std::memcpy(state->extrapolation, &value, sizeof value);
      break;
    case DType::f16:
      std::memcpy(state->extrapolation, &half, sizeof half);
      break;
    case DType::i8:
      std::memcpy(state->extrapolation, &code, sizeof code);
      break;
    case DType::u8:
      std::memcpy(state->extrapolation, &positive, sizeof positive);
      break;
    default:
      break;  // zero
  }
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::ResizeOptions>();
  std::vector<ResizeAxis> axes;
  PITH_RETURN_IF_ERROR(changing_axes(node, &axes));
  auto state = std::make_unique<ResizeState>();
  size_t scratch = 0;
  for (const ResizeAxis& a : axes) {
    if (node.out(0).count() == 0) continue;
    if (!state->axes.empty()) scratch += count_after(node, state->axes.back().axis);
    state->axes.push_back(a);
    if (!make_resize_table(a, o, &state->tables.emplace_back()))
      return node_error(node, Code::unsupported, format("axis %d needs too large a filter table", a.axis));
  }
  set_extrapolation(node, state.get());
  const bool nearest = o.mode() == schema::ResizeMode::nearest;
  if (state->axes.empty())
    context.use("resize_copy", run_copy);
  else if (nearest)
    context.use("resize_nearest", run_nearest);
  else
    context.use(o.mode() == schema::ResizeMode::linear ? "resize_linear" : "resize_cubic", run_passes);
  if (!nearest) context.request_scratch(scratch * sizeof(float));
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

Status changing_axes(const NodeView& node, std::vector<ResizeAxis>* axes) {
  PITH_RETURN_IF_ERROR(measure(node, axes));
  std::sort(axes->begin(), axes->end(),
            [](const ResizeAxis& a, const ResizeAxis& b) { return a.axis < b.axis; });
  // An axis keeps its values when lengths agree and every coordinate is its own source.
  const bool crops =
      node.opt<schema::ResizeOptions>().coordinates() == schema::ResizeCoordinates::tf_crop_and_resize;
  std::erase_if(*axes, [&](const ResizeAxis& a) { return a.in == a.out && a.scale == 1 && !crops; });
  return Status::ok();
}

extern const OpDef kResizeOp{schema::Op::ResizeOptions, "resize", kNoFlags, check, infer, prepare, run_copy};

}  // namespace pith
