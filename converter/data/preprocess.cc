// Preprocess: planning (all checks on the configuration) and application to one record.
#include "converter/data/preprocess.h"

#include <cmath>

#include "runtime/base/checked.h"

namespace pith::data {
namespace {

using ll = long long;
constexpr int64_t kMaxSide = 16384;
constexpr uint64_t kMaxItemBytes = uint64_t{1} << 30;

Status wrong(std::string message) { return Status(Code::bad_argument, std::move(message)); }

bool sides_are_sane(const std::vector<int64_t>& sides) {
  for (int64_t side : sides)
    if (side < 1 || side > kMaxSide) return false;
  return sides.size() <= 2;
}

// {n} or {h, w} to h and w.
int64_t side(const std::vector<int64_t>& sides, size_t axis) { return sides[axis < sides.size() ? axis : 0]; }

// Sizes after resizing; -1 stays unknown.
void resized(const std::vector<int64_t>& wanted, int64_t* height, int64_t* width) {
  if (wanted.size() == 2) {
    *height = wanted[0];
    *width = wanted[1];
  } else if (*height > 0 && *width > 0) {  // the shorter side becomes n, the longer one is truncated
    const int64_t h = *height, w = *width, n = wanted[0];
    *height = h <= w ? n : n * h / w;
    *width = h <= w ? n * w / h : n;
  }
}

// Replaces a single -1 by what the element count leaves; false if that is impossible.
bool resolve_reshape(std::vector<int64_t>* shape, int64_t count) {
  int64_t known = 1, *open = nullptr;
  for (int64_t& d : *shape) {
    if (d == -1 && open == nullptr)
      open = &d;
    else if (d < 0 || !checked_mul(known, d, &known))
      return false;
  }
  if (open == nullptr) return known == count;
  if (known == 0 || count % known != 0) return false;
  *open = count / known;
  return true;
}

int64_t count_of(const std::vector<int64_t>& shape) {  // -1 if a dim is unknown
  int64_t n = 1;
  for (int64_t d : shape) {
    if (d < 0) return -1;
    n *= d;  // shapes come here only after tensor_bytes accepted them
  }
  return n;
}

}  // namespace

bool Preprocess::changes_geometry() const {
  return config_.mirror_pad != 0 || !config_.resize.empty() || !config_.center_crop.empty();
}

// Sizes after padding; -1 stays unknown.
Status Preprocess::pad_sides(int64_t* height, int64_t* width) const {
  for (int64_t* side : {height, width}) {
    if (*side < 0 || config_.mirror_pad == 0) continue;
    if (config_.mirror_pad >= *side || *side > kMaxSide - 2 * config_.mirror_pad)
      return wrong(format(
          "mirror_pad of %lld does not fit an image of %lld x %lld: a side must be longer than that, and at "
          "most %lld when padded",
          static_cast<ll>(config_.mirror_pad), static_cast<ll>(*height), static_cast<ll>(*width),
          static_cast<ll>(kMaxSide)));
    *side += 2 * config_.mirror_pad;
  }
  return Status::ok();
}

Status Preprocess::plan_geometry() {
  const bool wants = changes_geometry();
  const std::vector<int64_t>& s = source_.shape;
  if (source_.axes == Axes::plain) {
    if (wants || config_.channel_order != ChannelOrder::as_is || config_.layout != Axes::plain)
      return wrong(
          "mirror_pad, resize, center_crop, channel_order and layout need images; say what the axes of an "
          "item are: "
          "\"axes\": \"HW\", \"HWC\" or \"CHW\"");
    return Status::ok();
  }
  if (s.size() != (source_.axes == Axes::hw ? 2u : 3u))
    return wrong(format("\"axes\" does not fit: an item has shape %s", shape_text(s).c_str()));
  height_ = source_.axes == Axes::chw ? s[1] : s[0];
  width_ = source_.axes == Axes::chw ? s[2] : s[1];
  channels_ = source_.axes == Axes::hw ? 1 : source_.axes == Axes::chw ? s[0] : s[2];
  if (!sides_are_sane(config_.resize) || !sides_are_sane(config_.center_crop))
    return wrong(format("resize and center_crop take a side or [height, width] between 1 and %lld",
                        static_cast<ll>(kMaxSide)));
  if (wants && (height_ > kMaxSide || width_ > kMaxSide || height_ == 0 || width_ == 0))
    return wrong(format("items of shape %s cannot be resized or cropped", shape_text(s).c_str()));
  if (config_.mirror_pad < 0 || config_.mirror_pad > kMaxSide)
    return wrong(format("mirror_pad takes 0 to %lld", static_cast<ll>(kMaxSide)));
  PITH_RETURN_IF_ERROR(pad_sides(&height_, &width_));
  if (!config_.resize.empty()) resized(config_.resize, &height_, &width_);
  if (!config_.center_crop.empty()) {
    const int64_t h = side(config_.center_crop, 0), w = side(config_.center_crop, 1);
    if ((height_ >= 0 && height_ < h) || (width_ >= 0 && width_ < w))
      return wrong(format("center_crop of %lld x %lld does not fit into %lld x %lld; resize to more first",
                          static_cast<ll>(h), static_cast<ll>(w), static_cast<ll>(height_),
                          static_cast<ll>(width_)));
    height_ = h;
    width_ = w;
  }
  return Status::ok();
}

Status Preprocess::plan_channels() const {
  if (config_.channel_order == ChannelOrder::swapped && channels_ != 3)
    return wrong(
        format("channel_order BGR needs 3 channels, the items have %lld", static_cast<ll>(channels_)));
  for (const std::vector<double>* list : {&config_.mean, &config_.std}) {
    const auto wanted = static_cast<size_t>(source_.axes == Axes::plain ? 1 : channels_);
    if (list->size() > 1 && list->size() != wanted)
      return wrong(format("mean and std have %zu values, the items have %zu channels%s", list->size(), wanted,
                          source_.axes == Axes::plain ? " (their axes are not known: set \"axes\")" : ""));
    for (double v : *list)
      if (!std::isfinite(v) || (list == &config_.std && v == 0))
        return wrong("mean must be finite, std finite and not 0");
  }
  if (!std::isfinite(config_.scale) || config_.scale == 0 || !std::isfinite(config_.zero_point))
    return wrong("scale must be finite and not 0, zero_point finite");
  return Status::ok();
}

Status Preprocess::plan_output() {
  layout_ = config_.layout != Axes::plain ? config_.layout : source_.default_layout;
  shape_ = source_.shape;
  if (source_.axes != Axes::plain) {
    if (layout_ == Axes::plain) layout_ = source_.axes;
    if (layout_ == Axes::hw) shape_ = {height_, width_};
    if (layout_ == Axes::hwc) shape_ = {height_, width_, channels_};
    if (layout_ == Axes::chw) shape_ = {channels_, height_, width_};
  }
  dtype_ = config_.dtype != DType::none ? config_.dtype
           : config_.has_arithmetic     ? DType::f32
                                        : source_.default_dtype;
  if (size_of(dtype_) == 0) return wrong(format("items cannot have the type %s", name_of(dtype_)));
  uint64_t bytes = 0;
  const int64_t count = tensor_bytes(shape_, dtype_, &bytes) ? count_of(shape_) : -1;
  if (count < 0 && count_of(source_.shape) >= 0) return wrong("an item would be larger than any memory");
  if (bytes > kMaxItemBytes)
    return wrong(format("an item would have %llu bytes, at most 1 GiB is possible",
                        static_cast<unsigned long long>(bytes)));
  if (config_.reshape.empty()) return Status::ok();
  const std::string from = shape_text(shape_);
  shape_ = config_.reshape;
  if (count >= 0 && !resolve_reshape(&shape_, count))
    return wrong(format("reshape %s does not fit an item of shape %s", shape_text(config_.reshape).c_str(),
                        from.c_str()));
  return Status::ok();
}

Result<Preprocess> Preprocess::plan(const PreprocessConfig& config, const SourceSpec& source) {
  Preprocess p;
  p.config_ = config;
  p.source_ = source;
  PITH_RETURN_IF_ERROR(p.plan_geometry());
  PITH_RETURN_IF_ERROR(p.plan_channels());
  PITH_RETURN_IF_ERROR(p.plan_output());
  return p;
}

bool Preprocess::does_nothing() const {
  return !changes_geometry() && config_.channel_order == ChannelOrder::as_is && !config_.has_arithmetic &&
         dtype_ == source_.dtype && layout_ == source_.axes;
}

Result<Pixels> Preprocess::geometry(Pixels image) const {
  if (config_.mirror_pad != 0) {
    int64_t h = image.height, w = image.width;
    PITH_RETURN_IF_ERROR(pad_sides(&h, &w));
    image = data::mirror_pad(image, config_.mirror_pad);
  }
  if (!config_.resize.empty()) {
    int64_t h = image.height, w = image.width;
    resized(config_.resize, &h, &w);
    PITH_REQUIRE(h >= 1 && w >= 1 && h <= kMaxSide && w <= kMaxSide,
                 "an image of %lld x %lld is too narrow to resize", static_cast<ll>(image.height),
                 static_cast<ll>(image.width));
    const Rounding rounding = source_.dtype == DType::u8 ? Rounding::byte : Rounding::none;
    image = data::resize(image, h, w, config_.filter, config_.antialias, rounding);
  }
  if (!config_.center_crop.empty()) {
    const int64_t h = side(config_.center_crop, 0), w = side(config_.center_crop, 1);
    PITH_REQUIRE(h <= image.height && w <= image.width,
                 "center_crop of %lld x %lld does not fit into this image of %lld x %lld; resize first",
                 static_cast<ll>(h), static_cast<ll>(w), static_cast<ll>(image.height),
                 static_cast<ll>(image.width));
    image = data::center_crop(image, h, w);
  }
  if (config_.channel_order == ChannelOrder::swapped) swap_red_blue(&image);
  return image;
}

// Channels are the innermost axis of `values`.
void Preprocess::arithmetic(std::vector<double>* values, size_t channels) const {
  if (!config_.has_arithmetic) return;
  const auto pick = [](const std::vector<double>& list, size_t c, double none) {
    return list.empty() ? none : list[list.size() == 1 ? 0 : c];
  };
  for (size_t c = 0; c < channels; ++c) {
    const double mean = pick(config_.mean, c, 0), deviation = pick(config_.std, c, 1);
    for (size_t i = c; i < values->size(); i += channels)
      (*values)[i] = (((*values)[i] - config_.zero_point) * config_.scale - mean) / deviation;
  }
}

Status Preprocess::finish(std::vector<double> values, std::vector<int64_t> shape, HostTensor* out) const {
  if (!config_.reshape.empty()) {
    std::vector<int64_t> wanted = config_.reshape;
    PITH_REQUIRE(resolve_reshape(&wanted, static_cast<int64_t>(values.size())), "reshape %s does not fit %s",
                 shape_text(config_.reshape).c_str(), shape_text(shape).c_str());
    shape = std::move(wanted);
  }
  out->dtype = dtype_;
  out->shape = std::move(shape);
  out->bytes.resize(values.size() * size_of(dtype_));
  from_doubles(dtype_, values.data(), values.size(), out->bytes.data());
  return Status::ok();
}

// 64-bit integers pass through double on their way to another type; beyond 2^53 that would change them.
static Status check_exact(const HostTensor& record, const std::vector<double>& values) {
  if (record.dtype != DType::i64 && record.dtype != DType::u64) return Status::ok();
  for (double v : values)
    PITH_REQUIRE(std::abs(v) <= 0x1p53,
                 "an integer of %.0f is too large to be converted; keep its type (no dtype, "
                 "scale, mean or std)",
                 v);
  return Status::ok();
}

Result<HostTensor> Preprocess::apply(HostTensor record) const {
  if (does_nothing()) {
    if (!config_.reshape.empty()) {
      std::vector<int64_t> wanted = config_.reshape;
      PITH_REQUIRE(resolve_reshape(&wanted, record.count()), "reshape %s does not fit %s",
                   shape_text(config_.reshape).c_str(), shape_text(record.shape).c_str());
      record.shape = std::move(wanted);
    }
    return record;
  }
  std::vector<double> values(record.bytes.size() / size_of(record.dtype));
  to_doubles(record.dtype, record.bytes.data(), values.size(), values.data());
  PITH_RETURN_IF_ERROR(check_exact(record, values));
  HostTensor out;
  if (source_.axes == Axes::plain) {
    arithmetic(&values, 1);
    PITH_RETURN_IF_ERROR(finish(std::move(values), std::move(record.shape), &out));
    return out;
  }
  const std::vector<int64_t>& s = record.shape;
  Pixels image = source_.axes == Axes::chw
                     ? from_planes(s[1], s[2], s[0], values)
                     : Pixels{s[0], s[1], source_.axes == Axes::hw ? 1 : s[2], std::move(values)};
  PITH_ASSIGN(image, geometry(std::move(image)));
  arithmetic(&image.values, static_cast<size_t>(channels_));
  std::vector<int64_t> shape{image.height, image.width, channels_};
  if (layout_ == Axes::hw) shape = {image.height, image.width};
  if (layout_ == Axes::chw) shape = {channels_, image.height, image.width};
  PITH_RETURN_IF_ERROR(
      finish(layout_ == Axes::chw ? to_planes(image) : std::move(image.values), std::move(shape), &out));
  return out;
}

}  // namespace pith::data
