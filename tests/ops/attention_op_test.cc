// Attention and RotaryEmbedding against their formulas in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using test::Random;

namespace {
constexpr int64_t kB = 2, kH = 4, kG = 2, kS = 3, kN = 5, kD = 6, kE = 7, kP = 2;

struct Rows {  // [B, heads, rows, size]
  std::vector<float> v;
  int64_t heads, rows, size;
  double at(int64_t b, int64_t h, int64_t i, int64_t d) const {
    return v[static_cast<size_t>(((b * heads + h) * rows + i) * size + d)];
  }
  TestTensor whole() const { return tensor<float>({kB, heads, rows, size}, v); }
  TestTensor packed() const {
    std::vector<float> p;
    for (int64_t b = 0; b < kB; ++b)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t d = 0; d < size; ++d) p.push_back(static_cast<float>(at(b, h, i, d)));
    return tensor<float>({kB, rows, heads * size}, p);
  }
};
Rows random_rows(Random& r, int64_t heads, int64_t rows, int64_t size) {
  return {r.reals(kB * heads * rows * size), heads, rows, size};
}

// visible(b, h, i, j): NaN hides key j, another number is added.
template <class Mask>
std::vector<double> reference(const Rows& q, const Rows& k, const Rows& v, double scale, double cap,
                              Mask&& mask) {
  std::vector<double> y;
  for (int64_t b = 0; b < kB; ++b)
    for (int64_t h = 0; h < kH; ++h)
      for (int64_t i = 0; i < q.rows; ++i) {
        const int64_t g = h / (kH / kG);
        std::vector<double> p;
        double sum = 0;
        for (int64_t j = 0; j < k.rows; ++j) {
          double s = 0;
          for (int64_t d = 0; d < q.size; ++d) s += q.at(b, h, i, d) * k.at(b, g, j, d);
          s *= scale;
          if (cap > 0) s = cap * std::tanh(s / cap);
          const double m = mask(b, h, i, j);
          p.push_back(std::isnan(m) ? 0 : std::exp(s + m));
          sum += p.back();
        }
        for (int64_t e = 0; e < v.size; ++e) {
          double out = 0;
          for (int64_t j = 0; j < k.rows && sum > 0; ++j)
            out += p[static_cast<size_t>(j)] / sum * v.at(b, g, j, e);
          y.push_back(out);
        }
      }
  return y;
}
void check_close(const TestTensor& got, const std::vector<double>& want) {
  const auto y = got.values<float>();
  REQUIRE(y.size() == want.size());
  for (size_t i = 0; i < y.size(); ++i)
    REQUIRE(std::fabs(y[i] - want[i]) < 4e-6);  // (D + T + 12) * 2^-24, values <= 1
}
}  // namespace

TEST_CASE("attention: shared key heads, soft cap and scale; packed and unpacked inputs agree") {
  Random r(1);
  const Rows q = random_rows(r, kH, kS, kD), k = random_rows(r, kG, kN, kD), v = random_rows(r, kG, kN, kE);
  schema::AttentionOptionsT o;
  o.has_scale = true, o.scale = 0.7f, o.softcap = 1.5f;
  const OpResult y = run_op(o, {q.whole(), k.whole(), v.whole()});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  REQUIRE(y.out[0].shape == Shape{kB, kH, kS, kE});
  check_close(y.out[0], reference(q, k, v, 0.7, 1.5, [](auto...) { return 0.0; }));
  o.q_heads = kH, o.kv_heads = kG;
  OpRunSettings many;
  many.threads = 3;
  const OpResult p = run_op(o, {q.packed(), k.packed(), v.packed()}, many);
  REQUIRE_MESSAGE(p.status.is_ok(), p.status.message());
  REQUIRE(p.out[0].shape == Shape{kB, kS, kH * kE});
  const auto whole = y.out[0].values<float>(), packed = p.out[0].values<float>();
  for (int64_t b = 0; b < kB; ++b)
    for (int64_t h = 0; h < kH; ++h)
      for (int64_t i = 0; i < kS; ++i)
        for (int64_t e = 0; e < kE; ++e)
          REQUIRE(whole[static_cast<size_t>(((b * kH + h) * kS + i) * kE + e)] ==
                  packed[static_cast<size_t>(((b * kS + i) * kH + h) * kE + e)]);
}

