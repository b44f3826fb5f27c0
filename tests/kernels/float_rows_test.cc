// Float functions of rows: every kernel gives the bits of the plain one, and that one keeps its bound against double.
#include "kernels/rows/float_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

constexpr double kU = 0x1p-24;
constexpr size_t kSizes[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 100, 255, 768, 4099};

// Floats that end before a guard page.
struct Floats {
  test::GuardedBytes bytes;
  explicit Floats(const std::vector<float>& v) : bytes(v.size() * sizeof(float)) {
    std::memcpy(bytes.data(), v.data(), v.size() * sizeof(float));
  }
  float* data() const { return bytes.as<float>(); }
  std::vector<float> values() const { return {data(), data() + bytes.size() / sizeof(float)}; }
};

// NEON of ARMv7 flushes what is below the normal numbers.
float as_kept(float v) {
#if defined(__arm__)
  if (std::fabs(v) < 0x1p-126f) return std::copysign(0.0f, v);
#endif
  return v;
}

size_t differing(const std::vector<float>& a, const std::vector<float>& b) {
  size_t wrong = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const float x = as_kept(a[i]), y = as_kept(b[i]);
    wrong += std::memcmp(&x, &y, sizeof(float)) != 0 && !(std::isnan(x) && std::isnan(y)) ? 1 : 0;
  }
  return wrong;
}

// run(kernel, x in place) for all kernels; returns what the plain one gives.
template <class F>
std::vector<float> same_of_all(const std::vector<float>& x, const F& run) {
  const Floats plain(x);
  run(select_float_rows(Cpu{}), plain.data());
  const std::vector<float> expected = plain.values();
  const FloatRowsKernels all = float_rows_kernels();
  for (size_t k = 0; k < all.count; ++k) {
    if (!detect_cpu().has(all.data[k]->needs)) continue;
    CAPTURE(all.data[k]->name);
    const Floats y(x);
    run(*all.data[k], y.data());
    CHECK(differing(y.values(), expected) == 0);
  }
  return expected;
}

double additions(size_t n) { return static_cast<double>(n) / 16 + 5; }

}  // namespace

TEST_CASE("layer and rms normalization: equal bits everywhere, within the bound") {
  test::Random random(21);
  for (size_t n : kSizes)
    for (int form = 0; form < 3; ++form) {
      CAPTURE(n);
      const auto x = random.reals(static_cast<int64_t>(3 * n), -3, 5);
      const Floats scale(random.reals(static_cast<int64_t>(form == 1 ? 1 : n), 0.5f, 2));
      const Floats bias(random.reals(static_cast<int64_t>(n)));
      LayerNormArgs a{};
      a.n = n, a.epsilon = 1e-5f;
      a.scale = scale.data(), a.scale_step = form == 1 ? 0 : 1;
      if (form != 2) a.bias = bias.data(), a.bias_step = 1;
      const auto layer = same_of_all(x, [&](const FloatRowsKernel& k, float* y) {
        LayerNormArgs b = a;
        b.x = b.y = y;
        k.layer_norm(b, {0, 3});
      });
      const auto rms = same_of_all(x, [&](const FloatRowsKernel& k, float* y) {
        LayerNormArgs b = a;
        b.x = b.y = y;
        k.rms_norm(b, {0, 3});
      });
      double worst_layer = 0, worst_rms = 0;
      for (size_t r = 0; r < 3; ++r) {
        double mean = 0, var = 0, square = 0, top = 0;
        for (size_t i = 0; i < n; ++i) mean += x[r * n + i] / static_cast<double>(n);
        for (size_t i = 0; i < n; ++i) {
          const double v = x[r * n + i];
          var += (v - mean) * (v - mean) / static_cast<double>(n), square += v * v / static_cast<double>(n);
          top = std::max(top, std::abs(v));
        }
        const double sigma = std::sqrt(var + 1e-5), root = std::sqrt(square + 1e-5), steps = additions(n);
        for (size_t i = 0; i < n; ++i) {
          const double s = scale.data()[i * a.scale_step], b = a.bias == nullptr ? 0 : bias.data()[i];
          const double y = (x[r * n + i] - mean) / sigma, z = x[r * n + i] / root * s;
          // y is off by the mean's error over sigma, by sigma's relative error times itself, and by its own roundings.
          const double size = 1 + top / sigma;
          const double bound =
              std::abs(s) * kU * (1 + std::abs(y)) * ((4 * steps + 16) * size + 8) + std::abs(b) * kU;
          worst_layer = std::max(worst_layer, std::abs(layer[r * n + i] - (y * s + b)) / bound);
          worst_rms =
              std::max(worst_rms, std::abs(rms[r * n + i] - z) / (std::abs(z) * (steps + 8) * kU + 1e-38));
        }
      }
      CHECK(worst_layer <= 1);
      CHECK(worst_rms <= 1);
    }
}

