// Weighted sums along an axis, and copies by index tables.
#include "kernels/resize/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/move/words.h"

namespace pith::kernels {
namespace {

constexpr size_t kChunk = 256;  // floats summed at a time: stays in the first-level cache

template <class T>
T finish(float v) {
  if constexpr (std::is_same_v<T, float>) {
    return v;
  } else {
    const float low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    return static_cast<T>(std::nearbyint(std::clamp(v, low, high)));
  }
}

// One output position: all inner elements.
template <class X, class Y>
void blend(const ResizeAxisArgs& a, const X* x, Y* y, size_t o) {
  const int64_t* index = a.index + o * a.taps;
  const float* weight = a.weight + o * a.taps;
  for (size_t begin = 0; begin < a.inner; begin += kChunk) {
    const size_t n = std::min(kChunk, a.inner - begin);
    float sum[kChunk];
    for (size_t t = 0; t < a.taps; ++t) {
      const X* row = x + static_cast<size_t>(index[t]) * a.inner + begin;
      const float w = weight[t];
      if (t == 0)
        for (size_t i = 0; i < n; ++i) sum[i] = w * static_cast<float>(row[i]);
      else
        for (size_t i = 0; i < n; ++i) sum[i] += w * static_cast<float>(row[i]);
    }
    for (size_t i = 0; i < n; ++i) y[begin + i] = finish<Y>(sum[i]);
  }
}

// The axis is the last one: one sum per output.
template <class X, class Y>
void blend_line(const ResizeAxisArgs& a, const X* x, Y* y) {
  const int64_t* index = a.index;
  const float* weight = a.weight;
  if (a.taps == 2) {
    for (size_t o = 0; o < a.out; ++o, index += 2, weight += 2)
      y[o] = finish<Y>(weight[0] * static_cast<float>(x[index[0]]) +
                       weight[1] * static_cast<float>(x[index[1]]));
    return;
  }
  for (size_t o = 0; o < a.out; ++o, index += a.taps, weight += a.taps) {
    float sum = 0;
    for (size_t t = 0; t < a.taps; ++t) sum += weight[t] * static_cast<float>(x[index[t]]);
    y[o] = finish<Y>(sum);
  }
}

template <class X, class Y>
void resize_axis(const ResizeAxisArgs& a, Range outer) {
  for (size_t r = outer.begin; r < outer.end; ++r) {
    const X* x = static_cast<const X*>(a.x) + r * a.in * a.inner;
    Y* y = static_cast<Y*>(a.y) + r * a.out * a.inner;
    if (a.inner == 1)
      blend_line(a, x, y);
    else
      for (size_t o = 0; o < a.out; ++o) blend(a, x, y + o * a.inner, o);
    if (a.outside == nullptr) continue;
    for (size_t o = 0; o < a.out; ++o)
      if (a.outside[o] != 0) std::fill_n(y + o * a.inner, a.inner, finish<Y>(a.extrapolation));
  }
}

template <class X>
void with_output(const ResizeAxisArgs& a, Range outer) {
  if (a.y_dtype == DType::f32) return resize_axis<X, float>(a, outer);
  if (a.y_dtype == DType::i8) return resize_axis<X, int8_t>(a, outer);
  return resize_axis<X, uint8_t>(a, outer);
}

template <class T>
void nearest_row(const ResizeNearestArgs& a, const T* x, T* y) {
  const int last = a.rank - 1;
  const int64_t* index = a.index[last];
  const size_t n = a.y_dims[last], step = a.x_stride[last];
  if (index == nullptr)
    std::memcpy(y, x, n * a.block * sizeof(T));
  else if (a.block == 1)
    for (size_t j = 0; j < n; ++j) y[j] = x[static_cast<size_t>(index[j]) * step];
  else
    for (size_t j = 0; j < n; ++j)
      std::memcpy(y + j * a.block, x + static_cast<size_t>(index[j]) * step, a.block * sizeof(T));
  if (a.outside[last] == nullptr) return;
  T value;
  std::memcpy(&value, a.extrapolation, sizeof value);
  for (size_t j = 0; j < n; ++j)
    if (a.outside[last][j] != 0) std::fill_n(y + j * a.block, a.block, value);
}

template <class T>
void resize_nearest(const ResizeNearestArgs& a, Range rows) {
  const size_t row_elements = a.y_dims[a.rank - 1] * a.block;
  T* y = static_cast<T*>(a.y) + rows.begin * row_elements;
  size_t previous = SIZE_MAX;  // source of the row above: enlarged images repeat rows
  for (size_t r = rows.begin; r < rows.end; ++r, y += row_elements) {
    size_t rest = r, offset = 0;
    bool outside = false;
    for (int d = a.rank - 2; d >= 0; --d) {
      const size_t i = rest % a.y_dims[d];
      rest /= a.y_dims[d];
      offset += (a.index[d] == nullptr ? i : static_cast<size_t>(a.index[d][i])) * a.x_stride[d];
      outside |= a.outside[d] != nullptr && a.outside[d][i] != 0;
    }
    if (outside) {
      T value;
      std::memcpy(&value, a.extrapolation, sizeof value);
      std::fill_n(y, row_elements, value);
      previous = SIZE_MAX;
    } else if (offset == previous) {
      std::memcpy(y, y - row_elements, row_elements * sizeof(T));
    } else {
      nearest_row(a, static_cast<const T*>(a.x) + offset, y);
      previous = offset;
    }
  }
}

}  // namespace

void resize_axis_ref(const ResizeAxisArgs& a, Range outer) {
  if (a.x_dtype == DType::f32) return with_output<float>(a, outer);
  if (a.x_dtype == DType::i8) return with_output<int8_t>(a, outer);
  return with_output<uint8_t>(a, outer);
}

void resize_nearest_ref(const ResizeNearestArgs& a, Range rows) {
  with_word(a.element_bytes, [&](auto word) { resize_nearest<decltype(word)>(a, rows); });
}

}  // namespace pith::kernels