TEST_CASE("attention: tiles of many queries give what one query alone gives, causal or not, packed or not") {
  Random r(9);
  constexpr int64_t kQueries = 22, kKeys = 37;
  const Rows q = random_rows(r, kH, kQueries, 21), k = random_rows(r, kG, kKeys, 21),
             v = random_rows(r, kG, kKeys, 19);
  for (bool causal : {false, true}) {
    schema::AttentionOptionsT o;
    o.causal = causal;
    const OpResult y = run_op(o, {q.whole(), k.whole(), v.whole()});
    REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
    CHECK_FALSE(y.overrun);
    check_close(y.out[0],
                reference(q, k, v, 1 / std::sqrt(21.0), 0, [&](int64_t, int64_t, int64_t i, int64_t j) {
                  return !causal || j <= i ? 0.0 : std::nan("");
                }));
    o.q_heads = kH, o.kv_heads = kG;
    const OpResult p = run_op(o, {q.packed(), k.packed(), v.packed()});
    REQUIRE_MESSAGE(p.status.is_ok(), p.status.message());
    const auto whole = y.out[0].values<float>(), packed = p.out[0].values<float>();
    for (int64_t h = 0; h < kH; ++h)
      for (int64_t i = 0; i < kQueries; ++i)
        for (int64_t e = 0; e < 19; ++e)
          REQUIRE(whole[static_cast<size_t>((h * kQueries + i) * 19 + e)] ==
                  packed[static_cast<size_t>((i * kH + h) * 19 + e)]);
  }
}

TEST_CASE(
    "attention: past keys come first, also where the present is not asked for, and shift the causal edge") {
  Random r(2);
  const Rows q = random_rows(r, kH, kS, kD), k = random_rows(r, kG, kN, kD), v = random_rows(r, kG, kN, kE);
  const Rows pk = random_rows(r, kG, kP, kD), pv = random_rows(r, kG, kP, kE);
  schema::AttentionOptionsT o;
  o.causal = true;
  OpRunSettings settings;
  settings.outputs = 3;
  const std::vector<TestTensor> in{q.whole(), k.whole(), v.whole(), omitted(), pk.whole(), pv.whole()};
  const OpResult y = run_op(o, in, settings);
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  CHECK_FALSE(y.overrun);
  const Rows all_k{y.out[1].values<float>(), kG, kP + kN, kD},
      all_v{y.out[2].values<float>(), kG, kP + kN, kE};
  for (int64_t j = 0; j < kP + kN; ++j)
    CHECK(all_k.at(1, 1, j, 3) == (j < kP ? pk.at(1, 1, j, 3) : k.at(1, 1, j - kP, 3)));
  check_close(y.out[0],
              reference(q, all_k, all_v, 1 / std::sqrt(6.0), 0, [](int64_t, int64_t, int64_t i, int64_t j) {
                return j <= i + kP ? 0.0 : std::nan("");
              }));
  CHECK(run_op(o, in).out[0].bytes == y.out[0].bytes);
}

