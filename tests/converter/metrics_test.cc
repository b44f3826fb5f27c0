// Metrics and statistics against values worked out by hand, published examples, and simulation.
#include "converter/eval/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace pith;
using namespace pith::eval;

namespace {
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();
}  // namespace

TEST_CASE("rank: counts larger scores and equal ones of lower classes, NaN is never right") {
  const std::vector<float> scores{1, 3, 3, 2};
  CHECK(rank_of_label(scores, 1) == 0);
  CHECK(rank_of_label(scores, 2) == 1);
  CHECK(rank_of_label(scores, 3) == 2);
  CHECK(rank_of_label(scores, 0) == 3);
  CHECK(predicted_class(scores) == 1);
  const std::vector<float> broken{1, kNotANumber, 0};
  CHECK(rank_of_label(broken, 0) == -1);
  CHECK(predicted_class(broken) == -1);
  const std::vector<float> constant(10, 0.5f);  // a dead model is right on class 0 only, not on every item
  CHECK(rank_of_label(constant, 0) == 0);
  CHECK(rank_of_label(constant, 7) == 7);
}

TEST_CASE("classification: top-1, top-5, classes and the worst class") {
  ClassificationMetrics m;
  const std::vector<float> scores{9, 8, 7, 6, 5, 4};
  REQUIRE(m.add(scores, 0).is_ok());
  REQUIRE(m.add(scores, 0).is_ok());
  REQUIRE(m.add(scores, 4).is_ok());
  REQUIRE(m.add(scores, 5).is_ok());
  REQUIRE(m.add(scores, 5).is_ok());
  CHECK(m.items() == 5);
  CHECK(m.top1().hits == 2);
  CHECK(m.top5().hits == 3);
  CHECK(m.per_class()[0].value() == 1.0);
  CHECK(m.per_class()[1].n == 0);
  CHECK(m.worst_class() == 5);  // as wrong as class 4, with more items
  CHECK(m.right() == std::vector<bool>{true, true, false, false, false});
  CHECK_FALSE(m.add(scores, 6).is_ok());
  CHECK_FALSE(m.add(scores, -1).is_ok());
  CHECK_FALSE(m.add(std::vector<float>{1, 2}, 0).is_ok());
  CHECK(m.items() == 5);
  const std::vector<float> broken{1, 2, 3, 4, 5, kNotANumber};
  REQUIRE(m.add(broken, 4).is_ok());
  CHECK(m.items_with_nan() == 1);
  CHECK(m.top5().hits == 3);
  CHECK(ClassificationMetrics().worst_class() == -1);
}

TEST_CASE("pairing: counts agreements and refuses different numbers of items") {
  ClassificationMetrics a, b;
  const std::vector<float> zero{1, 0}, one{0, 1};
  for (int i = 0; i < 4; ++i) {
    REQUIRE(a.add(i < 2 ? zero : one, 0).is_ok());
    REQUIRE(b.add(i % 2 == 0 ? zero : one, 0).is_ok());
  }
  const Result<PairedCounts> counts = pair_models(a, b);
  REQUIRE(counts.is_ok());
  CHECK(counts.value().both == 1);
  CHECK(counts.value().only_first == 1);
  CHECK(counts.value().only_second == 1);
  CHECK(counts.value().neither == 1);
  REQUIRE(a.add(zero, 0).is_ok());
  CHECK_FALSE(pair_models(a, b).is_ok());
}

TEST_CASE("tensor error: SQNR, cosine, largest error and shift of a small example") {
  TensorError e;
  REQUIRE(e.add(std::vector<float>{3, 4}, std::vector<float>{3, 4.5f}).is_ok());
  REQUIRE(e.add(std::vector<float>{0}, std::vector<float>{0}).is_ok());
  CHECK(e.fidelity() == Fidelity::normal);
  CHECK(e.sqnr_db() == doctest::Approx(10 * std::log10(25 / 0.25)));
  CHECK(e.cosine() == doctest::Approx(27 / (5 * std::sqrt(29.25))));
  CHECK(e.max_abs_error() == 0.5);
  CHECK(e.worst_element() == 1);
  CHECK(e.mean_shift() == doctest::Approx(0.5 / 3));
  CHECK(e.count() == 3);
  CHECK_FALSE(e.add(std::vector<float>{1}, std::vector<float>{1, 2}).is_ok());
}

TEST_CASE("tensor error: 8 bits give about 6.02 dB per bit on uniform data") {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> x(20000), y(20000);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = uniform(random);
    y[i] = std::nearbyint(x[i] * 128) / 128;
  }
  TensorError e;
  REQUIRE(e.add(x, y).is_ok());
  // Step 1/128 over [-1, 1]: 20 log10(256) = 48.16 dB; 20,000 items leave less than 0.2 dB of noise.
  CHECK(std::abs(e.sqnr_db() - 20 * std::log10(256.0)) < 0.2);
}

