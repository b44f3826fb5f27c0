// Every row of unary_list.inc in float against the same formula in double, and edge values.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/unary.h"

namespace pith::kernels {
namespace {

struct Row {
  UnaryKind kind;
  const char* name;
  double steps;
};
const Row kRows[] = {
#define FLOAT_UNARY(name, steps, formula) {UnaryKind::name, #name, steps},
#define OTHER_UNARY(name)
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY
};

Lane lane(std::vector<float>& v) { return {v.data(), DType::f32, false, 1, 0}; }

std::vector<float> apply(UnaryKind kind, std::vector<float> x, float alpha = 0, float beta = 0) {
  std::vector<float> y(x.size());
  unary_ref({kind, lane(x), lane(y), alpha, beta}, {0, x.size()});
  return y;
}

constexpr double kU = 0x1p-24;

}  // namespace

TEST_CASE("unary: float results stay within the error bound of unary_list.inc") {
  std::vector<float> x;
  for (int i = -400; i <= 400; ++i) x.push_back(static_cast<float>(i) * 0.0203f);
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    // alpha and beta are exact in float; for clip they are bounds, for selu the two factors
    const float alpha = row.kind == UnaryKind::clip ? -1.5f : 0.75f, beta = 1.25f;
    const std::vector<float> y = apply(row.kind, x, alpha, beta);
    for (size_t i = 0; i < x.size(); ++i) {
      const double xi = static_cast<double>(x[i]);
      const double exact = unary_value(row.kind, xi, static_cast<double>(alpha), static_cast<double>(beta));
      CAPTURE(xi);
      if (std::isnan(exact)) {
        CHECK(std::isnan(y[i]));
        continue;
      }
      if (std::isinf(exact)) {
        CHECK(static_cast<double>(y[i]) == exact);
        continue;
      }
      const double bound =
          row.steps * kU * (1 + xi * xi) * std::max(std::fabs(exact), kU * std::fabs(xi)) +
          (row.kind == UnaryKind::hard_sigmoid || row.kind == UnaryKind::hard_swish ? 4 * kU : 0);
      CHECK(std::fabs(static_cast<double>(y[i]) - exact) <= bound);
    }
  }
}

TEST_CASE("unary: the formulas themselves, at points worked out by hand") {
  auto at = [](UnaryKind kind, double x, double a = 0, double b = 0) { return unary_value(kind, x, a, b); };
  CHECK(at(UnaryKind::round_even, 2.5) == 2);
  CHECK(at(UnaryKind::round_even, -1.5) == -2);
  CHECK(at(UnaryKind::sigmoid, 0) == 0.5);
  CHECK(at(UnaryKind::softplus, 0) == doctest::Approx(0.6931471805599453));
  CHECK(at(UnaryKind::softsign, -3) == -0.75);
  CHECK(at(UnaryKind::leaky_relu, -2, 0.1) == doctest::Approx(-0.2));
  CHECK(at(UnaryKind::elu, -1, 2) == doctest::Approx(2 * (0.36787944117144233 - 1)));
  CHECK(at(UnaryKind::selu, -1, 2, 3) == doctest::Approx(6 * (0.36787944117144233 - 1)));
  CHECK(at(UnaryKind::selu, 2, 2, 3) == 6);
  CHECK(at(UnaryKind::celu, -2, 2) == doctest::Approx(2 * (0.36787944117144233 - 1)));
  CHECK(at(UnaryKind::thresholded_relu, 1, 1) == 0);
  CHECK(at(UnaryKind::thresholded_relu, 1.5, 1) == 1.5);
  CHECK(at(UnaryKind::hard_sigmoid, 1, 0.2, 0.5) == doctest::Approx(0.7));
  CHECK(at(UnaryKind::hard_swish, 1) == doctest::Approx(2.0 / 3));
  CHECK(at(UnaryKind::mish, 1) == doctest::Approx(0.8650983882673103));
  CHECK(at(UnaryKind::gelu, 1) == doctest::Approx(0.8413447460685429));
  CHECK(at(UnaryKind::gelu_tanh, 1) == doctest::Approx(0.8411919906082768));
  CHECK(at(UnaryKind::swish, 1, 2) == doctest::Approx(0.8807970779778823));
  CHECK(at(UnaryKind::clip, 5, -1, 2) == 2);
  CHECK(at(UnaryKind::clip, 0, 3, 1) == 1);
  CHECK(at(UnaryKind::shrink, 2, 1.5, 0.5) == 1.5);
  CHECK(at(UnaryKind::shrink, -2, 1.5, 0.5) == -1.5);
  CHECK(at(UnaryKind::shrink, 1, 1.5, 0.5) == 0);
}

TEST_CASE("unary: saturating functions survive huge arguments and NaN is never swallowed") {
  const float huge = 1e30f, nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(apply(UnaryKind::sigmoid, {-huge, huge}) == std::vector<float>{0, 1});
  CHECK(apply(UnaryKind::softplus, {-huge, huge}) == std::vector<float>{0, huge});
  CHECK(apply(UnaryKind::gelu_tanh, {-1e10f, 1e10f}) == std::vector<float>{0, 1e10f});
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CHECK(std::isnan(apply(row.kind, {nan}, 1, 2)[0]));
  }
}

TEST_CASE("unary: f16 goes through float, integers wrap at their own width") {
  std::vector<uint16_t> h = {0xc000, 0x3c00};  // -2, 1
  const Lane half{h.data(), DType::f16, false, 1, 0};
  unary_ref({UnaryKind::relu, half, half, 0, 0}, {0, 2});
  CHECK(h == std::vector<uint16_t>{0, 0x3c00});
  std::vector<int8_t> i = {-128, -1, 5};
  const Lane bytes{i.data(), DType::i8, false, 1, 0};
  unary_ref({UnaryKind::abs, bytes, bytes, 0, 0}, {0, 3});
  CHECK(i == std::vector<int8_t>{-128, 1, 5});
}

}  // namespace pith::kernels
