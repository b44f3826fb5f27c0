// Every depthwise kernel of the list against the plain convolution of codes, bit for bit.
#include "kernels/depthwise/depthwise_i8.h"

#include <doctest/doctest.h>

#include <vector>

#include "kernels/conv/conv.h"
#include "tests/support/flat_window.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

using test::GuardedBytes;
using test::Random;

struct Case {
  DepthwiseI8Shape s;
  int8_t x_lo = -128, x_hi = 127;
};

DepthwiseI8Shape shape_of(size_t h, size_t w, size_t channels, size_t kh, size_t kw, size_t stride,
                          size_t dilation) {
  DepthwiseI8Shape s{2,
                     h,
                     w,
                     0,
                     0,
                     channels,
                     kh,
                     kw,
                     stride,
                     stride,
                     dilation,
                     dilation,
                     (kh - 1) * dilation / 2,
                     (kw - 1) * dilation / 2};
  s.out_h = (h + 2 * s.pad_top - (kh - 1) * dilation - 1) / stride + 1;
  s.out_w = (w + 2 * s.pad_left - (kw - 1) * dilation - 1) / stride + 1;
  return s;
}

void check(const Case& k, Random& random) {
  const DepthwiseI8Shape& s = k.s;
  const size_t c = s.channels, taps = s.kernel_h * s.kernel_w;
  const auto count = [](size_t n) { return static_cast<int64_t>(n); };
  const auto x = random.integers<int8_t>(count(s.images * s.in_h * s.in_w * c), k.x_lo, k.x_hi);
  const auto w = random.integers<int8_t>(count(c * taps), -127, 127);
  const auto bias = random.integers<int32_t>(count(c), -3000, 3000);
  const auto scale = random.reals(count(c), 0.0005f, 0.01f);
  const int32_t x_zero = static_cast<int32_t>(random.integer(-128, 127));
  const int32_t zero = 0, y_zero = static_cast<int32_t>(random.integer(-128, 127));
  std::vector<int8_t> expected(s.images * s.out_h * s.out_w * c);
  ConvCodesArgs r{};
  r.window = test::flat_window(s);
  r.in_channels = r.out_channels = r.groups = c;
  r.x = x.data(), r.w = w.data(), r.bias = bias.data(), r.y = expected.data();
  r.x_zero = x_zero, r.w_zero = &zero, r.scale = scale.data(), r.scale_stride = 1;
  r.y_zero = y_zero, r.y_lo = -120, r.y_hi = 119;
  conv_codes_ref<int8_t, int8_t, int8_t>(r, {0, s.images * s.out_h * s.out_w});

  GuardedBytes packed(depthwise_bytes(c, s.kernel_h, s.kernel_w));
  pack_depthwise_i8(w.data(), scale.data(), c, s.kernel_h, s.kernel_w, packed.data());
  GuardedBytes x_memory(x.size());
  std::copy(x.begin(), x.end(), x_memory.as<int8_t>());
  const DepthwiseI8Kernels all = depthwise_i8_kernels();
  for (size_t i = 0; i < all.count; ++i) {
    const DepthwiseI8Kernel& kernel = all.data[i];
    if (!detect_cpu().has(kernel.needs)) continue;
    DepthwiseI8Plan plan;
    REQUIRE(plan_depthwise_i8(s, kernel, false, &plan));
    std::vector<int32_t> start(depthwise_channels(c));
    std::vector<float> scales(depthwise_channels(c));
    for (size_t o = 0; o < c; ++o) {
      start[o] =
          bias[o] - (x_zero + kernel.flip) * depthwise_sums(packed.data(), c, s.kernel_h, s.kernel_w)[o];
      scales[o] = scale[o];
    }
    GuardedBytes y(expected.size()), scratch(plan.scratch_bytes);
    const DepthwiseI8Args a{x_memory.as<int8_t>(),
                            packed.as<int8_t>(),
                            start.data(),
                            scales.data(),
                            y.as<int8_t>(),
                            x_zero,
                            y_zero,
                            r.y_lo,
                            r.y_hi,
                            0};
    const size_t rows = s.images * s.out_h, cut = rows / 3;
    depthwise_i8(plan, a, {0, cut}, scratch.as<uint8_t>());
    depthwise_i8(plan, a, {cut, rows}, scratch.as<uint8_t>());
    size_t wrong = 0;
    for (size_t n = 0; n < expected.size(); ++n) wrong += y.as<int8_t>()[n] != expected[n];
    INFO(kernel.name << " " << s.in_h << "x" << s.in_w << "x" << c << " kernel " << s.kernel_h << "x"
                     << s.kernel_w << " stride " << s.stride_w << " dilation " << s.dilation_w);
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("depthwise kernels give the codes of the plain convolution for every width of kernel and vector") {
  Random random(11);
  for (size_t channels : {1, 8, 16, 17, 31, 32, 40, 56, 64, 65, 100, 144})
    for (size_t kernel : {1, 2, 3, 5, 7})
      for (size_t stride : {1, 2, 3})
        check({shape_of(9, 7 + channels % 5, channels, kernel, kernel, stride, 1)}, random);
}

TEST_CASE("depthwise kernels walk dilated and oblong kernels, larger than the input, too") {
  Random random(12);
  for (size_t channels : {5, 24, 72}) {
    check({shape_of(11, 10, channels, 3, 3, 1, 2)}, random);
    check({shape_of(11, 10, channels, 5, 5, 2, 3)}, random);
    check({shape_of(5, 3, channels, 1, 8, 1, 1)}, random);
    check({shape_of(1, 1, channels, 3, 3, 1, 1)}, random);
    check({shape_of(3, 2, channels, 7, 5, 1, 1)}, random);
    check({shape_of(8, 40, channels, 8, 1, 2, 1)}, random);
  }
}

TEST_CASE("depthwise kernels hold the extremes of codes and weights") {
  Random random(13);
  for (int8_t code : {int8_t{-128}, int8_t{127}}) check({shape_of(6, 6, 48, 5, 5, 1, 1), code, code}, random);
}

TEST_CASE("depthwise weights come back as they were packed") {
  Random random(14);
  const auto w = random.integers<int8_t>(20 * 3 * 5, -127, 127);
  const auto scales = random.reals(20, 0.1f, 1);
  std::vector<int8_t> packed(depthwise_bytes(20, 3, 5)), back(w.size());
  std::vector<float> back_scales(20);
  pack_depthwise_i8(w.data(), scales.data(), 20, 3, 5, packed.data());
  unpack_depthwise_i8(packed.data(), 20, 3, 5, back.data(), back_scales.data());
  CHECK(back == w);
  CHECK(back_scales == scales);
}

}  // namespace pith::kernels
