// Conversions between storage types and the four wide types.
#include "kernels/elementwise/block.h"

#include <limits>
#include <type_traits>

#include "kernels/base/float16.h"
#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

// Truncation without undefined behaviour: NaN is 0, what does not fit becomes the nearest integer that does.
template <class I, class F>
I truncate(F x) {
  constexpr F kEnd = static_cast<F>(std::numeric_limits<I>::max());  // 2^63 or 2^64 after rounding up
  if (!(x == x)) return 0;
  if (x >= kEnd) return std::numeric_limits<I>::max();
  if (x <= static_cast<F>(std::numeric_limits<I>::min())) return std::numeric_limits<I>::min();
  return static_cast<I>(x);
}

template <class W, class T>
W widen(T x) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>)
    return widen<W>(to_float(x));
  else if constexpr (std::is_integral_v<W> && std::is_floating_point_v<T>)
    return truncate<W>(x);
  else
    return static_cast<W>(x);
}

template <class T, class W>
T narrow(W x) {
  if constexpr (std::is_same_v<T, f16>)
    return to_f16(static_cast<float>(x));
  else if constexpr (std::is_same_v<T, bf16>)
    return to_bf16(static_cast<float>(x));
  else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<W>)
    return std::is_same_v<T, uint64_t> && x > 0 ? static_cast<T>(truncate<uint64_t>(x))
                                                : static_cast<T>(truncate<int64_t>(x));
  else
    return static_cast<T>(x);
}

template <class T, class W>
void load(const Lane& from, size_t first, size_t n, W* out) {
  const T* x = static_cast<const T*>(from.data) + first;
  for (size_t i = 0; i < n; ++i) out[i] = widen<W>(x[i]);
}

template <class T>
void load_codes(const Lane& from, size_t first, size_t n, float* out) {
  const T* x = static_cast<const T*>(from.data) + first;
  for (size_t i = 0; i < n; ++i) out[i] = from.scale * static_cast<float>(x[i] - from.zero);
}

template <class W>
void load_nibbles(const Lane& from, size_t first, size_t n, W* out) {
  const auto* bytes = static_cast<const uint8_t*>(from.data);
  for (size_t i = 0; i < n; ++i) {
    const size_t at = first + i;
    const int code = bytes[at / 2] >> (at % 2 * 4) & 15;
    out[i] = static_cast<W>(from.dtype == DType::i4 && code > 7 ? code - 16 : code);
  }
}

template <class T, class W>
void store(const W* in, size_t n, const Lane& to, size_t first) {
  T* y = static_cast<T*>(to.data) + first;
  for (size_t i = 0; i < n; ++i) y[i] = narrow<T>(in[i]);
}

template <class W>
void store_bool(const W* in, size_t n, const Lane& to, size_t first) {
  auto* y = static_cast<uint8_t*>(to.data) + first;
  for (size_t i = 0; i < n; ++i) y[i] = in[i] != 0;
}

template <class T>
void store_codes(const float* in, size_t n, const Lane& to, size_t first) {
  T* y = static_cast<T*>(to.data) + first;
  constexpr int32_t kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<T>(quantize(in[i], to.scale, to.zero, kLow, kHigh));
}

template <class W>
void store_nibbles(const W* in, size_t n, const Lane& to, size_t first) {
  auto* bytes = static_cast<uint8_t*>(to.data) + first / 2;
  for (size_t i = 0; i < n; i += 2) {
    const int low = narrow<uint8_t>(in[i]) & 15;
    const int high = i + 1 < n ? narrow<uint8_t>(in[i + 1]) & 15 : 0;
    bytes[i / 2] = static_cast<uint8_t>(low | high << 4);
  }
}

}  // namespace

template <class W>
void load_block(const Lane& from, size_t first, size_t n, W* out) {
  if constexpr (std::is_same_v<W, float>)
    if (from.quantized)
      return from.dtype == DType::u8 ? load_codes<uint8_t>(from, first, n, out)
                                     : load_codes<int8_t>(from, first, n, out);
  switch (from.dtype) {
    case DType::f32:
      return load<float>(from, first, n, out);
    case DType::f16:
      return load<f16>(from, first, n, out);
    case DType::bf16:
      return load<bf16>(from, first, n, out);
    case DType::f64:
      return load<double>(from, first, n, out);
    case DType::i8:
      return load<int8_t>(from, first, n, out);
    case DType::u8:
    case DType::boolean:
      return load<uint8_t>(from, first, n, out);
    case DType::i16:
      return load<int16_t>(from, first, n, out);
    case DType::u16:
      return load<uint16_t>(from, first, n, out);
    case DType::i32:
      return load<int32_t>(from, first, n, out);
    case DType::u32:
      return load<uint32_t>(from, first, n, out);
    case DType::i64:
      return load<int64_t>(from, first, n, out);
    case DType::u64:
      return load<uint64_t>(from, first, n, out);
    case DType::i4:
    case DType::u4:
      return load_nibbles(from, first, n, out);
    case DType::none:
      return;
  }
}

template <class W>
void store_block(const W* in, size_t n, const Lane& to, size_t first) {
  if constexpr (std::is_same_v<W, float>)
    if (to.quantized)
      return to.dtype == DType::u8 ? store_codes<uint8_t>(in, n, to, first)
                                   : store_codes<int8_t>(in, n, to, first);
  switch (to.dtype) {
    case DType::f32:
      return store<float>(in, n, to, first);
    case DType::f16:
      return store<f16>(in, n, to, first);
    case DType::bf16:
      return store<bf16>(in, n, to, first);
    case DType::f64:
      return store<double>(in, n, to, first);
    case DType::i8:
      return store<int8_t>(in, n, to, first);
    case DType::u8:
      return store<uint8_t>(in, n, to, first);
    case DType::boolean:
      return store_bool(in, n, to, first);
    case DType::i16:
      return store<int16_t>(in, n, to, first);
    case DType::u16:
      return store<uint16_t>(in, n, to, first);
    case DType::i32:
      return store<int32_t>(in, n, to, first);
    case DType::u32:
      return store<uint32_t>(in, n, to, first);
    case DType::i64:
      return store<int64_t>(in, n, to, first);
    case DType::u64:
      return store<uint64_t>(in, n, to, first);
    case DType::i4:
    case DType::u4:
      return store_nibbles(in, n, to, first);
    case DType::none:
      return;
  }
}

#define PITH_WIDE(W)                                            \
  template void load_block<W>(const Lane&, size_t, size_t, W*); \
  template void store_block<W>(const W*, size_t, const Lane&, size_t);
PITH_WIDE(float)
PITH_WIDE(double)
PITH_WIDE(int64_t)
PITH_WIDE(uint64_t)
#undef PITH_WIDE

}  // namespace pith::kernels
