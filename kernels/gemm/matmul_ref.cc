// Matrix products by panels: 4 rows of a against one cache line of columns of b at a time.
#include "kernels/gemm/matmul.h"

#include <algorithm>

#include "kernels/base/requant.h"
#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

struct Place {  // of one task: element offsets of its matrices, and its rows
  size_t a, b, y, row, rows;
};

Place place_of(const MatMulArgs& a, size_t task) {
  const size_t blocks = matmul_blocks(a);
  size_t batch = task / blocks;
  Place p{0, 0, batch * a.m * a.n, task % blocks * kMatMulRowBlock, 0};
  p.rows = std::min(kMatMulRowBlock, a.m - p.row);
  for (int d = a.batch_rank - 1; d >= 0; --d) {
    p.a += batch % a.batch[d] * a.a_batch_stride[d];
    p.b += batch % a.batch[d] * a.b_batch_stride[d];
    batch /= a.batch[d];
  }
  return p;
}

// R rows of 4 vectors: the sums stay in registers over all of k.
template <class T, int R>
void panel(const T* a, const T* b, T* y, size_t n, size_t k) {
  constexpr size_t kV = 4;
  Lanes<T> acc[R][kV] = {};
  for (size_t i = 0; i < k; ++i)
    for (size_t v = 0; v < kV; ++v) {
      const Lanes<T> bv = load_lanes(b + i * n + v * kLanes<T>);
      for (int r = 0; r < R; ++r) acc[r][v] += bv * a[static_cast<size_t>(r) * k + i];
    }
  for (int r = 0; r < R; ++r)
    for (size_t v = 0; v < kV; ++v) store_lanes(y + static_cast<size_t>(r) * n + v * kLanes<T>, acc[r][v]);
}

template <class T>
void narrow_panel(const T* a, const T* b, T* y, size_t rows, size_t columns, size_t n, size_t k) {
  for (size_t r = 0; r < rows; ++r) {
    T acc[4 * kLanes<T>] = {};
    for (size_t i = 0; i < k; ++i)
      for (size_t j = 0; j < columns; ++j) acc[j] += a[r * k + i] * b[i * n + j];
    std::copy(acc, acc + columns, y + r * n);
  }
}

}  // namespace

size_t matmul_tasks(const MatMulArgs& a) {
  size_t tasks = matmul_blocks(a);
  for (int d = 0; d < a.batch_rank; ++d) tasks *= a.batch[d];
  return tasks;
}

template <class T>
void matmul_ref(const MatMulArgs& s, Range tasks) {
  constexpr size_t kColumns = 4 * kLanes<T>;
  for (size_t task = tasks.begin; task < tasks.end; ++task) {
    const Place p = place_of(s, task);
    const T* a = static_cast<const T*>(s.a) + p.a + p.row * s.k;
    const T* b = static_cast<const T*>(s.b) + p.b;
    T* y = static_cast<T*>(s.y) + p.y + p.row * s.n;
    size_t j = 0;
    for (; j + kColumns <= s.n; j += kColumns) {
      if (p.rows == kMatMulRowBlock) {
        panel<T, kMatMulRowBlock>(a, b + j, y + j, s.n, s.k);
        continue;
      }
      for (size_t r = 0; r < p.rows; ++r) panel<T, 1>(a + r * s.k, b + j, y + r * s.n + j, s.n, s.k);
    }
    if (j < s.n) narrow_panel(a, b + j, y + j, p.rows, s.n - j, s.n, s.k);
  }
}
template void matmul_ref<float>(const MatMulArgs&, Range);
template void matmul_ref<double>(const MatMulArgs&, Range);
// Signed products are computed as unsigned ones: the same bits, and wrapping is defined.
template void matmul_ref<uint32_t>(const MatMulArgs&, Range);
template void matmul_ref<uint64_t>(const MatMulArgs&, Range);

