// Runs an operator by the reference and by XNNPACK on the same tensors, and compares.
//   Compared c = compare_backends(options, {x, w, bias}, settings);
//   REQUIRE(c.taken);  CHECK(c.max_steps == 0);
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "runtime/backends/xnnpack/xnnpack_backend.h"
#include "tests/support/op_runner.h"

namespace pith {

struct Compared {
  OpResult reference, xnnpack;
  bool taken = false;    // XNNPACK took the node
  double max_error = 0;  // largest |difference|, f32 outputs
  double scale = 0;      // largest |reference|, f32 outputs
  int max_steps = 0;     // largest difference in codes, 8-bit outputs
  size_t different = 0, count = 0;
  double relative() const { return max_error / std::max(scale, 1e-30); }
};

template <class T>
void compare_codes(const TestTensor& a, const TestTensor& b, Compared* c) {
  const auto x = a.values<T>(), y = b.values<T>();
  REQUIRE(x.size() == y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const int d = std::abs(static_cast<int>(x[i]) - static_cast<int>(y[i]));
    c->max_steps = std::max(c->max_steps, d);
    c->different += d != 0 ? 1 : 0;
  }
  c->count += x.size();
}

inline void compare_outputs(Compared* c) {
  REQUIRE(c->reference.out.size() == c->xnnpack.out.size());
  for (size_t o = 0; o < c->reference.out.size(); ++o) {
    const TestTensor &a = c->reference.out[o], &b = c->xnnpack.out[o];
    REQUIRE(a.dtype == b.dtype);
    REQUIRE(a.shape == b.shape);
    if (a.dtype == DType::i8) {
      compare_codes<int8_t>(a, b, c);
    } else if (a.dtype != DType::f32) {
      compare_codes<uint8_t>(a, b, c);
    } else {
      const auto x = a.values<float>(), y = b.values<float>();
      for (size_t i = 0; i < x.size(); ++i) {
        const double d = std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i]));
        c->max_error = d <= c->max_error ? c->max_error : d;  // NaN sticks
        c->scale = std::max(c->scale, std::abs(static_cast<double>(x[i])));
        c->different += x[i] == y[i] ? 0 : 1;
      }
      c->count += x.size();
    }
  }
}

template <class OptionsT>
Compared compare_backends(const OptionsT& options, const std::vector<TestTensor>& inputs,
                          OpRunSettings settings = {}) {
  Compared c;
  c.reference = run_op(options, inputs, settings);
  INFO("reference: " << c.reference.status.message());
  REQUIRE(c.reference.status.is_ok());
  settings.prepare = prepare_xnnpack;
  c.xnnpack = run_op(options, inputs, settings);
  INFO("xnnpack: " << c.xnnpack.status.message());
  if (c.xnnpack.status.code() == Code::unsupported) return c;
  REQUIRE(c.xnnpack.status.is_ok());
  CHECK_FALSE(c.xnnpack.overrun);
  c.taken = true;
  compare_outputs(&c);
  return c;
}

class RandomTensors {
 public:
  explicit RandomTensors(unsigned seed) : engine_(seed) {}
  TestTensor floats(const Shape& shape, float lo = -1, float hi = 1) {
    std::uniform_real_distribution<float> d(lo, hi);
    std::vector<float> v(static_cast<size_t>(shape.count()));
    for (float& x : v) x = d(engine_);
    return tensor<float>(shape, v);
  }
  template <class T>
  TestTensor integers(const Shape& shape, int lo, int hi) {
    std::uniform_int_distribution<int> d(lo, hi);
    std::vector<T> v(static_cast<size_t>(shape.count()));
    for (T& x : v) x = static_cast<T>(d(engine_));
    return tensor<T>(shape, v);
  }
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  float real(float lo, float hi) { return std::uniform_real_distribution<float>(lo, hi)(engine_); }

 private:
  std::mt19937 engine_;
};

inline TestTensor constant(TestTensor t) {
  t.is_constant = true;
  return t;
}

}  // namespace pith
