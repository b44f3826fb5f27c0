// Instance normalization: contiguous planes, or tiles of innermost channels.
#include "kernels/norm/instance_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/reduce/axis_view.h"

namespace pith::kernels {
namespace {

size_t tiles_of(const InstanceNormArgs& a) {
  return a.after == 1 ? (a.channels + kTile - 1) / kTile : a.channels;
}

struct Line {  // y = x * factor + offset
  float factor, offset;
};

Line line_of(const InstanceNormArgs& a, size_t channel, double mean, double variance) {
  const double scale = a.scale == nullptr ? 1 : static_cast<double>(a.scale[channel]);
  const double bias = a.bias == nullptr ? 0 : static_cast<double>(a.bias[channel]);
  const double factor = scale / std::sqrt(variance + static_cast<double>(a.epsilon));
  return {static_cast<float>(factor), static_cast<float>(bias - mean * factor)};
}

// One channel whose elements lie in `before` runs of `after`.
void plane(const InstanceNormArgs& a, const float* x, float* y, size_t channel) {
  const size_t step = a.channels * a.after;
  const auto count = static_cast<double>(a.before * a.after);
  double sum = 0, squares = 0;
  for (size_t b = 0; b < a.before; ++b)
    sum += lane_sum(a.after, [&](size_t i) { return static_cast<double>(x[b * step + i]); });
  const double mean = sum / count;
  for (size_t b = 0; b < a.before; ++b)
    squares += lane_sum(a.after, [&](size_t i) {
      const double d = static_cast<double>(x[b * step + i]) - mean;
      return d * d;
    });
  const Line line = line_of(a, channel, mean, squares / count);
  for (size_t b = 0; b < a.before; ++b)
    for (size_t i = 0; i < a.after; ++i) y[b * step + i] = x[b * step + i] * line.factor + line.offset;
}

// c <= kTile innermost channels.
void tile(const InstanceNormArgs& a, const float* x, float* y, size_t channel, size_t c) {
  double mean[kTile] = {}, squares[kTile] = {};
  Line line[kTile];
  const auto count = static_cast<double>(a.before);
  for (size_t b = 0; b < a.before; ++b)
    for (size_t j = 0; j < c; ++j) mean[j] += static_cast<double>(x[b * a.channels + j]);
  for (size_t j = 0; j < c; ++j) mean[j] /= count;
  for (size_t b = 0; b < a.before; ++b)
    for (size_t j = 0; j < c; ++j) {
      const double d = static_cast<double>(x[b * a.channels + j]) - mean[j];
      squares[j] += d * d;
    }
  for (size_t j = 0; j < c; ++j) line[j] = line_of(a, channel + j, mean[j], squares[j] / count);
  for (size_t b = 0; b < a.before; ++b)
    for (size_t j = 0; j < c; ++j)
      y[b * a.channels + j] = x[b * a.channels + j] * line[j].factor + line[j].offset;
}

}  // namespace

size_t pieces_of(const InstanceNormArgs& a, size_t batch) { return batch * tiles_of(a); }

void instance_norm_ref(const InstanceNormArgs& a, Range pieces) {
  const size_t tiles = tiles_of(a), image = a.before * a.channels * a.after;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t channel = piece % tiles * (a.after == 1 ? kTile : 1);
    const size_t at = piece / tiles * image + channel * a.after;
    if (a.after == 1)
      tile(a, a.x + at, a.y + at, channel, std::min(kTile, a.channels - channel));
    else
      plane(a, a.x + at, a.y + at, channel);
  }
}

}  // namespace pith::kernels
