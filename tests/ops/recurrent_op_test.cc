// Recurrent layers against the ONNX formulas in double precision.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using schema::CellKind;
using test::Random;

namespace {
constexpr size_t kSteps = 5, kBatch = 3, kInputs = 4, kHidden = 6;

struct Layer {
  CellKind cell;
  bool linear = false, peephole = false;
  size_t gates() const { return cell == CellKind::lstm ? 4 : cell == CellKind::gru ? 3 : 1; }
  std::vector<float> x, w, r, bias, h0, c0, p;
  std::vector<int32_t> lens{5, 2, 0};
};
Layer random_layer(CellKind cell, Random& rng) {
  Layer l;
  l.cell = cell;
  const auto rows = static_cast<int64_t>(l.gates() * kHidden);
  l.x = rng.reals(kSteps * kBatch * kInputs), l.w = rng.reals(rows * kInputs),
  l.r = rng.reals(rows * kHidden);
  l.bias = rng.reals(2 * rows), l.h0 = rng.reals(kBatch * kHidden), l.c0 = rng.reals(kBatch * kHidden);
  l.p = rng.reals(3 * kHidden);
  return l;
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Y[t, b, h] of one direction; h and c hold the last states of the batch row.
void reference(const Layer& l, bool reverse, size_t b, std::vector<double>* y, std::vector<double>* h,
               std::vector<double>* c) {
  const size_t rows = l.gates() * kHidden, length = static_cast<size_t>(l.lens[b]);
  h->assign(l.h0.begin() + static_cast<long>(b * kHidden),
            l.h0.begin() + static_cast<long>((b + 1) * kHidden));
  c->assign(l.c0.begin() + static_cast<long>(b * kHidden),
            l.c0.begin() + static_cast<long>((b + 1) * kHidden));
  for (size_t n = 0; n < length; ++n) {
    const size_t t = reverse ? length - 1 - n : n;
    std::vector<double> xs(rows), hs(rows), next(kHidden);
    const auto recur = [&](size_t row, const std::vector<double>& v) {
      double sum = 0;
      for (size_t k = 0; k < kHidden; ++k) sum += double{l.r[row * kHidden + k]} * v[k];
      return sum;
    };
    for (size_t row = 0; row < rows; ++row) {
      xs[row] = l.bias[row];
      for (size_t k = 0; k < kInputs; ++k)
        xs[row] += double{l.w[row * kInputs + k]} * double{l.x[(t * kBatch + b) * kInputs + k]};
      hs[row] = recur(row, *h);
    }
    const auto both = [&](size_t gate, size_t u) {
      return xs[gate * kHidden + u] + hs[gate * kHidden + u] + double{l.bias[rows + gate * kHidden + u]};
    };
    std::vector<double> gated(kHidden);
    for (size_t u = 0; u < kHidden && l.cell == CellKind::gru; ++u) gated[u] = sigmoid(both(1, u)) * (*h)[u];
    for (size_t u = 0; u < kHidden; ++u) {
      if (l.cell == CellKind::rnn) {
        next[u] = std::tanh(both(0, u));
      } else if (l.cell == CellKind::gru) {
        const size_t row = 2 * kHidden + u;
        const double rb = l.bias[rows + row];
        const double part = l.linear ? sigmoid(both(1, u)) * (hs[row] + rb) : recur(row, gated) + rb;
        const double z = sigmoid(both(0, u));
        next[u] = (1 - z) * std::tanh(xs[row] + part) + z * (*h)[u];
      } else {
        const auto peep = [&](size_t gate, double state) {
          return l.peephole ? double{l.p[gate * kHidden + u]} * state : 0;
        };
        const double i = sigmoid(both(0, u) + peep(0, (*c)[u])), f = sigmoid(both(2, u) + peep(2, (*c)[u]));
        (*c)[u] = f * (*c)[u] + i * std::tanh(both(3, u));
        next[u] = sigmoid(both(1, u) + peep(1, (*c)[u])) * std::tanh((*c)[u]);
      }
    }
    *h = next;
    for (size_t u = 0; u < kHidden; ++u) (*y)[(t * kBatch + b) * kHidden + u] = next[u];
  }
}

std::vector<TestTensor> inputs_of(const Layer& l) {
  const auto rows = static_cast<int64_t>(l.gates() * kHidden);
  const Shape state{1, kBatch, kHidden};
  return {tensor<float>({kSteps, kBatch, kInputs}, l.x),
          tensor<float>({1, rows, kInputs}, l.w),
          tensor<float>({1, rows, kHidden}, l.r),
          tensor<float>({1, 2 * rows}, l.bias),
          tensor<int32_t>({kBatch}, l.lens),
          tensor<float>(state, l.h0),
          l.cell == CellKind::lstm ? tensor<float>(state, l.c0) : omitted(),
          l.peephole ? tensor<float>({1, 3 * kHidden}, l.p) : omitted()};
}
void check_close(const std::vector<float>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i)
    REQUIRE(std::fabs(got[i] - want[i]) < 1e-5);  // sums of 10 terms, 5 steps
}
}  // namespace

