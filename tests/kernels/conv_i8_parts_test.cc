// Convolutions in groups and transposed ones, made of dense ones, against the plain loops, bit for bit, by every tile of the list.
#include "kernels/conv/conv_i8_parts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernels/conv/conv_transpose.h"
#include "tests/support/flat_window.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

using test::GuardedBytes;
using test::Random;

// The operator as random numbers and the plain loops' answer.
struct Case {
  ConvPartsShape s;
  std::vector<int8_t> x, w, expected;
  std::vector<int32_t> bias;
  std::vector<float> scale;
  int32_t x_zero, y_zero;
  size_t outputs;

  Case(const ConvPartsShape& shape, Random& random) : s(shape) {
    const ConvI8Shape& c = s.whole;
    const auto count = [](size_t n) { return static_cast<int64_t>(n); };
    outputs = c.images * c.out_h * c.out_w;
    x = random.integers<int8_t>(count(c.images * c.in_h * c.in_w * c.in_channels), -128, 127);
    w = random.integers<int8_t>(count(c.out_channels * c.kernel_h * c.kernel_w * s.in_each()), -127, 127);
    bias = random.integers<int32_t>(count(c.out_channels), -3000, 3000);
    scale = random.reals(count(c.out_channels), 0.00005f, 0.005f);
    x_zero = static_cast<int32_t>(random.integer(-128, 127));
    y_zero = static_cast<int32_t>(random.integer(-128, 127));
    expected.resize(outputs * c.out_channels);
    const int32_t zero = 0;
    ConvCodesArgs r{};
    r.window = test::flat_window(c);
    r.in_channels = c.in_channels, r.out_channels = c.out_channels, r.groups = s.groups;
    r.x = x.data(), r.w = w.data(), r.bias = bias.data(), r.y = expected.data();
    r.x_zero = x_zero, r.w_zero = &zero, r.scale = scale.data(), r.scale_stride = 1;
    r.y_zero = y_zero, r.y_lo = -121, r.y_hi = 122;
    const auto plain = s.transposed ? conv_transpose_codes_ref<int8_t, int8_t, int8_t>
                                    : conv_codes_ref<int8_t, int8_t, int8_t>;
    plain(r, {0, outputs});
  }
};

// All parts of one phase and group, in two halves of rows.
void run_phase(const Case& c, const ConvI8Kernel& kernel, const ConvPhase& phase, size_t group, int8_t* x,
               int8_t* y) {
  const size_t each = c.s.out_each(), taps = phase.bare ? 0 : phase.h.taps * phase.w.taps;
  const size_t padded = (each + 31) / 32 * 32;
  std::vector<int8_t> codes(each * taps * c.s.in_each());
  conv_phase_weights(c.s, phase, group, c.w.data(), codes.data());
  std::vector<int32_t> sums(each, 0), start(padded, 0);
  std::vector<float> scale(padded, 0);
  const ConvI8Weights shape{each, phase.h.taps, phase.w.taps * c.s.in_each()};
  GuardedBytes panels(phase.bare ? 0 : conv_i8_bytes(shape));
  if (!phase.bare) {
    pack_conv_i8(shape, codes.data(), c.scale.data() + group * each, panels.as<int8_t>());
    conv_i8_sums(shape, panels.as<int8_t>(), sums.data());
  }
  for (size_t o = 0; o < each; ++o) {
    start[o] = c.bias[group * each + o] - (c.x_zero + kernel.flip) * sums[o];
    scale[o] = c.scale[group * each + o];
  }
  const ConvI8Args a{x, panels.as<int8_t>(), start.data(), scale.data(), y, c.x_zero, c.y_zero, -121, 122, 0};
  GuardedBytes scratch(phase.scratch_bytes);
  const size_t cut = phase.h.count / 2;
  for (size_t image = 0; image < c.s.whole.images; ++image)
    for (const Range rows : {Range{0, cut}, Range{cut, phase.h.count}})
      conv_i8_part(c.s, phase, a, {image, group}, rows, scratch.as<uint8_t>());
}

