// Shape text, sizes, and number conversion of HostTensor.
#include "converter/data/host_tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/base/float16.h"
#include "runtime/base/checked.h"

namespace pith::data {

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return text + "]";
}

bool tensor_bytes(std::span<const int64_t> shape, DType dtype, uint64_t* out) {
  uint64_t bytes = size_of(dtype);
  bool empty = false;
  for (int64_t d : shape) {
    if (d < 0) return false;
    if (d == 0)
      empty = true;
    else if (!checked_mul(bytes, static_cast<uint64_t>(d), &bytes))
      return false;
  }
  *out = empty ? 0 : bytes;
  return bytes <= uint64_t(std::numeric_limits<int64_t>::max());
}

namespace {

template <class T>
double widen(T value) {
  return static_cast<double>(value);
}
double widen(f16 value) { return static_cast<double>(to_float(value)); }
double widen(bf16 value) { return static_cast<double>(to_float(value)); }
struct Bool8 {  // not bool: a file may hold bytes other than 0 and 1
  uint8_t bits = 0;
};
double widen(Bool8 value) { return value.bits != 0 ? 1 : 0; }

template <class T>
T narrow(double x) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    if (std::isnan(x)) return 0;
    const double r = std::nearbyint(x);  // default rounding mode: half to even
    // The bounds as doubles: for 64-bit types max() rounds up to 2^63 or 2^64, hence >= there.
    if (r <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (r >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(r);
  } else {
    return static_cast<T>(x);
  }
}
// Through float: double rounding can differ from the direct one by one unit of the half format in rare ties.
template <>
f16 narrow<f16>(double x) {
  return to_f16(static_cast<float>(x));
}
template <>
bf16 narrow<bf16>(double x) {
  return to_bf16(static_cast<float>(x));
}
template <>
Bool8 narrow<Bool8>(double x) {
  return {static_cast<uint8_t>(x != 0)};
}

template <class T>
struct Tag {
  using type = T;
};

template <class F>
void dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(Tag<float>{});
    case DType::f16:
      return f(Tag<f16>{});
    case DType::bf16:
      return f(Tag<bf16>{});
    case DType::f64:
      return f(Tag<double>{});
    case DType::i8:
      return f(Tag<int8_t>{});
    case DType::u8:
      return f(Tag<uint8_t>{});
    case DType::i16:
      return f(Tag<int16_t>{});
    case DType::u16:
      return f(Tag<uint16_t>{});
    case DType::i32:
      return f(Tag<int32_t>{});
    case DType::u32:
      return f(Tag<uint32_t>{});
    case DType::i64:
      return f(Tag<int64_t>{});
    case DType::u64:
      return f(Tag<uint64_t>{});
    case DType::boolean:
      return f(Tag<Bool8>{});
    case DType::none:
    case DType::i4:
    case DType::u4:
      return;
  }
}

}  // namespace

void to_doubles(DType dtype, const std::byte* from, size_t count, double* to) {
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, from + i * sizeof(T), sizeof(T));
      to[i] = widen(value);
    }
  });
}

void from_doubles(DType dtype, const double* from, size_t count, std::byte* to) {
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < count; ++i) {
      const T value = narrow<T>(from[i]);
      std::memcpy(to + i * sizeof(T), &value, sizeof(T));
    }
  });
}

}  // namespace pith::data
