// Direct convolution in f32. Taps of one kernel row lie side by side in x and in w when nothing is skipped
// between them, so they are multiplied as one long row; 4 output channels by 2 neighbouring pixels share the
// loads.
#include "kernels/conv/conv.h"

#include <algorithm>

#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

constexpr size_t kOutputs = 4;

float clamp(float v, float lo, float hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

// The taps that P neighbouring output pixels have in common, and where their input begins.
struct Patch {
  Taps taps[3];
  const float* image;  // of group 0
};

// acc += taps of `P` pixels, x_step floats apart, against 4 rows of weights.
template <int P>
void add_patch(const ConvArgs& a, const Patch& patch, size_t group_channel, const float* const (&w)[kOutputs],
               Lanes<float> (&acc)[P][kOutputs]) {
  const Window& s = a.window;
  const size_t depth = a.in_channels / a.groups, channels = a.in_channels;
  const size_t x_step = static_cast<size_t>(s.stride[2]) * channels;
  const bool joined = a.groups == 1 && s.dilation[2] == 1;
  const auto columns = static_cast<size_t>(patch.taps[2].count());
  if (columns == 0) return;
  const size_t runs = joined ? 1 : columns, length = joined ? columns * depth : depth;
  for (int64_t k0 = patch.taps[0].begin; k0 < patch.taps[0].end; ++k0)
    for (int64_t k1 = patch.taps[1].begin; k1 < patch.taps[1].end; ++k1) {
      const int64_t row = patch.taps[0].at(k0, s.dilation[0]) * s.in[1] + patch.taps[1].at(k1, s.dilation[1]);
      const int64_t column = patch.taps[2].at(patch.taps[2].begin, s.dilation[2]);
      const float* x0 = patch.image + static_cast<size_t>(row * s.in[2] + column) * channels + group_channel;
      const auto tap0 = static_cast<size_t>((k0 * s.kernel[1] + k1) * s.kernel[2] + patch.taps[2].begin);
      for (size_t run = 0; run < runs; ++run) {
        const float* x[P];
        const float* rows[kOutputs];
        for (size_t p = 0; p < P; ++p)
          x[p] = x0 + p * x_step + run * static_cast<size_t>(s.dilation[2]) * channels;
        for (size_t r = 0; r < kOutputs; ++r) rows[r] = w[r] + (tap0 + run) * depth;
        dot_tile<P, kOutputs>(x, rows, length, acc);
      }
    }
}

template <int P>
void convolve(const ConvArgs& a, const Patch& patch, float* y) {
  const size_t depth = a.in_channels / a.groups, group_outputs = a.out_channels / a.groups;
  const size_t w_row = a.window.taps() * depth;
  for (size_t g = 0; g < a.groups; ++g)
    for (size_t o = 0; o < group_outputs; o += kOutputs) {
      const size_t count = std::min(kOutputs, group_outputs - o), first = g * group_outputs + o;
      const float* w[kOutputs];
      // Missing channels of the last block repeat its last one; their sums are dropped.
      for (size_t r = 0; r < kOutputs; ++r) w[r] = a.w + (first + std::min(r, count - 1)) * w_row;
      Lanes<float> acc[P][kOutputs] = {};
      add_patch<P>(a, patch, g * depth, w, acc);
      for (size_t p = 0; p < P; ++p)
        for (size_t r = 0; r < count; ++r) {
          const float bias = a.bias == nullptr ? 0.0f : a.bias[first + r];
          y[p * a.out_channels + first + r] = clamp(sum_lanes(acc[p][r]) + bias, a.clamp_min, a.clamp_max);
        }
    }
}

Patch patch_of(const ConvArgs& a, const Pixel& p) {
  Patch patch{};
  for (int d = 0; d < 3; ++d) patch.taps[d] = taps_of(a.window, d, p.at[d]);
  patch.image = a.x + p.image * a.window.in_count() * a.in_channels;
  return patch;
}

}  // namespace

void conv_f32_ref(const ConvArgs& a, Range pixels) {
  const Window& s = a.window;
  Pixel at = pixel_of(s, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end;) {
    const Patch patch = patch_of(a, at);
    float* y = a.y + i * a.out_channels;
    bool pair = i + 1 < pixels.end && at.at[2] + 1 < s.out[2];
    if (pair) {
      const Taps next = taps_of(s, 2, at.at[2] + 1);
      pair = next.begin == patch.taps[2].begin && next.end == patch.taps[2].end;
    }
    if (pair) {
      convolve<2>(a, patch, y);
      next_pixel(s, &at);
    } else {
      convolve<1>(a, patch, y);
    }
    next_pixel(s, &at);
    i += pair ? 2 : 1;
  }
}

void depthwise_weights_ref(const float* w, size_t channels, size_t taps, float* out) {
  for (size_t c = 0; c < channels; ++c)
    for (size_t t = 0; t < taps; ++t) out[t * channels + c] = w[c * taps + t];
}

void depthwise_f32_ref(const ConvArgs& a, Range pixels) {
  const Window& s = a.window;
  const size_t channels = a.in_channels;
  Pixel at = pixel_of(s, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end; ++i, next_pixel(s, &at)) {
    const Patch patch = patch_of(a, at);
    float* y = a.y + i * channels;
    for (size_t c = 0; c < channels; ++c) y[c] = a.bias == nullptr ? 0.0f : a.bias[c];
    for (int64_t k0 = patch.taps[0].begin; k0 < patch.taps[0].end; ++k0)
      for (int64_t k1 = patch.taps[1].begin; k1 < patch.taps[1].end; ++k1)
        for (int64_t k2 = patch.taps[2].begin; k2 < patch.taps[2].end; ++k2) {
          const int64_t row =
              patch.taps[0].at(k0, s.dilation[0]) * s.in[1] + patch.taps[1].at(k1, s.dilation[1]);
          const int64_t column = patch.taps[2].at(k2, s.dilation[2]);
          const float* x = patch.image + static_cast<size_t>(row * s.in[2] + column) * channels;
          const float* w = a.w + static_cast<size_t>((k0 * s.kernel[1] + k1) * s.kernel[2] + k2) * channels;
          for (size_t c = 0; c < channels; ++c) y[c] += x[c] * w[c];
        }
    for (size_t c = 0; c < channels; ++c) y[c] = clamp(y[c], a.clamp_min, a.clamp_max);
  }
}

}  // namespace pith::kernels
