// Products with weights in halves: every kernel gives the bits of the plain one, and that one keeps its bound against double.
#include "kernels/gemm/panel_f16.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/panel_maker.h"

namespace pith::kernels {
namespace {

using test::Fill;
using test::GuardedBytes;
using test::PanelWeightsMaker;

std::vector<float> product(const PanelF16Kernel& kernel, const PanelWeightsMaker& w,
                           const std::vector<float>& x, size_t m, size_t step, float lo, float hi) {
  const auto n = static_cast<size_t>(w.matrix.n);
  const GuardedBytes rows(x.size() * sizeof(float)), y(m * n * sizeof(float));
  std::memcpy(rows.data(), x.data(), rows.size());
  PanelF16Args a;
  a.w = panel_weights(w.matrix, w.bytes->data(), nullptr);
  a.x = rows.as<float>(), a.y = y.as<float>();
  a.clamp_min = lo, a.clamp_max = hi;
  for (size_t p = 0; p < a.w.panels; ++p)
    for (size_t r = 0; r < m; r += step) kernel.fn(a, {p, p + 1}, {r, std::min(m, r + step)});
  return {a.y, a.y + m * n};
}

size_t differing(const std::vector<float>& a, const std::vector<float>& b) {
  size_t wrong = 0;
  for (size_t i = 0; i < a.size(); ++i)
    wrong += std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])) ? 1 : 0;
  return wrong;
}

// What kernels of one sort give, all in plain loops.
std::vector<float> plain(const PanelWeightsMaker& w, const std::vector<float>& x, size_t m, bool fused,
                         float lo, float hi) {
  const auto n = static_cast<size_t>(w.matrix.n), k = static_cast<size_t>(w.matrix.k);
  std::vector<float> y;
  for (size_t r = 0; r < m; ++r)
    for (size_t c = 0; c < n; ++c) {
      float f = 0;
      for (size_t i = 0; i < k; ++i) {
        const float a = x[r * k + i], b = to_float(w.halves[c * k + i]);
        f = fused ? std::fma(a, b, f) : a * b + f;
      }
      f += w.bias[c];
      f = f < lo ? lo : f;
      y.push_back(f > hi ? hi : f);
    }
  return y;
}

std::vector<float> numbers(size_t n, std::mt19937& rng) {
  std::vector<float> x(n);
  for (float& v : x) v = 3 * (static_cast<float>(rng() % 2001) - 1000.0f) / 1000.0f;
  return x;
}

}  // namespace

TEST_CASE("products with halves: every kernel equals plain loops at every tail, next to guard pages") {
  std::mt19937 rng(31);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const PanelF16Kernels all = panel_f16_kernels();
  for (size_t n : {1, 7, 8, 9, 16, 17, 24, 31, 32, 33, 64, 75})
    for (size_t k : {1, 2, 3, 4, 5, 63, 200})
      for (size_t m : {1, 2, 3, 4, 5, 11, 12, 13, 25}) {
        const PanelWeightsMaker w({Layout::f16_panel, 0, n, k}, rng, Fill::random);
        std::vector<float> x = numbers(m * k, rng);
        if (m == 3) x[k] = NAN, x[0] = kInf, x[2 * k] = -0.0f;
        const float lo = m % 2 == 0 ? 0.0f : -kInf, hi = m % 2 == 0 ? 6.0f : kInf;
        const std::vector<float> sorts[2] = {plain(w, x, m, false, lo, hi), plain(w, x, m, true, lo, hi)};
        for (size_t i = 0; i < all.count; ++i) {
          if (!detect_cpu().has(all.data[i].needs)) continue;
          const std::vector<float>& expected = sorts[all.data[i].fused ? 1 : 0];
          CAPTURE(all.data[i].name);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(m);
          REQUIRE(differing(product(all.data[i], w, x, m, m, lo, hi), expected) == 0);
          REQUIRE(differing(product(all.data[i], w, x, m, 1 + m / 2, lo, hi), expected) == 0);
        }
      }
}

TEST_CASE("products with halves keep their bound, halves below the normal range count too") {
  std::mt19937 rng(32);
  const size_t m = 3, n = 40, k = 700;
  PanelWeightsMaker w({Layout::f16_panel, 0, n, k}, rng, Fill::random);
  for (size_t i = 0; i < n * k; i += 5)
    w.halves[i].bits = static_cast<uint16_t>(rng() % 0x400 | (rng() % 2) << 15);
  pack_panels(w.matrix, w.source(), w.bytes->data());
  const std::vector<float> x = numbers(m * k, rng);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const std::vector<float> y = product(select_panel_f16(detect_cpu()), w, x, m, m, -kInf, kInf);
  double worst = 0;
  for (size_t r = 0; r < m; ++r)
    for (size_t c = 0; c < n; ++c) {
      double sum = w.bias[c], size = 0;
      for (size_t i = 0; i < k; ++i) {
        const double p = double{x[r * k + i]} * to_float(w.halves[c * k + i]);
        sum += p, size += std::abs(p);
      }
      const double bound = (static_cast<double>(k + 2) * size + std::abs(w.bias[c])) * 0x1p-24;
      worst = std::max(worst, std::abs(y[r * n + c] - sum) / bound);
    }
  CHECK(worst <= 1);
}

}  // namespace pith::kernels
