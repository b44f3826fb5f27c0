// Every kernel for convolutions of 8-bit codes, dense and depthwise, fed the same arguments, must give the bytes of the scalar one;
// next to guard pages. The input seeds a generator that chooses everything.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/conv/conv_i8.h"
#include "kernels/depthwise/depthwise_i8.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace pith {
namespace {

using namespace kernels;
using test::GuardedBytes;

struct Arguments {
  ConvI8Shape s;
  std::vector<uint8_t> x;
  std::vector<int8_t> w;
  std::vector<int32_t> bias;
  std::vector<float> scale;
  int32_t x_zero, y_zero, y_lo, y_hi;  // x_zero: of the signed code
  uint8_t y_flip;
  bool x_is_u8;
  size_t cut, panel_cut;
};

// Output size of one dim; a window larger than the input is padded until it fits.
size_t outputs(size_t in, size_t kernel, size_t stride, size_t dilation, size_t* pad) {
  const size_t reach = (kernel - 1) * dilation + 1;
  if (in + 2 * *pad < reach) *pad = (reach - in + 1) / 2;
  return (in + 2 * *pad - reach) / stride + 1;
}

Arguments read_arguments(test::Random& r, bool depthwise) {
  const auto pick = [&](int64_t lo, int64_t hi) { return static_cast<size_t>(r.integer(lo, hi)); };
  Arguments a{};
  ConvI8Shape& s = a.s;
  s.images = pick(1, 2), s.in_h = pick(1, 14), s.in_w = pick(1, 40);
  s.kernel_h = pick(1, 5), s.kernel_w = pick(1, depthwise ? 8 : 5);
  s.stride_h = pick(1, 3), s.stride_w = pick(1, 3);
  s.dilation_h = pick(1, 3), s.dilation_w = r.integer(0, 3) == 0 ? 2 : 1;
  s.pad_top = pick(0, 3), s.pad_left = pick(0, 3);
  s.out_h = outputs(s.in_h, s.kernel_h, s.stride_h, s.dilation_h, &s.pad_top);
  s.out_w = outputs(s.in_w, s.kernel_w, s.stride_w, s.dilation_w, &s.pad_left);
  s.in_channels = s.dilation_w > 1 && !depthwise ? 4 * pick(1, 10) : pick(1, r.integer(0, 3) == 0 ? 150 : 40);
  s.out_channels = depthwise ? s.in_channels : pick(1, 80);
  const bool extreme = r.integer(0, 2) == 0;
  const auto byte = [&](int lo, int hi) { return r.integer(extreme ? 0 : lo, extreme ? 1 : hi); };
  a.x.resize(s.images * s.in_h * s.in_w * s.in_channels);
  for (uint8_t& x : a.x) x = static_cast<uint8_t>(extreme ? (byte(0, 1) != 0 ? 127 : 128) : byte(0, 255));
  a.w.resize(s.out_channels * s.kernel_h * s.kernel_w * (depthwise ? 1 : s.in_channels));
  for (int8_t& w : a.w) w = static_cast<int8_t>(extreme ? (byte(0, 1) != 0 ? 127 : -127) : byte(-127, 127));
  a.bias = r.integers<int32_t>(static_cast<int64_t>(s.out_channels), -100000, 100000);
  a.scale = r.reals(static_cast<int64_t>(s.out_channels), 1e-5f, extreme ? 1e-4f : 0.02f);
  a.x_is_u8 = r.integer(0, 1) != 0;
  a.x_zero = static_cast<int32_t>(r.integer(-128, 127)),
  a.y_zero = static_cast<int32_t>(r.integer(-128, 127));
  a.y_lo = static_cast<int32_t>(r.integer(-128, 0)), a.y_hi = static_cast<int32_t>(r.integer(0, 127));
  a.y_flip = r.integer(0, 1) != 0 ? 0x80 : 0;
  const size_t pixels = s.images * s.out_h * (depthwise ? 1 : s.out_w);
  a.cut = pick(0, static_cast<int64_t>(pixels));
  a.panel_cut = pick(0, static_cast<int64_t>((s.out_channels + 31) / 32));
  return a;
}

// Start values for a kernel that reads codes + flip.
std::vector<int32_t> starts(const Arguments& a, const int32_t* sums, uint8_t flip, size_t padded) {
  std::vector<int32_t> start(padded, 0);
  for (size_t o = 0; o < a.s.out_channels; ++o) start[o] = a.bias[o] - (a.x_zero + flip) * sums[o];
  return start;
}

int32_t stored_zero(const Arguments& a) { return a.x_is_u8 ? a.x_zero + 128 : a.x_zero; }

std::vector<uint8_t> run(const ConvI8Kernel& kernel, const Arguments& a) {
  ConvI8Plan plan;
  if (!plan_conv_i8(a.s, kernel, a.x_is_u8, &plan)) return {};
  const ConvI8Weights shape{a.s.out_channels, a.s.kernel_h, a.s.kernel_w * a.s.in_channels};
  const GuardedBytes panels(conv_i8_bytes(shape), 64), x(a.x.size()), scratch(plan.scratch_bytes, 64);
  const GuardedBytes y(plan.pixels * a.s.out_channels);
  std::copy(a.x.begin(), a.x.end(), x.data());
  pack_conv_i8(shape, a.w.data(), a.scale.data(), panels.data());
  std::vector<int32_t> sums(a.s.out_channels);
  conv_i8_sums(shape, panels.data(), sums.data());
  const std::vector<int32_t> start = starts(a, sums.data(), kernel.flip, plan.panels * 32);
  std::vector<float> scale = a.scale;
  scale.resize(plan.panels * 32);
  const ConvI8Args args{x.data(),     panels.as<int8_t>(),
                        start.data(), scale.data(),
                        y.data(),     stored_zero(a),
                        a.y_zero,     a.y_lo,
                        a.y_hi,       a.y_flip};
  for (const Range pixels : {Range{0, a.cut}, Range{a.cut, plan.pixels}})
    for (const Range some : {Range{0, a.panel_cut}, Range{a.panel_cut, plan.panels}})
      conv_i8(plan, args, pixels, some, scratch.data());
  return {y.data(), y.data() + y.size()};
}

std::vector<uint8_t> run(const DepthwiseI8Kernel& kernel, const Arguments& a) {
  const ConvI8Shape& s = a.s;
  const DepthwiseI8Shape shape{s.images,      s.in_h,       s.in_w,     s.out_h,    s.out_w,
                               s.in_channels, s.kernel_h,   s.kernel_w, s.stride_h, s.stride_w,
                               s.dilation_h,  s.dilation_w, s.pad_top,  s.pad_left};
  DepthwiseI8Plan plan;
  if (!plan_depthwise_i8(shape, kernel, a.x_is_u8, &plan)) return {};
  const size_t c = s.in_channels, padded = depthwise_channels(c);
  const GuardedBytes packed(depthwise_bytes(c, s.kernel_h, s.kernel_w), 64), x(a.x.size());
  const GuardedBytes scratch(plan.scratch_bytes, 64), y(s.images * s.out_h * s.out_w * c);
  std::copy(a.x.begin(), a.x.end(), x.data());
  pack_depthwise_i8(a.w.data(), a.scale.data(), c, s.kernel_h, s.kernel_w, packed.data());
  const std::vector<int32_t> start =
      starts(a, depthwise_sums(packed.data(), c, s.kernel_h, s.kernel_w), kernel.flip, padded);
  std::vector<float> scale = a.scale;
  scale.resize(padded);
  const DepthwiseI8Args args{x.data(),     packed.as<int8_t>(),
                             start.data(), scale.data(),
                             y.data(),     stored_zero(a),
                             a.y_zero,     a.y_lo,
                             a.y_hi,       a.y_flip};
  for (const Range rows : {Range{0, a.cut}, Range{a.cut, s.images * s.out_h}})
    depthwise_i8(plan, args, rows, scratch.data());
  return {y.data(), y.data() + y.size()};
}

// The last kernel of a list is the scalar one.
template <class Kernels>
void compare(const Kernels& all, const Arguments& a, const char* family) {
  static const Cpu cpu = detect_cpu();
  const std::vector<uint8_t> expected = run(all.data[all.count - 1], a);
  for (size_t i = 0; i + 1 < all.count; ++i) {
    if (!cpu.has(all.data[i].needs) || run(all.data[i], a) == expected) continue;
    const ConvI8Shape& s = a.s;
    std::fprintf(stderr,
                 "%s %s differs from the reference: x [%zu, %zu, %zu, %zu], kernel %zu x %zu, stride %zu, "
                 "%zu, dilation "
                 "%zu, %zu, pad %zu, %zu, %zu outputs\n",
                 family, all.data[i].name, s.images, s.in_h, s.in_w, s.in_channels, s.kernel_h, s.kernel_w,
                 s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.out_channels);
    std::abort();
  }
}

}  // namespace
}  // namespace pith

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pith;
  std::seed_seq seed(data, data + (size < 256 ? size : 256));
  std::mt19937_64 rng(seed);
  test::Random random(rng());
  if (random.integer(0, 1) != 0)
    compare(kernels::conv_i8_kernels(), read_arguments(random, false), "conv_i8");
  else
    compare(kernels::depthwise_i8_kernels(), read_arguments(random, true), "depthwise_i8");
  return 0;
}
