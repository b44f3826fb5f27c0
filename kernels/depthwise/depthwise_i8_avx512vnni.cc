// Depthwise convolution with AVX-512 VNNI: 64 channels at a time, 32 and 16 at the end.
#include <immintrin.h>
// GCC 12 takes its own _mm512_undefined_*() for a use of an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "kernels/depthwise/depthwise_i8_generic.h"
#include "kernels/depthwise/depthwise_i8_ymm.h"

namespace pith::kernels {
namespace {

struct Zmm {
  using Int = __m512i;
  using Float = __m512;
  static constexpr size_t kChannels = 64;
  struct Limits {
    Int zero, lo, hi, flip;
  };
  using Operand = Int;
  static constexpr bool kManyRegisters = true;
  static Int load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static Int load_some(const uint8_t* p, size_t n) {
    return _mm512_maskz_loadu_epi8((uint64_t{1} << n) - 1, p);
  }
  static void store_all(uint8_t* p, Int x) { _mm512_storeu_si512(p, x); }
  static Int splat(uint8_t byte) { return _mm512_set1_epi8(static_cast<char>(byte)); }
  static Int splat_dword(int32_t x) { return _mm512_set1_epi32(x); }
  static Int exclusive(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static Int both(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int low8(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
  static Int high8(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }
  static Int low16(Int a, Int b) { return _mm512_unpacklo_epi16(a, b); }
  static Int high16(Int a, Int b) { return _mm512_unpackhi_epi16(a, b); }
  static Int operand(Int x) { return x; }
  static void dot(Int& acc, Int x, const Int& w) { asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "vm"(w)); }
  static Int shift_up(Int x, unsigned bits) {
    return _mm512_sll_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int shift_down(Int x, unsigned bits) {
    return _mm512_srl_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int either(Int a, Int b) { return _mm512_or_si512(a, b); }
  // 64 dwords in natural order to lanes: a 4x4 transpose of 128-bit pieces.
  static void load_lanes(const void* from, Int (&out)[4]) {
    const auto* p = static_cast<const char*>(from);
    const Int a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 64);
    const Int c = _mm512_loadu_si512(p + 128), d = _mm512_loadu_si512(p + 192);
    const Int ab02 = _mm512_shuffle_i32x4(a, b, 0x88), ab13 = _mm512_shuffle_i32x4(a, b, 0xdd);
    const Int cd02 = _mm512_shuffle_i32x4(c, d, 0x88), cd13 = _mm512_shuffle_i32x4(c, d, 0xdd);
    out[0] = _mm512_shuffle_i32x4(ab02, cd02, 0x88), out[2] = _mm512_shuffle_i32x4(ab02, cd02, 0xdd);
    out[1] = _mm512_shuffle_i32x4(ab13, cd13, 0x88), out[3] = _mm512_shuffle_i32x4(ab13, cd13, 0xdd);
  }
  static void load_lanes(const float* from, Float (&out)[4]) {
    Int lanes[4];
    load_lanes(static_cast<const void*>(from), lanes);
    for (int i = 0; i < 4; ++i) out[i] = _mm512_castsi512_ps(lanes[i]);
  }
  static Limits limits(int32_t zero, int32_t lo, int32_t hi, uint8_t flip) {
    return {_mm512_set1_epi16(static_cast<int16_t>(zero)), _mm512_set1_epi8(static_cast<char>(lo)),
            _mm512_set1_epi8(static_cast<char>(hi)), _mm512_set1_epi8(static_cast<char>(flip))};
  }
  static Int quantize(Int acc, Float scale) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale));
  }
  static Int finish(Int a, Int b, Int c, Int d, const Float (&scale)[4], const Limits& l) {
    const Int ab = _mm512_packs_epi32(quantize(a, scale[0]), quantize(b, scale[1]));
    const Int cd = _mm512_packs_epi32(quantize(c, scale[2]), quantize(d, scale[3]));
    const Int codes = _mm512_packs_epi16(_mm512_adds_epi16(ab, l.zero), _mm512_adds_epi16(cd, l.zero));
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(codes, l.lo), l.hi), l.flip);
  }
  static void store(int8_t* y, Int codes, size_t channels) {
    if (channels == 64) return _mm512_storeu_si512(y, codes);
    _mm512_mask_storeu_epi8(y, (uint64_t{1} << channels) - 1, codes);
  }
};

struct YmmVnni : Ymm {
  using Operand = Int;
  static constexpr bool kManyRegisters = true;
  static Int operand(Int x) { return x; }
  static void dot(Int& acc, Int x, const Int& w) { asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "vm"(w)); }
};
struct XmmVnni : Xmm {
  using Operand = Int;
  static constexpr bool kManyRegisters = true;
  static Int operand(Int x) { return x; }
  static void dot(Int& acc, Int x, const Int& w) { asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "vm"(w)); }
};

}  // namespace

void depthwise_i8_avx512vnni(const DepthwiseI8Rows& a) {
  size_t c = 0;
  // Weights exist for channels rounded up to 16, so a vector is only used where it has no more than these.
  for (; a.channels - c > 48; c += 64) {
    const size_t n = a.channels - c < 64 ? a.channels - c : 64;
    depthwise_block<Zmm, 4>(a, c, n);
    if (n < 64) return;
  }
  depthwise_ymm_blocks<YmmVnni, XmmVnni, 4>(a, c);
}

}  // namespace pith::kernels
