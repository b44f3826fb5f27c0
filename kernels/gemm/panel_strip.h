// What all products with packed weights share: unrolling, a strip of channels of a panel, writing results.
// Included by ISA files only; everything is in their anonymous namespace, so no code built with wide instructions can be
// shared with other files.
#pragma once
#include "kernels/base/float16.h"
#include "kernels/base/unroll.h"
#include "kernels/gemm/panel_gemm.h"

namespace pith::kernels {
namespace {

// How tiles are cut: vectors of channels for a single row; rows x vectors for many.
template <size_t one, size_t rows, size_t many>
struct TileShape {
  static constexpr size_t kOne = one, kRows = rows, kMany = many;
};

// Groups are scaled as integers and meet floats once in a block of 128.
constexpr bool is_integer_scaled(Layout l) { return l == Layout::i4s8 || l == Layout::i4a; }

// What a strip of channels works on: `channels` of one panel from channel `first` on.
template <class V, Layout L>
struct Strip {
  const PanelGemmArgs& a;
  const PanelShape& shape;
  const uint8_t* panel;
  size_t first;
  size_t n0;  // output column of channel `first`

  size_t row_bytes() const { return 4 * shape.width; }
  const uint8_t* codes(size_t row) const { return panel + row * row_bytes() + 4 * first; }
  const uint8_t* scales(size_t g) const {
    constexpr size_t kSize = has_half_scales(L) ? 2 : 1;
    return panel + shape.scales + g * shape.scale_row + kSize * first;
  }
  const float* tail(size_t array) const {
    const void* p = panel + shape.tail + 4 * (array * shape.width + first);
    return static_cast<const float*>(p);
  }
  size_t code_rows(size_t group) const {  // of a group of 32 k: 4, fewer in the last
    const size_t left = a.w.code_rows - 4 * group;
    return left < 4 ? left : 4;
  }
  const int8_t* activations(size_t group, size_t row) const {
    return a.x.codes + (group * a.x.m + row) * kRowGroup;
  }
  const int32_t* sums(size_t group, size_t row) const {
    return a.x.sums + (group * a.x.m + row) * sum_words(V::template form<L>());
  }
  float scale(size_t group, size_t row) const { return a.x.scales[group / 4 * a.x.m + row]; }
};

// The zero points of vector v of a strip in weight group g, one byte per channel.
template <class V, Layout L>
PITH_INLINE typename V::Bytes zeros_of(const Strip<V, L>& s, size_t g, size_t v) {
  const size_t half = s.shape.width / 2, c = s.first + v * V::kLanes;
  const uint8_t* row = s.panel + s.shape.zeros + g * s.shape.zero_row;
  if constexpr (V::kLanes == 16 ||
                V::kLanes == 4) {  // a vector lies in one half: 16 lanes serve full panels only
    return V::nibbles(row + c % half, c >= half);
  } else {
    if (half % V::kLanes == 0) return V::nibbles(row + c % half, c >= half);
    uint8_t z[V::kLanes];
    for (size_t i = 0; i < V::kLanes; ++i) {
      const size_t at = c + i;
      z[i] = static_cast<uint8_t>(at >= half ? row[at - half] >> 4 : row[at] & 15);
    }
    return V::load_bytes(z);
  }
}

PITH_INLINE void prefetch(const void* at) { __builtin_prefetch(at, 0, 3); }

// Writes one vector of outputs of a row; `left` channels exist.
template <class V>
PITH_INLINE void put(const PanelGemmArgs& a, float* y, typename V::F value, size_t left) {
  value = V::clamp(value, V::splat_f(a.clamp_min), V::splat_f(a.clamp_max));
  if (left >= V::kLanes) {
    V::store_f(y, value);
    return;
  }
  float part[V::kLanes];
  V::store_f(part, value);
  for (size_t i = 0; i < left; ++i) y[i] = part[i];
}

}  // namespace
}  // namespace pith::kernels
