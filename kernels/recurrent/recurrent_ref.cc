// Cells of recurrent layers, gate by gate.
#include "kernels/recurrent/recurrent.h"

#include <cmath>

namespace pith::kernels {
namespace {

// Calls f on every element after the clip; the switch over functions stays outside the loop.
template <class F>
void each(float clip, float* v, size_t n, F&& f) {
  for (size_t i = 0; i < n; ++i) {
    float x = v[i] < -clip ? -clip : v[i];
    x = x > clip ? clip : x;
    v[i] = f(x);
  }
}

}  // namespace

void activate_ref(const CellActivation& a, float clip, float* v, size_t n) {
  const float alpha = a.alpha, beta = a.beta;
  switch (a.function) {
    case CellFunction::sigmoid:
      return each(clip, v, n, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
    case CellFunction::tanh:
      return each(clip, v, n, [](float x) { return std::tanh(x); });
    case CellFunction::relu:
      return each(clip, v, n, [](float x) { return x < 0 ? 0.0f : x; });
    case CellFunction::leaky_relu:
      return each(clip, v, n, [=](float x) { return x < 0 ? alpha * x : x; });
    case CellFunction::thresholded_relu:
      return each(clip, v, n, [=](float x) { return x > alpha ? x : 0.0f; });
    case CellFunction::hard_sigmoid:
      return each(clip, v, n, [=](float x) { return std::fmin(std::fmax(alpha * x + beta, 0.0f), 1.0f); });
    case CellFunction::elu:
      return each(clip, v, n, [=](float x) { return x < 0 ? alpha * std::expm1(x) : x; });
    case CellFunction::softsign:
      return each(clip, v, n, [](float x) { return x / (1.0f + std::fabs(x)); });
    case CellFunction::softplus:  // log(1 + e^x) without overflow
      return each(clip, v, n,
                  [](float x) { return std::fmax(x, 0.0f) + std::log1p(std::exp(-std::fabs(x))); });
  }
}

void lstm_cell_ref(const LstmCell& a) {
  const size_t n = a.hidden;
  float *i = a.x, *o = a.x + n, *f = a.x + 2 * n, *g = a.x + 3 * n;
  for (size_t k = 0; k < 4 * n; ++k) a.x[k] += a.h_part[k];
  if (a.peephole != nullptr)
    for (size_t k = 0; k < n; ++k) {
      i[k] += a.peephole[k] * a.c[k];
      f[k] += a.peephole[2 * n + k] * a.c[k];
    }
  activate_ref(a.f, a.clip, i, n);
  activate_ref(a.f, a.clip, f, n);
  activate_ref(a.g, a.clip, g, n);
  for (size_t k = 0; k < n; ++k) {
    const float forget = a.input_forget ? 1.0f - i[k] : f[k];
    a.c[k] = forget * a.c[k] + i[k] * g[k];
    if (a.peephole != nullptr) o[k] += a.peephole[n + k] * a.c[k];
    a.h[k] = a.c[k];
  }
  activate_ref(a.f, a.clip, o, n);
  activate_ref(a.out, a.clip, a.h, n);
  for (size_t k = 0; k < n; ++k) a.h[k] *= o[k];
}

void gru_gates_ref(const GruCell& a, float* reset) {
  const size_t n = a.hidden;
  for (size_t k = 0; k < 2 * n; ++k) a.x[k] += a.h_part[k];
  activate_ref(a.f, a.clip, a.x, 2 * n);
  if (reset == nullptr) return;
  for (size_t k = 0; k < n; ++k) reset[k] = a.x[n + k] * a.h[k];
}

void gru_finish_ref(const GruCell& a, bool linear) {
  const size_t n = a.hidden;
  const float *z = a.x, *r = a.x + n, *h_part = a.h_part + 2 * n;
  float* fresh = a.x + 2 * n;
  for (size_t k = 0; k < n; ++k) {
    const float part =
        linear ? r[k] * (h_part[k] + (a.reset_bias == nullptr ? 0.0f : a.reset_bias[k])) : h_part[k];
    fresh[k] += part;
  }
  activate_ref(a.g, a.clip, fresh, n);
  for (size_t k = 0; k < n; ++k) a.h[k] = (1.0f - z[k]) * fresh[k] + z[k] * a.h[k];
}

void rnn_cell_ref(size_t hidden, float* x, const float* h_part, float* h, const CellActivation& f,
                  float clip) {
  for (size_t k = 0; k < hidden; ++k) h[k] = x[k] + h_part[k];
  activate_ref(f, clip, h, hidden);
}

}  // namespace pith::kernels