void matmul_transposed_f32_ref(const MatMulArgs& s, Range tasks) {
  for (size_t task = tasks.begin; task < tasks.end; ++task) {
    const Place p = place_of(s, task);
    const float* a = static_cast<const float*>(s.a) + p.a + p.row * s.k;
    const float* b = static_cast<const float*>(s.b) + p.b;
    float* y = static_cast<float*>(s.y) + p.y + p.row * s.n;
    for (size_t j = 0; j < s.n; ++j) {
      const float* w[1] = {b + j * s.k};
      size_t r = 0;
      for (; r + 4 <= p.rows; r += 4) {
        const float* x[4] = {a + r * s.k, a + (r + 1) * s.k, a + (r + 2) * s.k, a + (r + 3) * s.k};
        Lanes<float> acc[4][1] = {};
        dot_tile<4, 1>(x, w, s.k, acc);
        for (size_t i = 0; i < 4; ++i) y[(r + i) * s.n + j] = sum_lanes(acc[i][0]);
      }
      for (; r < p.rows; ++r) {
        const float* x[1] = {a + r * s.k};
        Lanes<float> acc[1][1] = {};
        dot_tile<1, 1>(x, w, s.k, acc);
        y[r * s.n + j] = sum_lanes(acc[0][0]);
      }
    }
  }
}

namespace {

// sums[j] += (a - az) * (b[j] - bz[j]) over k, for up to kStrip columns.
constexpr size_t kStrip = 64;
template <class A, class B>
void sum_strip(const A* a, const B* b, size_t n, size_t k, size_t columns, int32_t a_zero,
               const int32_t* b_zero, size_t b_zero_stride, uint32_t* sums) {
  int32_t zero[kStrip];
  for (size_t j = 0; j < columns; ++j) zero[j] = b_zero[j * b_zero_stride];
  std::fill(sums, sums + columns, 0u);
  for (size_t i = 0; i < k; ++i) {
    const int32_t av = a[i] - a_zero;
    for (size_t j = 0; j < columns; ++j) sums[j] += static_cast<uint32_t>(av * (b[i * n + j] - zero[j]));
  }
}

template <class A, class B, class Store>
void each_strip(const MatMulCodesArgs& q, Range tasks, Store&& store) {
  const MatMulArgs& s = q.shape;
  uint32_t sums[kStrip];
  for (size_t task = tasks.begin; task < tasks.end; ++task) {
    const Place p = place_of(s, task);
    for (size_t r = 0; r < p.rows; ++r) {
      const size_t row = p.row + r;
      const A* a = static_cast<const A*>(s.a) + p.a + row * s.k;
      for (size_t j = 0; j < s.n; j += kStrip) {
        const size_t columns = std::min(kStrip, s.n - j);
        sum_strip(a, static_cast<const B*>(s.b) + p.b + j, s.n, s.k, columns, q.a_zero[row * q.a_zero_stride],
                  q.b_zero + j * q.b_zero_stride, q.b_zero_stride, sums);
        store(p.y + row * s.n + j, j, columns, sums);
      }
    }
  }
}

}  // namespace

template <class A, class B>
void matmul_integer_ref(const MatMulCodesArgs& q, Range tasks) {
  auto* y = static_cast<int32_t*>(q.shape.y);
  each_strip<A, B>(q, tasks, [&](size_t at, size_t, size_t columns, const uint32_t* sums) {
    for (size_t j = 0; j < columns; ++j) y[at + j] = static_cast<int32_t>(sums[j]);
  });
}

template <class A, class B, class Y>
void matmul_codes_ref(const MatMulCodesArgs& q, Range tasks) {
  auto* y = static_cast<Y*>(q.shape.y);
  each_strip<A, B>(q, tasks, [&](size_t at, size_t column, size_t columns, const uint32_t* sums) {
    for (size_t j = 0; j < columns; ++j)
      y[at + j] = static_cast<Y>(requantize(
          static_cast<int32_t>(sums[j]), q.scale[(column + j) * q.scale_stride], q.y_zero, q.y_lo, q.y_hi));
  });
}

#define PITH_MATMUL_CODES(A, B)                                                \
  template void matmul_integer_ref<A, B>(const MatMulCodesArgs&, Range);       \
  template void matmul_codes_ref<A, B, int8_t>(const MatMulCodesArgs&, Range); \
  template void matmul_codes_ref<A, B, uint8_t>(const MatMulCodesArgs&, Range);
PITH_MATMUL_CODES(int8_t, int8_t)
PITH_MATMUL_CODES(int8_t, uint8_t)
PITH_MATMUL_CODES(uint8_t, int8_t)
PITH_MATMUL_CODES(uint8_t, uint8_t)
#undef PITH_MATMUL_CODES

}  // namespace pith::kernels