TEST_CASE("tensor error: identical, silent and non-finite comparisons are said, not computed") {
  TensorError same, silent, broken, masked;
  REQUIRE(same.add(std::vector<float>{1, 2}, std::vector<float>{1, 2}).is_ok());
  CHECK(same.fidelity() == Fidelity::identical);
  CHECK(same.cosine() == doctest::Approx(1));
  CHECK(same.worst_element() == -1);
  REQUIRE(silent.add(std::vector<float>{0, 0}, std::vector<float>{0, 1}).is_ok());
  CHECK(silent.fidelity() == Fidelity::silent);
  CHECK(silent.cosine() == 0);
  REQUIRE(broken.add(std::vector<float>{1, 2}, std::vector<float>{1, kNotANumber}).is_ok());
  CHECK(broken.fidelity() == Fidelity::not_finite);
  REQUIRE(masked.add(std::vector<float>{-kInf, 2}, std::vector<float>{-kInf, 2}).is_ok());
  CHECK(masked.fidelity() == Fidelity::identical);
  CHECK(std::string(name_of(Fidelity::silent)) == "silent");
}

TEST_CASE("KL: zero for shifted logits, the hand value for two classes, NaN for nonsense") {
  CHECK(kl_of_logits(std::vector<float>{1, 2, 3}, std::vector<float>{101, 102, 103}) ==
        doctest::Approx(0).epsilon(1e-12));
  const double want = 0.75 * std::log(0.75 / 0.5) + 0.25 * std::log(0.25 / 0.5);
  CHECK(kl_of_probabilities(std::vector<float>{0.75f, 0.25f}, std::vector<float>{0.5f, 0.5f}) ==
        doctest::Approx(want));
  CHECK(kl_of_probabilities(std::vector<float>{3, 1}, std::vector<float>{1, 1}) == doctest::Approx(want));
  CHECK(kl_of_logits(std::vector<float>{std::log(3.0f), 0}, std::vector<float>{0, 0}) ==
        doctest::Approx(want));
  CHECK(kl_of_probabilities(std::vector<float>{1, 0}, std::vector<float>{0, 1}) ==
        doctest::Approx(std::log(1e12)));
  CHECK(kl_of_logits(std::vector<float>{0, -kInf}, std::vector<float>{0, -kInf}) == 0);
  CHECK(std::isnan(kl_of_logits(std::vector<float>{0, kNotANumber}, std::vector<float>{0, 0})));
  CHECK(std::isnan(kl_of_logits(std::vector<float>{0}, std::vector<float>{0, 0})));
  CHECK(std::isnan(kl_of_probabilities(std::vector<float>{0, 0}, std::vector<float>{1, 0})));
  CHECK(std::isnan(kl_of_probabilities(std::vector<float>{2, -1}, std::vector<float>{1, 0})));
}

TEST_CASE("normal quantiles have their textbook values") {
  CHECK(two_sided_z(0.95) == doctest::Approx(1.959963984540054).epsilon(1e-12));
  CHECK(one_sided_z(0.95) == doctest::Approx(1.6448536269514722).epsilon(1e-12));
  CHECK(one_sided_z(0.5) == doctest::Approx(0).epsilon(1e-12));
}

