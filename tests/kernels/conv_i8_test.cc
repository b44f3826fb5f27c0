// Every i8 convolution kernel of the list against the plain convolution of codes, bit for bit.
#include "kernels/conv/conv_i8.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/conv/conv.h"
#include "tests/support/flat_window.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

using test::GuardedBytes;
using test::Random;

ConvI8Shape shape_of(size_t h, size_t w, size_t in, size_t out, size_t kh, size_t kw, size_t stride,
                     size_t dilation, size_t pad) {
  ConvI8Shape s{2, h, w, 0, 0, in, out, kh, kw, stride, stride, dilation, dilation, pad, pad};
  s.out_h = (h + 2 * pad - (kh - 1) * dilation - 1) / stride + 1;
  s.out_w = (w + 2 * pad - (kw - 1) * dilation - 1) / stride + 1;
  return s;
}

// w[O, kh, kw, C] as panels, and the sums of its rows.
void pack(const ConvI8Shape& s, const std::vector<int8_t>& w, size_t panel_bytes, int8_t* out,
          std::vector<int32_t>* sums) {
  const size_t run = s.kernel_w * s.in_channels, padded = (run + 3) / 4 * 4;
  sums->assign(s.out_channels, 0);
  for (size_t o = 0; o < s.out_channels; ++o) {
    const size_t panel = o / 32, width = std::min<size_t>(32, (s.out_channels - panel * 32 + 7) / 8 * 8);
    for (size_t ky = 0; ky < s.kernel_h; ++ky)
      for (size_t i = 0; i < run; ++i) {
        const size_t k = ky * padded + i;
        const int8_t value = w[(o * s.kernel_h + ky) * run + i];
        out[panel * panel_bytes + k / 4 * 4 * width + o % 32 * 4 + k % 4] = value;
        (*sums)[o] += value;
      }
  }
}

struct Grid {
  int x_lo = -128, x_hi = 127, w_lo = -127, w_hi = 127;
};

void check(const ConvI8Shape& s, Random& random, const Grid& g = {}) {
  const auto count = [](size_t n) { return static_cast<int64_t>(n); };
  const size_t taps = s.kernel_h * s.kernel_w, outputs = s.images * s.out_h * s.out_w;
  const auto x = random.integers<int8_t>(count(s.images * s.in_h * s.in_w * s.in_channels), g.x_lo, g.x_hi);
  const auto w = random.integers<int8_t>(count(s.out_channels * taps * s.in_channels), g.w_lo, g.w_hi);
  const auto bias = random.integers<int32_t>(count(s.out_channels), -3000, 3000);
  const auto scale = random.reals(count(s.out_channels), 0.00005f, 0.005f);
  const int32_t x_zero = static_cast<int32_t>(random.integer(-128, 127));
  const int32_t zero = 0, y_zero = static_cast<int32_t>(random.integer(-128, 127));
  std::vector<int8_t> expected(outputs * s.out_channels);
  ConvCodesArgs r{};
  r.window = test::flat_window(s);
  r.in_channels = s.in_channels, r.out_channels = s.out_channels, r.groups = 1;
  r.x = x.data(), r.w = w.data(), r.bias = bias.data(), r.y = expected.data();
  r.x_zero = x_zero, r.w_zero = &zero, r.scale = scale.data(), r.scale_stride = 1;
  r.y_zero = y_zero, r.y_lo = -121, r.y_hi = 122;
  conv_codes_ref<int8_t, int8_t, int8_t>(r, {0, outputs});

  GuardedBytes x_memory(x.size());
  std::copy(x.begin(), x.end(), x_memory.as<int8_t>());
  const ConvI8Kernels all = conv_i8_kernels();
  for (size_t i = 0; i < all.count; ++i) {
    const ConvI8Kernel& kernel = all.data[i];
    if (!detect_cpu().has(kernel.needs)) continue;
    ConvI8Plan plan;
    REQUIRE(plan_conv_i8(s, kernel, false, &plan));
    const size_t last = (s.out_channels - (plan.panels - 1) * 32 + 7) / 8 * 8;
    GuardedBytes packed((plan.panels - 1) * plan.panel_bytes + (conv_i8_k(s) + 7) / 8 * 8 * last);
    std::vector<int32_t> sums, start(plan.panels * 32);
    std::vector<float> scales(plan.panels * 32);
    pack(s, w, plan.panel_bytes, packed.as<int8_t>(), &sums);
    for (size_t o = 0; o < s.out_channels; ++o)
      start[o] = bias[o] - (x_zero + kernel.flip) * sums[o], scales[o] = scale[o];
    GuardedBytes y(expected.size()), scratch(plan.scratch_bytes);
    const ConvI8Args a{x_memory.as<int8_t>(),
                       packed.as<int8_t>(),
                       start.data(),
                       scales.data(),
                       y.as<int8_t>(),
                       x_zero,
                       y_zero,
                       r.y_lo,
                       r.y_hi,
                       0};
    const size_t cut = outputs / 3, middle = plan.panels / 2;
    for (const Range pixels : {Range{0, cut}, Range{cut, outputs}})
      for (const Range panels : {Range{0, middle}, Range{middle, plan.panels}})
        conv_i8(plan, a, pixels, panels, scratch.as<uint8_t>());
    size_t wrong = 0;
    for (size_t n = 0; n < expected.size(); ++n) wrong += y.as<int8_t>()[n] != expected[n];
    INFO(kernel.name << " " << s.in_h << "x" << s.in_w << "x" << s.in_channels << " to " << s.out_channels
                     << " kernel " << s.kernel_h << "x" << s.kernel_w << " stride " << s.stride_w
                     << " dilation " << s.dilation_w << " pad " << s.pad_left);
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("i8 products give the codes of the plain loops for every height of tile and width of panel") {
  Random random(21);
  for (size_t m = 1; m <= 17; ++m)
    for (size_t n : {1, 7, 8, 9, 16, 17, 24, 25, 31, 32, 33, 40, 70})
      check(shape_of(1, m, 8, n, 1, 1, 1, 1, 0), random);
  for (size_t m : {31, 33, 120, 130})
    for (size_t k : {1, 2, 3, 4, 5, 31, 64, 100}) check(shape_of(1, m, k, 37, 1, 1, 1, 1, 0), random);
}

TEST_CASE(
    "i8 convolutions give the codes of the plain loops for every kernel, stride, padding and dilation") {
  Random random(22);
  for (size_t channels : {1, 3, 4, 8, 20})
    for (size_t kernel : {1, 2, 3, 5})
      for (size_t stride : {1, 2, 3})
        for (size_t pad : {0, 1, 3})
          check(shape_of(9, 8, channels, 19, kernel, kernel, stride, 1, pad), random);
  for (size_t channels : {4, 12}) check(shape_of(11, 12, channels, 40, 3, 3, 1, 2, 2), random);
  check(shape_of(49, 10, 1, 64, 10, 4, 2, 1, 4), random);
  check(shape_of(1, 1, 16, 16, 3, 3, 1, 1, 1), random);
  check(shape_of(40, 70, 16, 16, 3, 3, 1, 1, 1), random);
}

TEST_CASE("i8 convolutions hold the extremes of codes and weights over long sums") {
  Random random(23);
  for (int w : {-127, 127})
    for (int x : {-128, 127}) check(shape_of(3, 5, 1000, 33, 3, 3, 1, 1, 1), random, {x, x, w, w});
}

}  // namespace pith::kernels