TEST_CASE("recurrent: every cell matches its formulas, both ways, with lengths and first states") {
  Random rng(1);
  for (int trial = 0; trial < 12; ++trial) {
    Layer l = random_layer(static_cast<CellKind>(trial % 3), rng);
    l.linear = trial >= 6;
    l.peephole = l.cell == CellKind::lstm && trial >= 6;
    const bool reverse = trial % 2 == 1;
    schema::RecurrentOptionsT o;
    o.cell = l.cell;
    o.hidden_size = kHidden;
    o.linear_before_reset = l.linear;
    o.direction = reverse ? schema::Direction::reverse : schema::Direction::forward;
    OpRunSettings settings;
    settings.outputs = 3;
    settings.threads = 1 + static_cast<size_t>(trial % 2);
    const OpResult got = run_op(o, inputs_of(l), settings);
    REQUIRE_MESSAGE(got.status.is_ok(), got.status.message());
    CHECK_FALSE(got.overrun);
    REQUIRE(got.out[0].shape == Shape{kSteps, 1, kBatch, kHidden});
    std::vector<double> y(kSteps * kBatch * kHidden), last_h, last_c;
    for (size_t b = 0; b < kBatch; ++b) {
      std::vector<double> h, c;
      reference(l, reverse, b, &y, &h, &c);
      last_h.insert(last_h.end(), h.begin(), h.end());
      last_c.insert(last_c.end(), c.begin(), c.end());
    }
    check_close(got.out[0].values<float>(), y);
    check_close(got.out[1].values<float>(), last_h);
    if (l.cell == CellKind::lstm) check_close(got.out[2].values<float>(), last_c);
  }
}

TEST_CASE("recurrent: batch-first and bidirectional layers are the same numbers in another order") {
  Random rng(2);
  Layer l = random_layer(CellKind::gru, rng);
  l.lens = {5, 5, 5};
  auto in = inputs_of(l);
  schema::RecurrentOptionsT o;
  o.cell = CellKind::gru;
  o.hidden_size = kHidden;
  in.resize(4);
  const auto forward = run_op(o, in).out[0].values<float>();
  o.direction = schema::Direction::reverse;
  const auto backward = run_op(o, in).out[0].values<float>();
  o.direction = schema::Direction::bidirectional;
  for (size_t i = 1; i < 4; ++i) {  // both directions with the same weights
    in[i].bytes.insert(in[i].bytes.end(), in[i].bytes.begin(), in[i].bytes.end());
    in[i].shape[0] = 2;
  }
  const OpResult both = run_op(o, in);
  REQUIRE_MESSAGE(both.status.is_ok(), both.status.message());
  const auto y = both.out[0].values<float>();
  const size_t plane = kBatch * kHidden;
  for (size_t t = 0; t < kSteps; ++t)
    for (size_t i = 0; i < plane; ++i) {
      REQUIRE(y[(2 * t) * plane + i] == forward[t * plane + i]);
      REQUIRE(y[(2 * t + 1) * plane + i] == backward[t * plane + i]);
    }
  std::vector<float> turned(l.x.size());
  for (size_t t = 0; t < kSteps; ++t)
    for (size_t b = 0; b < kBatch; ++b)
      for (size_t k = 0; k < kInputs; ++k)
        turned[(b * kSteps + t) * kInputs + k] = l.x[(t * kBatch + b) * kInputs + k];
  in[0] = tensor<float>({kBatch, kSteps, kInputs}, turned);
  o.batch_first = true;
  const OpResult first = run_op(o, in);
  REQUIRE_MESSAGE(first.status.is_ok(), first.status.message());
  REQUIRE(first.out[0].shape == Shape{kBatch, kSteps, 2, kHidden});
  const auto z = first.out[0].values<float>();
  for (size_t t = 0; t < kSteps; ++t)
    for (size_t b = 0; b < kBatch; ++b)
      for (size_t d = 0; d < 2; ++d)
        for (size_t u = 0; u < kHidden; ++u)
          REQUIRE(z[((b * kSteps + t) * 2 + d) * kHidden + u] == y[((t * 2 + d) * kBatch + b) * kHidden + u]);
}

TEST_CASE("recurrent: other activations and a clip are applied") {
  schema::RecurrentOptionsT o;
  o.cell = CellKind::rnn;
  o.hidden_size = 1;
  o.activations = {schema::UnaryKind::leaky_relu};
  o.alphas = {0.5f};
  o.betas = {0};
  o.clip = 3;
  const OpResult r = run_op(
      o, {tensor<float>({2, 1, 1}, {-2, 9}), tensor<float>({1, 1, 1}, {1}), tensor<float>({1, 1, 1}, {1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == std::vector<float>{-1, 3});
}

TEST_CASE("recurrent: hostile options and shapes are refused") {
  Random rng(3);
  const Layer l = random_layer(CellKind::lstm, rng);
  schema::RecurrentOptionsT o;
  o.hidden_size = kHidden;
  CHECK(run_op(o, inputs_of(l)).status.is_ok());
  o.hidden_size = 7;
  CHECK(run_op(o, inputs_of(l)).status.message().find("must have shape") != std::string::npos);
  o.hidden_size = 0;
  CHECK_FALSE(run_op(o, inputs_of(l)).status.is_ok());
  o.hidden_size = kHidden;
  o.activations = {schema::UnaryKind::tanh};
  CHECK_FALSE(run_op(o, inputs_of(l)).status.is_ok());
  o.activations = {schema::UnaryKind::tanh, schema::UnaryKind::is_nan, schema::UnaryKind::tanh};
  CHECK_FALSE(run_op(o, inputs_of(l)).status.is_ok());
  o.activations = {};
  o.cell = static_cast<CellKind>(77);
  CHECK_FALSE(run_op(o, inputs_of(l)).status.is_ok());
}