TEST_CASE("Wilson: the examples of Newcombe 1998, and exact ends for none and all") {
  // R. G. Newcombe, Statistics in Medicine 17:857, table I, method 3: 81/263, 15/148, 0/20, 1/29.
  const struct {
    int64_t hits, n;
    double low, high;
  } kTable[] = {
      {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (const auto& row : kTable) {
    const Interval i = wilson_interval(row.hits, row.n);
    CHECK(i.low == doctest::Approx(row.low).epsilon(0.002));
    CHECK(i.high == doctest::Approx(row.high).epsilon(0.0005));
  }
  CHECK(wilson_interval(0, 20).low == 0);
  CHECK(wilson_interval(20, 20).high == 1);
  CHECK(wilson_interval(0, 0).high == 1);
}

TEST_CASE(
    "paired interval: contains the drop, mirrors when the models swap, has its closed form without "
    "discordance") {
  for (const PairedCounts& c :
       {PairedCounts{80, 10, 2, 8}, PairedCounts{1, 1, 7, 12}, PairedCounts{0, 5, 0, 0},
        PairedCounts{500, 0, 0, 0}, PairedCounts{900, 40, 40, 20}}) {
    const Interval a = paired_interval(c),
                   b = paired_interval({c.both, c.only_second, c.only_first, c.neither});
    CHECK(a.low <= c.drop());
    CHECK(a.high >= c.drop());
    CHECK(a.low == doctest::Approx(-b.high).epsilon(1e-9));
    CHECK(a.high == doctest::Approx(-b.low).epsilon(1e-9));
    CHECK(paired_interval(c, 0.99).high >= a.high);
  }
  const double z2 = two_sided_z(0.95) * two_sided_z(0.95);
  CHECK(paired_interval({450, 0, 0, 50}).high == doctest::Approx(z2 / (500 + z2)).epsilon(1e-9));
  CHECK(paired_interval({}).low == -1);
  // 21 children, 1 and 7 discordant: the asymptotic score interval of Fagerland, Lydersen, Laake (Statistics
  // in Medicine 33:2850, 2014) is (-0.517, -0.026).
  const Interval published = paired_interval({1, 1, 7, 12});
  CHECK(std::abs(published.low + 0.517) < 0.0006);
  CHECK(std::abs(published.high + 0.026) < 0.0006);
}

TEST_CASE("paired interval: covers the true drop about as often as it says") {
  // 2,000 experiments of 300 items, P(only first) 3 %, P(only second) 2 %: 95 % +- 3 standard errors of 0.5
  // %.
  std::mt19937_64 random(20261123);
  std::uniform_real_distribution<double> uniform(0, 1);
  int covered = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    PairedCounts c;
    for (int i = 0; i < 300; ++i) {
      const double u = uniform(random);
      c.add(u >= 0.02 && u < 0.95, u < 0.02 || (u >= 0.05 && u < 0.95));
    }
    const Interval interval = paired_interval(c);
    covered += interval.low <= 0.01 && 0.01 <= interval.high ? 1 : 0;
  }
  CHECK(covered > 1900 - 30);
  CHECK(covered < 1900 + 50);
}

TEST_CASE("McNemar: exact probabilities of small tables, and large ones do not overflow") {
  CHECK(mcnemar_exact({0, 0, 0, 0}) == 1);
  CHECK(mcnemar_exact({10, 3, 3, 10}) == 1);
  CHECK(mcnemar_exact({0, 5, 0, 0}) == doctest::Approx(2.0 / 32));
  CHECK(mcnemar_exact({0, 1, 7, 0}) == doctest::Approx(2.0 * (1 + 8) / 256));
  CHECK(mcnemar_exact({0, 100000, 99000, 0}) ==
        doctest::Approx(std::erfc(999 / std::sqrt(2 * 199000.0))).epsilon(0.01));
}

TEST_CASE("items needed: the worked example, more for less difference, none when no number would do") {
  // compression.md 3(o): drop below 1 point, true drop 0.3, 4 % discordant: about 2,210.
  const std::optional<int64_t> n = items_needed(0.01, 0.003, 0.04);
  REQUIRE(n.has_value());
  CHECK(*n == 2209);  // ceil(1.644854^2 * 0.04 / 0.007^2)
  CHECK(*items_needed(0.01, 0.005, 0.04) > *n);
  CHECK(*items_needed(0.01, 0, 0) == 268);  // ceil(2.705543 * 0.99 / 0.01)
  CHECK_FALSE(items_needed(0.01, 0.01, 0.04).has_value());
  CHECK_FALSE(items_needed(0, -0.1, 0.04).has_value());
}

TEST_CASE("judge drop: certifies, refuses, or says how many items would decide") {
  const DropDecision good = judge_drop({2850, 70, 61, 519}, 0.01);
  CHECK(good.verdict == DropVerdict::within);
  CHECK(good.interval.high < 0.01);
  CHECK_FALSE(good.items_needed.has_value());
  CHECK(judge_drop({2500, 300, 50, 150}, 0.01).verdict == DropVerdict::exceeded);
  const DropDecision unclear = judge_drop({450, 11, 9, 30}, 0.01);
  CHECK(unclear.verdict == DropVerdict::undecided);
  REQUIRE(unclear.items_needed.has_value());
  CHECK(*unclear.items_needed > 500);
  const int64_t factor = (*unclear.items_needed + 499) / 500 + 1;  // the same rates on that many items decide
  CHECK(judge_drop({450 * factor, 11 * factor, 9 * factor, 30 * factor}, 0.01).verdict ==
        DropVerdict::within);
  CHECK(judge_drop({90, 0, 0, 10}, 0.01).verdict ==
        DropVerdict::undecided);  // 100 equal items prove no 1 point
  CHECK(judge_drop({270, 0, 0, 30}, 0.01).verdict == DropVerdict::within);
  CHECK(judge_drop({}, 0.01).verdict == DropVerdict::undecided);
  CHECK_FALSE(judge_drop({480, 10, 5, 5}, 0.01).items_needed.has_value());  // the drop is the limit itself
}

TEST_CASE("mean: standard error and interval by hand, large offsets lose nothing, one item proves nothing") {
  const std::vector<double> values{1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4};
  const MeanEstimate m = estimate_mean(values);
  CHECK(m.mean == 1e9 + 2.5);
  CHECK(m.standard_error == doctest::Approx(std::sqrt(5.0 / 3 / 4)));
  CHECK(m.interval.high - m.mean == doctest::Approx(1.959964 * m.standard_error).epsilon(1e-6));
  CHECK(std::isinf(estimate_mean(std::vector<double>{3}).interval.high));
}
