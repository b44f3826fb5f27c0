// Cast by blocks of a wide type that holds both sides.
#include "kernels/elementwise/cast.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace pith::kernels {
namespace {

// Clamps to the integers of type t. W holds their bounds exactly, except that double has no 2^63 - 1 or 2^64
// - 1: there the store saturates, and only the lower bound of u64 is left to do.
template <class W>
void saturate_block(DType t, W* v, size_t n) {
  if (!is_integer(t)) return;
  const unsigned bits = bits_of(t);
  const bool has_sign = is_signed_integer(t);
  const uint64_t top = ~uint64_t{0} >> (64 - bits + (has_sign ? 1 : 0));
  W high = std::numeric_limits<W>::max(), low = std::numeric_limits<W>::lowest();
  if (bits < 64 || std::is_same_v<W, uint64_t>) high = static_cast<W>(top);
  if (!has_sign) low = 0;
  if (bits < 64 && has_sign && std::numeric_limits<W>::is_signed) low = -high - 1;
  for (size_t i = 0; i < n; ++i) v[i] = v[i] < low ? low : v[i] > high ? high : v[i];
}

template <class W>
void convert(const CastArgs& a, Range elements) {
  alignas(64) W block[kBlock];
  for (size_t at = elements.begin; at < elements.end; at += kBlock) {
    const size_t n = std::min(kBlock, elements.end - at);
    load_block(a.x, at, n, block);
    if (a.saturate) saturate_block(a.y.dtype, block, n);
    store_block(block, n, a.y, at);
  }
}

// f32 holds every value of these exactly.
bool fits_f32(DType t) {
  return t == DType::f16 || t == DType::bf16 || t == DType::f32 || t == DType::boolean || bits_of(t) == 8 ||
         t == DType::i16 || t == DType::u16;
}

}  // namespace

void cast_ref(const CastArgs& a, Range elements) {
  if (a.x.dtype == a.y.dtype && bits_of(a.x.dtype) >= 8) {
    const size_t size = size_of(a.x.dtype);
    if (a.x.data != a.y.data)
      std::memcpy(static_cast<uint8_t*>(a.y.data) + elements.begin * size,
                  static_cast<const uint8_t*>(a.x.data) + elements.begin * size,
                  (elements.end - elements.begin) * size);
    return;
  }
  const bool bounded = a.saturate && is_float(a.x.dtype) && is_integer(a.y.dtype);
  if (a.x.dtype == DType::f64 || bounded) return convert<double>(a, elements);
  if (a.x.dtype == DType::u64) return convert<uint64_t>(a, elements);
  if (is_float(a.x.dtype) || (fits_f32(a.x.dtype) && is_float(a.y.dtype))) return convert<float>(a, elements);
  convert<int64_t>(a, elements);
}

}  // namespace pith::kernels
