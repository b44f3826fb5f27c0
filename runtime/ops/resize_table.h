// Where the outputs of a resized axis look: source indices and weights, as the ONNX reference defines them.
#pragma once
#include <cstdint>
#include <vector>

#include "pith/schema/ops_generated.h"

namespace pith {

struct ResizeAxis {
  int axis = 0;
  int64_t in = 0, out = 0;
  double scale = 1;                   // out / in, or what the model says
  double roi_begin = 0, roi_end = 1;  // tf_crop_and_resize
};

struct ResizeTable {
  size_t taps = 1;
  std::vector<int64_t> index;    // [out, taps], clamped to the axis
  std::vector<float> weight;     // [out, taps]
  std::vector<uint8_t> outside;  // [out], or empty: takes the extrapolation value
};

inline constexpr int64_t kMaxResizeTaps = int64_t{1} << 25;  // out * taps of one axis
// False when the table would be larger than kMaxResizeTaps. in >= 1.
bool make_resize_table(const ResizeAxis& axis, const schema::ResizeOptions& options, ResizeTable* table);

}  // namespace pith
