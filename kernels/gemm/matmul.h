// Batched matrix product y[b, m, n] = sum over k of a[b, m, k] * b[b, k, n], or b[b, n, k] when transposed.
//
// Sums run over k in order within a fixed number of partial sums, never depending on the number of threads.
// |error| <= (K + 3) u sum |a b|, u = 2^-24 (f32) or 2^-53 (f64). Integers are exact modulo 2^bits.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kMatMulBatchDims = 6;
inline constexpr size_t kMatMulRowBlock = 4;

struct MatMulArgs {
  const void* a;
  const void* b;
  void* y;  // must not overlap a or b
  size_t m, n, k;
  int batch_rank;                           // 0..6
  size_t batch[kMatMulBatchDims];           // dims of y before m, n
  size_t a_batch_stride[kMatMulBatchDims];  // in elements; 0 where a is broadcast
  size_t b_batch_stride[kMatMulBatchDims];
};

// A task is kMatMulRowBlock rows of one matrix of the batch.
inline size_t matmul_blocks(const MatMulArgs& a) { return (a.m + kMatMulRowBlock - 1) / kMatMulRowBlock; }
size_t matmul_tasks(const MatMulArgs& a);

template <class T>  // float, double, i32, u32, i64, u64
void matmul_ref(const MatMulArgs& a, Range tasks);
// b is [.., n, k]: rows of b are dotted with rows of a.
void matmul_transposed_f32_ref(const MatMulArgs& a, Range tasks);

// 8-bit codes. zero points and scales of b: one for all, or one per column n (stride 0 or 1).
struct MatMulCodesArgs {
  MatMulArgs shape;
  int32_t y_zero, y_lo, y_hi;
  const int32_t* a_zero;  // one, or one per row m (stride 1)
  size_t a_zero_stride;
  const int32_t* b_zero;
  size_t b_zero_stride;
  const float* scale;  // requantization; unused by the i32 variant
  size_t scale_stride;
};
// y i32: exact sums modulo 2^32.
template <class A, class B>
void matmul_integer_ref(const MatMulCodesArgs& a, Range tasks);
// y of type Y: sums requantized (kernels/base/requant.h). K < 2^15 keeps sums from wrapping.
template <class A, class B, class Y>
void matmul_codes_ref(const MatMulCodesArgs& a, Range tasks);

}  // namespace pith::kernels
