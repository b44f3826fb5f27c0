// Float functions of rows in plain loops: the definition of every kernel's bits.
#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/base/vector_math.h"
#include "kernels/rows/float_rows.h"

namespace pith::kernels {
namespace {

template <class F>
float sum_over(size_t n, const F& f) {
  float lanes[16] = {};
  for (size_t i = 0; i < n; ++i) lanes[i % 16] += f(i);
  return sum_of_16(lanes);
}

void layer_norm(const LayerNormArgs& a, Range rows) {
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const float* x = a.x + r * a.n;
    float* y = a.y + r * a.n;
    const float mean = sum_over(a.n, [&](size_t i) { return x[i]; }) / static_cast<float>(a.n);
    const float squares = sum_over(a.n, [&](size_t i) { return (x[i] - mean) * (x[i] - mean); });
    const float factor = 1 / std::sqrt(squares / static_cast<float>(a.n) + a.epsilon);
    if (a.mean != nullptr) a.mean[r] = mean;
    if (a.inv_std != nullptr) a.inv_std[r] = factor;
    for (size_t i = 0; i < a.n; ++i) {
      y[i] = (x[i] - mean) * factor * a.scale[i * a.scale_step];
      if (a.bias != nullptr) y[i] += a.bias[i * a.bias_step];
    }
  }
}

void rms_norm(const LayerNormArgs& a, Range rows) {
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const float* x = a.x + r * a.n;
    const float squares = sum_over(a.n, [&](size_t i) { return x[i] * x[i]; });
    const float factor = 1 / std::sqrt(squares / static_cast<float>(a.n) + a.epsilon);
    if (a.inv_std != nullptr) a.inv_std[r] = factor;
    for (size_t i = 0; i < a.n; ++i) a.y[r * a.n + i] = x[i] * factor * a.scale[i * a.scale_step];
  }
}

void softmax(const SoftmaxRows& a, Range rows) {
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const float* x = a.x + r * a.n;
    float* y = a.y + r * a.n;
    float top = -INFINITY;
    for (size_t i = 0; i < a.n; ++i) top = x[i] > top ? x[i] : top;
    const float sum = sum_over(a.n, [&](size_t i) { return y[i] = exp_of_one(x[i] - top, kExpLowest); });
    const float inverse = 1 / sum;
    for (size_t i = 0; i < a.n; ++i) y[i] *= inverse;
  }
}

void rotate(const RotateRow& a) { rotate_ref(a.x, a.cosines, a.sines, a.half, a.size, a.interleaved, a.y); }

void swiglu(const float* gate, const float* up, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const float e = exp_of_one(-std::fabs(gate[i]), kExpLowest);
    y[i] = gate[i] * ((gate[i] > 0 ? 1.0f : e) / (1.0f + e)) * up[i];
  }
}

constexpr const FloatRowsKernel* kAll[] = {
#define KERNEL(isa, needs) &kFloatRows_##isa,
#include "kernels/rows/float_rows_list.inc"
#undef KERNEL
};

}  // namespace

const FloatRowsKernel kFloatRows_ref = {"float_rows_ref", Cpu::none, layer_norm, rms_norm,
                                        softmax,          rotate,    swiglu};

FloatRowsKernels float_rows_kernels() { return {kAll, sizeof kAll / sizeof kAll[0]}; }

const FloatRowsKernel& select_float_rows(Cpu cpu) {
  size_t i = 0;
  while (!cpu.has(kAll[i]->needs)) ++i;
  return *kAll[i];
}

}  // namespace pith::kernels
