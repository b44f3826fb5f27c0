// Quantize, dequantize and requantize, a run at a time in blocks.
#include "kernels/quantize/quantize.h"

#include <algorithm>
#include <limits>

#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

constexpr size_t kRunOfTensor = 4096;  // a tensor with one scale is cut here so that threads can share it

// Calls f(first element, first entry, n) for blocks of at most kBlock elements.
template <class F>
void each_block(const GridRuns& g, Range runs, F&& f) {
  for (size_t r = runs.begin; r < runs.end; ++r) {
    const size_t begin = r * g.length, end = std::min(begin + g.length, g.elements), entry = g.first_of(r);
    for (size_t at = begin; at < end; at += kBlock)
      f(at, entry + (at - begin) * g.step, std::min(kBlock, end - at));
  }
}

template <class T>
void store_codes(const float* x, const float* scale, const int64_t* zero, size_t step, size_t n, void* to,
                 size_t first) {
  T* y = static_cast<T*>(to) + first;
  constexpr int32_t kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  if (step == 0) {
    const float s = scale[0];
    const auto z = static_cast<int32_t>(zero[0]);
    for (size_t i = 0; i < n; ++i) y[i] = static_cast<T>(quantize(x[i], s, z, kLow, kHigh));
    return;
  }
  for (size_t i = 0; i < n; ++i)
    y[i] = static_cast<T>(quantize(x[i], scale[i], static_cast<int32_t>(zero[i]), kLow, kHigh));
}

void load_entries(const QuantizeArgs& a, size_t entry, size_t n, float* scale, int64_t* zero) {
  load_block(a.scale, entry, n, scale);
  if (a.zero.data != nullptr)
    load_block(a.zero, entry, n, zero);
  else
    std::fill(zero, zero + n, 0);
}

}  // namespace

GridRuns runs_of_tensor(size_t elements) {
  GridRuns g;
  g.length = kRunOfTensor;
  g.elements = elements;
  g.count = (elements + kRunOfTensor - 1) / kRunOfTensor;
  return g;
}

GridRuns runs_of_axis(const AxisView& v) {
  GridRuns g;
  g.elements = v.outer * v.n * v.inner;
  if (v.inner == 1) {  // a row has every entry once
    g.length = v.n;
    g.count = v.outer;
    g.step = 1;
  } else {
    g.length = v.inner;
    g.count = v.outer * v.n;
    g.wrap = v.n;
    g.stride = 1;
  }
  return g;
}

GridRuns runs_of_blocks(const AxisView& v, size_t block) {
  GridRuns g;
  g.elements = v.outer * v.n * v.inner;
  const size_t blocks = (v.n + block - 1) / block;
  if (v.inner == 1 && v.n % block == 0) {
    g.length = block;
    g.count = v.outer * blocks;
    g.stride = 1;
    g.wrap = blocks;
    g.outer_stride = blocks;
  } else {  // rows along the inner dim; row (o, k) uses entries (o * blocks + k / block) * inner ...
    g.length = v.inner;
    g.count = v.outer * v.n;
    g.step = 1;
    g.span = block;
    g.wrap = v.n;
    g.stride = v.inner;
    g.outer_stride = blocks * v.inner;
  }
  return g;
}

void quantize_ref(const QuantizeArgs& a, Range runs) {
  each_block(a.runs, runs, [&](size_t at, size_t entry, size_t n) {
    float x[kBlock], scale[kBlock];
    int64_t zero[kBlock];
    load_block(a.x, at, n, x);
    load_entries(a, entry, a.runs.step == 0 ? 1 : n, scale, zero);
    switch (a.y.dtype) {
      case DType::i8:
        return store_codes<int8_t>(x, scale, zero, a.runs.step, n, a.y.data, at);
      case DType::u8:
        return store_codes<uint8_t>(x, scale, zero, a.runs.step, n, a.y.data, at);
      case DType::i16:
        return store_codes<int16_t>(x, scale, zero, a.runs.step, n, a.y.data, at);
      default:
        return store_codes<uint16_t>(x, scale, zero, a.runs.step, n, a.y.data, at);
    }
  });
}

void dequantize_ref(const QuantizeArgs& a, Range runs) {
  each_block(a.runs, runs, [&](size_t at, size_t entry, size_t n) {
    int64_t q[kBlock], zero[kBlock];
    float y[kBlock], scale[kBlock];
    load_block(a.x, at, n, q);
    load_entries(a, entry, a.runs.step == 0 ? 1 : n, scale, zero);
    const size_t step = a.runs.step;
    for (size_t i = 0; i < n; ++i) y[i] = static_cast<float>(q[i] - zero[i * step]) * scale[i * step];
    store_block(y, n, a.y, at);
  });
}

void requantize_ref(const RequantizeArgs& a, Range runs) {
  each_block(a.runs, runs, [&](size_t at, size_t entry, size_t n) {
    float scale[kBlock];
    load_block(a.acc_scale, entry, a.runs.step == 0 ? 1 : n, scale);
    const int32_t low = a.y.dtype == DType::i8 ? -128 : 0, high = low + 255;
    auto* y = static_cast<uint8_t*>(a.y.data) + at;
    for (size_t i = 0; i < n; ++i)
      y[i] = static_cast<uint8_t>(
          requantize(a.acc[at + i], scale[i * a.runs.step] / a.y_scale, a.y_zero, low, high));
  });
}

DynamicGrid dynamic_grid(const float* x, size_t n) {
  float low[8] = {}, high[8] = {};  // both start at 0: the grid must hold 0
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; ++j) {
      low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
      high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
    }
  for (; i < n; ++i) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  const float lowest = *std::min_element(low, low + 8), highest = *std::max_element(high, high + 8);
  DynamicGrid g{};
  g.scale = lowest == highest ? 1.0f : (highest - lowest) / 255.0f;
  g.zero = static_cast<uint8_t>(quantize(-lowest, g.scale, 0, 0, 255));
  return g;
}

}  // namespace pith::kernels