void check(const ConvPartsShape& s, Random& random) {
  const Case c(s, random);
  GuardedBytes x(c.x.size());
  std::copy(c.x.begin(), c.x.end(), x.as<int8_t>());
  const ConvI8Kernels all = conv_i8_kernels();
  for (size_t k = 0; k < all.count; ++k) {
    if (!detect_cpu().has(all.data[k].needs)) continue;
    GuardedBytes y(c.expected.size());
    for (size_t i = 0; i < s.phases(); ++i) {
      ConvPhase phase;
      REQUIRE(plan_conv_phase(s, i, all.data[k], false, &phase));
      for (size_t g = 0; g < s.groups; ++g)
        run_phase(c, all.data[k], phase, g, x.as<int8_t>(), y.as<int8_t>());
    }
    size_t wrong = 0;
    for (size_t n = 0; n < c.expected.size(); ++n) wrong += y.as<int8_t>()[n] != c.expected[n];
    const ConvI8Shape& w = s.whole;
    INFO(all.data[k].name << (s.transposed ? " transposed " : " ") << w.in_h << "x" << w.in_w << "x"
                          << w.in_channels << " to " << w.out_h << "x" << w.out_w << "x" << w.out_channels
                          << " groups " << s.groups << " kernel " << w.kernel_h << "x" << w.kernel_w
                          << " stride " << w.stride_h << "," << w.stride_w << " dilation " << w.dilation_w
                          << " pad " << w.pad_top << "," << w.pad_left);
    CHECK(wrong == 0);
  }
}

struct Geometry {
  size_t kernel, stride, dilation, pad;
};

ConvPartsShape grouped(size_t h, size_t w, size_t groups, size_t in, size_t out, const Geometry& g) {
  const size_t reach = (g.kernel - 1) * g.dilation + 1;
  return {
      {2, h, w, (h + 2 * g.pad - reach) / g.stride + 1, (w + 2 * g.pad - reach) / g.stride + 1, in * groups,
       out * groups, g.kernel, g.kernel, g.stride, g.stride, g.dilation, g.dilation, g.pad, g.pad},
      groups,
      false};
}

ConvPartsShape transposed(size_t h, size_t w, size_t groups, size_t in, size_t out, const Geometry& g,
                          size_t more) {
  const size_t reach = (g.kernel - 1) * g.dilation + 1 + more;
  return {
      {2, h, w, (h - 1) * g.stride + reach - 2 * g.pad, (w - 1) * g.stride + reach - 2 * g.pad, in * groups,
       out * groups, g.kernel, g.kernel, g.stride, g.stride, g.dilation, g.dilation, g.pad, g.pad},
      groups,
      true};
}

}  // namespace

TEST_CASE("convolutions in groups give the codes of the plain loops for any channels and window") {
  Random random(31);
  for (size_t groups : {2, 3, 5})
    for (size_t in : {1, 2, 3, 4, 8, 16, 19})
      for (size_t out : {1, 5, 8, 33})
        for (const Geometry& g :
             {Geometry{1, 1, 1, 0}, {1, 2, 1, 0}, {3, 1, 1, 1}, {3, 2, 1, 1}, {5, 3, 1, 2}})
          check(grouped(7, 6, groups, in, out, g), random);
  for (size_t in : {4, 12}) check(grouped(11, 9, 2, in, 40, {3, 1, 2, 2}), random);
}

TEST_CASE("transposed convolutions give the codes of the plain loops for any stride, dilation and padding") {
  Random random(32);
  for (size_t kernel : {1, 2, 3, 4, 5})
    for (size_t stride : {1, 2, 3})
      for (size_t pad = 0; 2 * pad <= kernel + 1; ++pad)
        for (size_t more = 0; more < stride; ++more)
          check(transposed(4, 5, 1, 4, 9, {kernel, stride, 1, pad}, more), random);
  for (size_t dilation : {2, 3})
    for (size_t stride : {1, 2, 3, 4}) check(transposed(5, 4, 1, 8, 35, {3, stride, dilation, 1}, 0), random);
  for (size_t in : {1, 3, 7})
    for (size_t groups : {1, 2, 3}) check(transposed(3, 4, groups, in, 6, {3, 2, 1, 1}, 1), random);
  check(transposed(1, 1, 1, 16, 16, {4, 2, 1, 1}, 0), random);
  check(transposed(2, 2, 1, 4, 4, {2, 2, 1, 1}, 0), random);
}

TEST_CASE("parts of random shapes give the codes of the plain loops") {
  Random random(33);
  for (int round = 0; round < 60; ++round) {
    const auto pick = [&](int lo, int hi) { return static_cast<size_t>(random.integer(lo, hi)); };
    const Geometry g{pick(1, 4), pick(1, 3), pick(1, 2), pick(0, 2)};
    const size_t in = g.dilation > 1 ? 4 * pick(1, 5) : pick(1, 40), h = pick(8, 17), w = pick(8, 17);
    check(grouped(h, w, pick(2, 4), in, pick(1, 40), g), random);
    check(transposed(h / 4 + 2, w / 4 + 2, pick(1, 3), in, pick(1, 40), {g.kernel, g.stride, g.dilation, 0},
                     pick(0, 2)),
          random);
  }
}

}  // namespace pith::kernels