TEST_CASE(
    "attention: masks broadcast, a short one hides the rest, lengths hide padding, hidden rows give zero") {
  Random r(3);
  const Rows q = random_rows(r, kH, kS, kD), k = random_rows(r, kG, kN, kD), v = random_rows(r, kG, kN, kE);
  const schema::AttentionOptionsT o;
  const auto added = r.reals(kS * (kN - 1));
  const OpResult y = run_op(o, {q.whole(), k.whole(), v.whole(), tensor<float>({kS, kN - 1}, added)});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  check_close(y.out[0],
              reference(q, k, v, 1 / std::sqrt(6.0), 0, [&](int64_t, int64_t, int64_t i, int64_t j) {
                return j < kN - 1 ? double{added[static_cast<size_t>(i * (kN - 1) + j)]} : std::nan("");
              }));
  const std::vector<uint8_t> shown{1, 0, 1, 1, 1, 0, 0, 0, 0, 0};  // row 1 of the batch sees nothing
  OpRunSettings settings;
  settings.outputs = 4;
  schema::AttentionOptionsT report;
  report.qk_output_mode = 3;
  const OpResult m =
      run_op(report,
             {q.whole(), k.whole(), v.whole(), tensor<uint8_t>({kB, 1, 1, kN}, shown, DType::boolean),
              omitted(), omitted(), tensor<int64_t>({kB}, {4, -9})},
             settings);
  REQUIRE_MESSAGE(m.status.is_ok(), m.status.message());
  check_close(m.out[0],
              reference(q, k, v, 1 / std::sqrt(6.0), 0, [&](int64_t b, int64_t, int64_t, int64_t j) {
                return b == 0 && j < 4 && shown[static_cast<size_t>(j)] != 0 ? 0.0 : std::nan("");
              }));
  const auto p = m.out[3].values<float>();
  CHECK(p[1] == 0.0f);
  CHECK(p[0] + p[2] + p[3] == doctest::Approx(1));
  CHECK(p.back() == 0.0f);
}

TEST_CASE("attention: inputs that do not fit are refused") {
  Random r(4);
  const Rows q = random_rows(r, kH, kS, kD), k = random_rows(r, kG, kN, kD), v = random_rows(r, kG, kN, kE);
  schema::AttentionOptionsT o;
  CHECK_FALSE(run_op(o, {q.packed(), k.packed(), v.packed()}).status.is_ok());  // heads unknown
  CHECK_FALSE(run_op(o, {q.whole(), v.whole(), k.whole()}).status.is_ok());
  CHECK_FALSE(
      run_op(o, {q.whole(), k.whole(), v.whole(), tensor<float>({kS, kN + 1}, r.reals(kS * (kN + 1)))})
          .status.is_ok());
  CHECK_FALSE(run_op(o, {q.whole(), k.whole(), v.whole(), omitted(), k.whole()}).status.is_ok());
  o.qk_output_mode = 4;
  CHECK_FALSE(run_op(o, {q.whole(), k.whole(), v.whole()}).status.is_ok());
}

TEST_CASE("rotary_embedding: pairs turn, the rest is copied, positions outside the table are clamped") {
  schema::RotaryEmbeddingOptionsT o;
  const auto cosines = tensor<float>({2, 1}, {1, 0}), sines = tensor<float>({2, 1}, {0, 1});
  const auto x = tensor<float>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  o.rotary_dim = 2;
  const OpResult y = run_op(o, {x, cosines, sines, tensor<int64_t>({1, 2}, {0, 99})});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  CHECK(y.out[0].values<float>() == std::vector<float>{1, 2, 3, -5, 4, 6});
  o.rotary_dim = 0;
  o.interleaved = true;
  const auto c = tensor<float>({1, 1, 2}, {0, 1}), s = tensor<float>({1, 1, 2}, {1, 0});
  const auto wide = tensor<float>({1, 1, 8}, {1, 2, 3, 4, 5, 6, 7, 8});
  o.heads = 2;
  const OpResult z = run_op(o, {wide, c, s});
  REQUIRE_MESSAGE(z.status.is_ok(), z.status.message());
  CHECK(z.out[0].values<float>() == std::vector<float>{-2, 1, 3, 4, -6, 5, 7, 8});
  o.interleaved = false;
  CHECK(run_op(o, {wide, c, s}).out[0].values<float>() == std::vector<float>{-3, 2, 1, 4, -7, 6, 5, 8});
  o.heads = 3;
  CHECK_FALSE(run_op(o, {wide, c, s}).status.is_ok());
}
