// Outlier channels behind a norm: plain 8-bit products fail, SmoothQuant and the outlier split hold; AWQ helps 4-bit weights.
#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/awq.h"
#include "converter/quantize/channel_fold.h"
#include "converter/quantize/dynamic_int8.h"
#include "converter/quantize/outlier_split.h"
#include "converter/quantize/packed_products.h"
#include "converter/quantize/smooth_quant.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/norm_block.h"

namespace pith {
namespace {

using namespace quantize;
using testing::NormBlock;

constexpr size_t kWidth = 512;  // one outlier is 0.2 %
constexpr uint32_t kOutliers[] = {77};

// The block computes the same, but the outlier channels behind the norm are `times` as large.
void inject(NormBlock& b, double times) {
  const auto fold = find_channel_fold(b.maker.graph, std::vector{b.first, b.second});
  REQUIRE(fold.is_ok());
  std::vector<double> factors(b.width, 1.0);
  for (const uint32_t c : kOutliers) factors[c] = 1 / times;
  fold_channels(b.maker.graph, fold.value(), factors);
}

ProductMoments moments_of_norm(NormBlock& b) {
  ProductMoments out;
  ir::Node* const nodes[] = {b.first, b.second};
  const Status s =
      collect_moments(b.maker.graph, nodes, b.items(32), {.sample_rows = 16, .cross_products = false},
                      [&](std::span<ir::Node* const>, const ProductMoments& m) {
                        out = m;
                        return Status::ok();
                      });
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  return out;
}

std::vector<float> outputs(NormBlock& b) {
  return test::run_floats(b.maker.open(), b.rows(NormBlock::kRows, 5000), BackendChoice::automatic).y;
}
double sqnr(const std::vector<float>& exact, const std::vector<float>& y) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    signal += double{exact[i]} * exact[i];
    noise += std::pow(double{exact[i]} - y[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

// SQNR of the block's output when the two products behind the norm run in dynamic int8.
double int8_sqnr(NormBlock& b, const std::vector<float>& exact) {
  const auto wanted = [&](const ir::Node& n) { return &n == b.first || &n == b.second; };
  REQUIRE(quantize_dynamic_int8(b.maker.graph, wanted).is_ok());
  REQUIRE(pack_dynamic_products(b.maker.graph, wanted).value() == 2);
  return sqnr(exact, outputs(b));
}

void smooth(NormBlock& b) {
  const std::vector<ir::Node*> sharing = {b.first, b.second};
  const auto scales = choose_smoothing(sharing, moments_of_norm(b), Int8Rows::each);
  REQUIRE_MESSAGE(scales.is_ok(), scales.status().message());
  CHECK(scales.value().helps());
  const std::vector<float> before = outputs(b);
  fold_channels(b.maker.graph, find_channel_fold(b.maker.graph, sharing).value(), scales.value().factors);
  CHECK(sqnr(before, outputs(b)) > 110);
}

void split(NormBlock& b) {
  const std::vector<uint32_t> columns = outlier_columns(moments_of_norm(b).fit, {});
  REQUIRE(columns == std::vector<uint32_t>(std::begin(kOutliers), std::end(kOutliers)));
  const std::vector<float> before = outputs(b);
  for (ir::Node* node : {b.first, b.second}) {
    const auto done = split_outliers(b.maker.graph, node, columns);
    REQUIRE_MESSAGE(done.is_ok(), done.status().message());
    CHECK(done.value().product == node);
  }
  CHECK(sqnr(before, outputs(b)) > 110);
}

}  // namespace

TEST_CASE(
    "with outliers of 20 and 100 times in 0.2 % of the channels, SmoothQuant and the split hold where int8 "
    "fails") {
  NormBlock plain(kWidth);
  const std::vector<float> exact = outputs(plain);
  const double without = int8_sqnr(plain, exact);
  CHECK(without > 35);
  for (const double times : {20.0, 100.0}) {
    NormBlock with(kWidth), smoothed(kWidth), divided(kWidth);
    for (NormBlock* b : {&with, &smoothed, &divided}) inject(*b, times);
    CHECK(sqnr(exact, outputs(with)) > 110);
    smooth(smoothed);
    split(divided);
    const double failing = int8_sqnr(with, exact), held = int8_sqnr(smoothed, exact),
                 kept = int8_sqnr(divided, exact);
    MESSAGE("outliers x" << times << ": int8 " << failing << " dB, SmoothQuant " << held << " dB, LLM.int8 "
                         << kept << " dB; without outliers " << without << " dB");
    CHECK(failing < without - (times > 50 ? 15 : 5));
    CHECK(held > without - 3);
    CHECK(kept > without - 3);
  }
}

TEST_CASE(
    "smoothing for one grid over all rows: the simulated loss falls by far, and its plain restatement "
    "agrees") {
  NormBlock b(64);
  std::vector<double> factors(64, 1.0);
  factors[5] = 1.0 / 50;
  fold_channels(b.maker.graph, find_channel_fold(b.maker.graph, std::vector{b.first, b.second}).value(),
                factors);
  const ProductMoments m = moments_of_norm(b);
  const auto scales = choose_smoothing(std::vector{b.first, b.second}, m, Int8Rows::shared);
  REQUIRE(scales.is_ok());
  CHECK(scales.value().loss_after < 0.05 * scales.value().loss_before);
  CHECK(scales.value().factors[5] > 5 * scales.value().factors[6]);

  // w = one row of ones on two columns: the loss is that of the rounded inputs alone.
  const std::vector<float> w = {1, 1}, x = {0.3f, 100, -50, 7};
  const double step = 150.0 / 255, zero = std::nearbyint(50 / step);
  double loss = 0;
  for (size_t r = 0; r < 4; r += 2) {
    double e = 0;
    for (size_t j = r; j < r + 2; ++j)
      e += x[j] - step * (std::clamp(std::nearbyint(x[j] / step) + zero, 0.0, 255.0) - zero);
    loss += e * e / 2;
  }
  CHECK(int8_loss(w, 1, x, 2, std::vector<double>{1, 1}, Int8Rows::shared).value() == doctest::Approx(loss));
}

TEST_CASE("AWQ lowers the loss of 4-bit weights where a few inputs are large, and never raises it") {
  for (const Layout layout : {Layout::i4s8, Layout::i4a}) {
    NormBlock even(256), uneven(256);
    const std::vector<float> exact = outputs(even);
    std::vector<double> factors(256, 1.0);
    for (size_t c = 0; c < 256; c += 37) factors[c] = 1.0 / 12;
    fold_channels(uneven.maker.graph,
                  find_channel_fold(uneven.maker.graph, std::vector{uneven.first, uneven.second}).value(),
                  factors);
    const GroupOptions o{layout, 32};
    for (NormBlock* b : {&even, &uneven}) {
      const std::vector<ir::Node*> sharing = {b->first, b->second};
      const auto scales = choose_awq_scales(sharing, moments_of_norm(*b), o);
      REQUIRE_MESSAGE(scales.is_ok(), scales.status().message());
      CHECK(scales.value().loss_after <= scales.value().loss_before);
      if (b == &even) continue;
      MESSAGE("loss " << scales.value().loss_before << " -> " << scales.value().loss_after << " at ratio "
                      << scales.value().parameter);
      CHECK(scales.value().loss_after < 0.8 * scales.value().loss_before);
      CHECK(scales.value().factors[37] > 2 * scales.value().factors[38]);
      NormBlock before(256);
      fold_channels(before.maker.graph,
                    find_channel_fold(before.maker.graph, std::vector{before.first, before.second}).value(),
                    factors);
      fold_channels(b->maker.graph, find_channel_fold(b->maker.graph, sharing).value(),
                    scales.value().factors);
      const auto wanted = [](const ir::Node& n) { return n.name == "first" || n.name == "second"; };
      REQUIRE(pack_grouped_products(b->maker.graph, o, wanted).is_ok());
      REQUIRE(pack_grouped_products(before.maker.graph, o, wanted).is_ok());
      const double with = sqnr(exact, outputs(*b)), without = sqnr(exact, outputs(before));
      MESSAGE("output: " << without << " dB -> " << with << " dB");
      CHECK(with > without + 1);
    }
  }
}

TEST_CASE("the outlier split keeps the activation of the product, and refuses columns that cannot be") {
  GraphMaker g;
  schema::FullyConnectedOptionsT o;
  o.clamp_min = 0;
  ir::Value* x = g.input("x", DType::f32, {4, 6});
  ir::Value* y =
      g.node("y", o, {x, g.f32({5, 6}, testing::normals(30)), g.f32({5}, testing::normals(5, 0, 1, 2))});
  g.output("y", y);
  ir::Node* node = y->producer;
  const std::vector<float> in = testing::normals(24, 0, 1, 3);
  const auto before = test::run_floats(g.open(), in, BackendChoice::automatic).y;
  for (const std::vector<uint32_t>& wrong :
       std::vector<std::vector<uint32_t>>{{}, {6}, {3, 1}, {2, 2}, {0, 1, 2, 3, 4, 5}})
    CHECK(split_outliers(g.graph, node, wrong).status().code() == Code::bad_argument);
  REQUIRE(split_outliers(g.graph, node, std::vector<uint32_t>{1, 4}).is_ok());
  for (size_t i = 0; i < 30; ++i)
    if (i % 6 == 1 || i % 6 == 4) CHECK(node->in(1)->elements<float>()[i] == 0);
  const auto after = test::run_floats(g.open(), in, BackendChoice::automatic).y;
  REQUIRE(before.size() == after.size());
  for (size_t i = 0; i < before.size(); ++i) CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-5));
}

TEST_CASE("outlier columns: by an absolute bound, by the typical column, and none when there are too many") {
  Moments m(40, false);
  std::vector<float> x(40, 1.0f);
  x[3] = -7, x[9] = 5;
  m.add(x);
  CHECK(outlier_columns(m, {}) == std::vector<uint32_t>{3});
  CHECK(outlier_columns(m, {.threshold = 5}) == std::vector<uint32_t>{3, 9});
  CHECK(outlier_columns(m, {.threshold = 0.5}).empty());
  CHECK(outlier_columns(Moments(40, false), {}).empty());
}

}  // namespace pith
