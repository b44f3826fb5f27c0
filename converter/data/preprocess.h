// Preprocessing: from a source's record to what the model's input takes, in this fixed order:
//   0. mirror_pad, 1. resize, 2. center_crop, 3. channel order, 4. y = ((x - zero_point) * scale - mean) / std, 5.
//   layout, 6. reshape,
//   7. dtype.
// Everything that can be wrong about the configuration is found by plan(), before the first item is read.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "converter/data/data_source.h"
#include "converter/data/image_ops.h"
#include "runtime/base/status.h"

namespace pith::data {

enum class ChannelOrder : uint8_t { as_is, swapped };  // swapped: RGB records become BGR

struct PreprocessConfig {
  int64_t mirror_pad = 0;            // rows and columns on every side
  std::vector<int64_t> resize;       // {}: no; {n}: the shorter side becomes n; {h, w}
  Filter filter = Filter::bilinear;  // see resize, as `antialias`
  bool antialias = true;
  std::vector<int64_t> center_crop;  // {}: no; {n}: n x n; {h, w}
  ChannelOrder channel_order = ChannelOrder::as_is;
  double zero_point = 0, scale = 1;
  std::vector<double> mean,
      std;  // {}: 0 and 1; one value for all, or one per channel in the order after step 3
  bool has_arithmetic = false;   // any of the four was given
  Axes layout = Axes::plain;     // chw, hwc; plain: the source's default
  std::vector<int64_t> reshape;  // {}: no; one entry may be -1
  DType dtype = DType::none;     // none: the source's default, f32 with arithmetic
};

class Preprocess {
 public:
  static Result<Preprocess> plan(const PreprocessConfig& config, const SourceSpec& source);
  // Type and shape of every item; -1 where items differ.
  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  Result<HostTensor> apply(HostTensor record) const;

 private:
  bool changes_geometry() const;
  Status pad_sides(int64_t* height, int64_t* width) const;
  Status plan_geometry();
  Status plan_channels() const;
  Status plan_output();
  Result<Pixels> geometry(Pixels image) const;
  void arithmetic(std::vector<double>* values, size_t channels) const;
  Status finish(std::vector<double> values, std::vector<int64_t> shape, HostTensor* out) const;
  bool does_nothing() const;

  PreprocessConfig config_;
  SourceSpec source_;
  Axes layout_ = Axes::plain;
  DType dtype_ = DType::none;
  std::vector<int64_t> shape_;
  int64_t height_ = -1, width_ = -1, channels_ = 1;  // after steps 1 and 2; for sources with axes
};

}  // namespace pith::data
