// Softmax for floats, by columns: a tile of neighbouring columns at a time, or one row.
#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::kernels {
namespace {

template <class T>
T row_max(const T* x, size_t n) {
  T top = x[0];
  for (size_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

template <class T>
void soft_row(SoftmaxKind kind, const T* x, T* y, size_t n) {
  const T top = row_max(x, n);
  double sum = 0;
  if (kind == SoftmaxKind::log_softmax) {
    for (size_t i = 0; i < n; ++i) sum += static_cast<double>(std::exp(x[i] - top));
    const T shift = static_cast<T>(std::log(sum));
    for (size_t i = 0; i < n; ++i) y[i] = (x[i] - top) - shift;
    return;
  }
  for (size_t i = 0; i < n; ++i) {
    y[i] = std::exp(x[i] - top);
    sum += static_cast<double>(y[i]);
  }
  const T scale = static_cast<T>(1 / sum);
  for (size_t i = 0; i < n; ++i) y[i] *= scale;
}

// c <= kTile columns, `step` elements from one row to the next.
template <class T>
void soft_tile(SoftmaxKind kind, const T* x, T* y, size_t n, size_t step, size_t c) {
  T top[kTile];
  double sum[kTile] = {};
  std::copy(x, x + c, top);
  for (size_t k = 1; k < n; ++k)
    for (size_t j = 0; j < c; ++j) top[j] = x[k * step + j] > top[j] ? x[k * step + j] : top[j];
  const bool log = kind == SoftmaxKind::log_softmax;
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < c; ++j) {
      const T e = std::exp(x[k * step + j] - top[j]);
      sum[j] += static_cast<double>(e);
      y[k * step + j] = log ? x[k * step + j] - top[j] : e;
    }
  T last[kTile];
  for (size_t j = 0; j < c; ++j) last[j] = static_cast<T>(log ? std::log(sum[j]) : 1 / sum[j]);
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < c; ++j)
      y[k * step + j] = log ? y[k * step + j] - last[j] : y[k * step + j] * last[j];
}

template <class T>
void hard_tile(const T* x, T* y, size_t n, size_t step, size_t c) {
  T top[kTile];
  size_t at[kTile] = {};
  std::copy(x, x + c, top);
  for (size_t k = 1; k < n; ++k)
    for (size_t j = 0; j < c; ++j)
      if (x[k * step + j] > top[j]) top[j] = x[k * step + j], at[j] = k;
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < c; ++j) y[k * step + j] = at[j] == k ? T(1) : T(0);
}

template <class T>
void pieces_of_type(const SoftmaxArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t column = piece % tiles * kTile, first = piece / tiles * v.n * v.inner + column;
    const T* x = static_cast<const T*>(a.x.data) + first;
    T* y = static_cast<T*>(a.y.data) + first;
    const size_t c = std::min(kTile, v.inner - column);
    if (a.kind == SoftmaxKind::hardmax)
      hard_tile(x, y, v.n, v.inner, c);
    else if (v.inner == 1)
      soft_row(a.kind, x, y, v.n);
    else
      soft_tile(a.kind, x, y, v.n, v.inner, c);
  }
}

}  // namespace

void softmax_ref(const SoftmaxArgs& a, Range pieces) {
  if (a.x.dtype == DType::f64) return pieces_of_type<double>(a, pieces);
  pieces_of_type<float>(a, pieces);
}

}  // namespace pith::kernels