TEST_CASE("softmax of rows: equal bits everywhere, within the bound") {
  test::Random random(22);
  for (size_t n : kSizes)
    for (float range : {1.0f, 30.0f, 200.0f}) {
      CAPTURE(n);
      const auto x = random.reals(static_cast<int64_t>(2 * n), -range, range);
      const auto y = same_of_all(x, [&](const FloatRowsKernel& k, float* p) {
        k.softmax({p, p, n}, {0, 2});
      });
      double worst = 0;
      for (size_t r = 0; r < 2; ++r) {
        double top = -1e9, sum = 0;
        for (size_t i = 0; i < n; ++i) top = std::max(top, double{x[r * n + i]});
        for (size_t i = 0; i < n; ++i) sum += std::exp(x[r * n + i] - top);
        for (size_t i = 0; i < n; ++i) {
          const double d = x[r * n + i] - top, exact = std::exp(d) / sum;
          const double bound = exact * (additions(n) + 2 * std::abs(d) + 10) * kU + 1.3e-38;
          worst = std::max(worst, std::abs(y[r * n + i] - exact) / bound);
        }
      }
      CHECK(worst <= 1);
    }
}

TEST_CASE("softmax of rows: infinities and NaN are the same everywhere") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& odd :
       {std::vector<float>{kInf, 1}, {-kInf, 1}, {NAN, 1}, {-kInf, -kInf}, {1e38f, -1e38f}})
    for (size_t n : {2, 20, 33}) {
      std::vector<float> x(n, 0.5f);
      x[0] = odd[0], x[n - 1] = odd[1];
      if (odd[1] == -kInf) std::fill(x.begin(), x.end(), -kInf);
      const auto y = same_of_all(x, [&](const FloatRowsKernel& k, float* p) {
        k.softmax({p, p, n}, {0, 1});
      });
      CHECK(std::isnan(y[1]) == (odd[0] == kInf || std::isnan(odd[0]) || odd[1] == -kInf));
    }
}

TEST_CASE("rotation of rows turns pairs, both forms, and copies what lies behind them") {
  test::Random random(23);
  for (size_t half : {1, 3, 8, 16, 33, 64})
    for (bool interleaved : {false, true}) {
      CAPTURE(half);
      const size_t size = 2 * half + half % 3;
      const auto x = random.reals(static_cast<int64_t>(size));
      const Floats c(random.reals(static_cast<int64_t>(half))), s(random.reals(static_cast<int64_t>(half)));
      const auto y = same_of_all(x, [&](const FloatRowsKernel& k, float* p) {
        k.rotate({p, c.data(), s.data(), p, half, size, interleaved});
      });
      for (size_t i = 0; i < size; ++i) {
        double exact = x[i];
        if (i < 2 * half) {
          const size_t pair = interleaved ? i / 2 : i % half;
          const double a = x[interleaved ? 2 * pair : pair], b = x[interleaved ? 2 * pair + 1 : pair + half];
          const bool first = interleaved ? i % 2 == 0 : i < half;
          exact = first ? a * c.data()[pair] - b * s.data()[pair] : a * s.data()[pair] + b * c.data()[pair];
        }
        CHECK(std::abs(y[i] - exact) <= 4 * kU);  // two products and a sum of numbers up to 1
      }
    }
}

TEST_CASE("gated linear units: equal bits everywhere, within the bound") {
  test::Random random(24);
  for (size_t n : kSizes) {
    auto gate = random.reals(static_cast<int64_t>(n), -100, 100);
    gate[0] = 0;
    const auto up = random.reals(static_cast<int64_t>(n), -2, 2);
    const Floats ups(up);
    const auto y =
        same_of_all(gate, [&](const FloatRowsKernel& k, float* p) { k.swiglu(p, ups.data(), p, n); });
    double worst = 0;
    for (size_t i = 0; i < n; ++i) {
      const double g = gate[i], exact = g / (1 + std::exp(-g)) * up[i];
      worst = std::max(worst, std::abs(y[i] - exact) / (std::abs(exact) * 10 * kU +
                                                        std::abs(g * up[i]) * std::exp(-87.3) + 1e-38));
    }
    CHECK(worst <= 1);
  }
}

}  // namespace pith::kernels
