// Separable resize, crop and channel order.
#include "converter/data/image_ops.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace pith::data {
namespace {

// Output pixel o of one axis is sum_i weight[i] * in[first + i].
struct Tap {
  int64_t first = 0;
  std::vector<double> weight;
};

double radius_of(Filter f) { return f == Filter::bilinear ? 1 : f == Filter::bicubic ? 2 : 3; }

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

double weight_at(Filter f, double distance) {
  const double d = std::abs(distance);
  if (d >= radius_of(f)) return 0;
  if (f == Filter::bilinear) return 1 - d;
  if (f == Filter::lanczos) return sinc(d) * sinc(d / 3);
  constexpr double kA = -0.5;
  return d < 1 ? ((kA + 2) * d - (kA + 3)) * d * d + 1 : (((d - 5) * d + 8) * d - 4) * kA;
}

std::vector<Tap> make_taps(int64_t in, int64_t out, Filter filter, bool antialias) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = antialias ? std::max(scale, 1.0) : 1.0;
  const double reach = radius_of(filter) * stretch;
  std::vector<Tap> taps(static_cast<size_t>(out));
  for (int64_t o = 0; o < out; ++o) {
    const double center = (static_cast<double>(o) + 0.5) * scale - 0.5;  // in input pixel numbers
    const auto low = static_cast<int64_t>(std::ceil(center - reach)),
               high = static_cast<int64_t>(std::floor(center + reach));
    Tap& tap = taps[static_cast<size_t>(o)];
    tap.first = std::clamp<int64_t>(low, 0, in - 1);
    double sum = 0;
    for (int64_t i = tap.first; i <= std::clamp<int64_t>(high, 0, in - 1); ++i) {
      const double w = weight_at(filter, (static_cast<double>(i) - center) / stretch);
      tap.weight.push_back(w);
      sum += w;
    }
    // Beyond the border the edge pixel is the only one in reach; its weight becomes 1.
    if (sum <= 0) {
      tap.weight.assign(1, 1.0);
      sum = 1;
    }
    for (double& w : tap.weight) w /= sum;
  }
  return taps;
}

// Half up, for what a byte can hold: the argument is never negative, so truncation rounds down.
double round_byte(double x) { return std::floor(std::clamp(x, 0.0, 255.0) + 0.5); }

// Resizes the middle axis of [outer][in][inner].
std::vector<double> resize_axis(const std::vector<double>& in, size_t outer, size_t length, size_t inner,
                                const std::vector<Tap>& taps, Rounding rounding) {
  std::vector<double> out(outer * taps.size() * inner);
  for (size_t a = 0; a < outer; ++a)
    for (size_t o = 0; o < taps.size(); ++o) {
      const double* from = in.data() + (a * length + static_cast<size_t>(taps[o].first)) * inner;
      double* to = out.data() + (a * taps.size() + o) * inner;
      for (double weight : taps[o].weight) {
        for (size_t c = 0; c < inner; ++c) to[c] += weight * from[c];
        from += inner;
      }
      if (rounding == Rounding::byte)
        for (size_t c = 0; c < inner; ++c) to[c] = round_byte(to[c]);
    }
  return out;
}

}  // namespace

Pixels resize(const Pixels& in, int64_t height, int64_t width, Filter filter, bool antialias,
              Rounding rounding) {
  Pixels out{height, width, in.channels, in.values};
  const auto h = static_cast<size_t>(in.height), w = static_cast<size_t>(in.width),
             c = static_cast<size_t>(in.channels);
  if (width != in.width)
    out.values = resize_axis(out.values, h, w, c, make_taps(in.width, width, filter, antialias), rounding);
  if (height != in.height)
    out.values = resize_axis(out.values, 1, h, static_cast<size_t>(width) * c,
                             make_taps(in.height, height, filter, antialias), rounding);
  return out;
}

Pixels mirror_pad(const Pixels& in, int64_t margin) {
  Pixels out{in.height + 2 * margin, in.width + 2 * margin, in.channels, {}};
  const auto mirrored = [](int64_t i, int64_t size) { return i < 0 ? -i : i < size ? i : 2 * size - 2 - i; };
  out.values.reserve(static_cast<size_t>(out.height * out.width * out.channels));
  for (int64_t y = 0; y < out.height; ++y) {
    const double* row = in.values.data() + mirrored(y - margin, in.height) * in.width * in.channels;
    for (int64_t x = 0; x < out.width; ++x) {
      const double* pixel = row + mirrored(x - margin, in.width) * in.channels;
      out.values.insert(out.values.end(), pixel, pixel + in.channels);
    }
  }
  return out;
}

Pixels center_crop(const Pixels& in, int64_t height, int64_t width) {
  Pixels out{height, width, in.channels, {}};
  const int64_t top = (in.height - height) / 2, left = (in.width - width) / 2;
  out.values.reserve(static_cast<size_t>(height * width * in.channels));
  for (int64_t y = 0; y < height; ++y) {
    const double* row = in.values.data() + ((top + y) * in.width + left) * in.channels;
    out.values.insert(out.values.end(), row, row + width * in.channels);
  }
  return out;
}

void swap_red_blue(Pixels* image) {
  for (size_t i = 0; i + 2 < image->values.size(); i += 3) std::swap(image->values[i], image->values[i + 2]);
}

Pixels from_planes(int64_t height, int64_t width, int64_t channels, const std::vector<double>& chw) {
  Pixels out{height, width, channels, std::vector<double>(chw.size())};
  const auto area = static_cast<size_t>(height * width), depth = static_cast<size_t>(channels);
  for (size_t c = 0; c < depth; ++c)
    for (size_t p = 0; p < area; ++p) out.values[p * depth + c] = chw[c * area + p];
  return out;
}

std::vector<double> to_planes(const Pixels& image) {
  std::vector<double> out(image.values.size());
  const auto area = static_cast<size_t>(image.height * image.width),
             depth = static_cast<size_t>(image.channels);
  for (size_t c = 0; c < depth; ++c)
    for (size_t p = 0; p < area; ++p) out[c * area + p] = image.values[p * depth + c];
  return out;
}

}  // namespace pith::data
