// The ladder: the winner is never worse than plain rounding on rows that made no codes.
#include "converter/compress/weight_ladder.h"

#include <doctest/doctest.h>

#include "converter/passes/pass.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::compress;
using namespace pith::testing;

namespace {

constexpr int64_t kWidth = 96;

// Inputs whose channels depend on each other and differ in size: where feedback and importance pay.
quantize::ItemSource mixed_inputs(int64_t items) {
  return {items, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const TensorView& x = session.input(0);
            auto v = normals(static_cast<size_t>(x.count()), 0, 1, 500 + static_cast<uint64_t>(item));
            for (size_t i = 1; i < v.size(); ++i) v[i] = 0.6f * v[i - 1] + v[i] * (i % 7 == 0 ? 3.0f : 0.3f);
            std::copy(v.begin(), v.end(), x.as_mutable<float>());
            return Status::ok();
          }};
}

std::unique_ptr<ir::Graph> one_layer() {
  TinyGraph g;
  g.output(g.dense("fc", g.input("x", {4, kWidth}), kWidth, 24));
  REQUIRE(run_passes(g.graph, {}).is_ok());
  name_all_nodes(g.graph);
  return std::move(g.owned);
}

}  // namespace

TEST_CASE(
    "weight ladder: with data every method runs, and the winner beats plain rounding on held-back rows") {
  const auto graph = one_layer();
  const LayerFormat format{Precision::int4, 32};
  const std::vector<Unit> units = find_units(*graph, {format, {Precision::nf4, 64}});
  const auto ladders = climb_ladders(*graph, units, mixed_inputs(128), {});
  REQUIRE_MESSAGE(ladders.is_ok(), ladders.status().message());
  const NodeLadders& found = ladders.value().at("fc");
  REQUIRE(found.size() == 2);
  for (const auto& [f, ladder] : found) {
    CAPTURE(name_of(f));
    CHECK(ladder.judged_on_held_back);
    REQUIRE(ladder.rungs.size() == 5);
    CHECK(ladder.rungs[0].method == WeightMethod::plain);
    for (const Rung& rung : ladder.rungs) {
      CAPTURE(name_of(rung.method));
      CHECK(rung.failure.empty());
      CHECK(ladder.rungs[ladder.winner].loss <= rung.loss);
    }
    CHECK(ladder.rungs[ladder.winner].loss < 0.8 * ladder.rungs[0].loss);
    CHECK(ladder.weights.codes.size() == 24 * kWidth);
  }
}

TEST_CASE(
    "weight ladder: without data only methods that need none run; asking for one that does is an error") {
  const auto graph = one_layer();
  const std::vector<Unit> units = find_units(*graph, {{Precision::int4, 32}});
  const auto ladders = climb_ladders(*graph, units, {}, {});
  REQUIRE(ladders.is_ok());
  CHECK(ladders.value().at("fc").begin()->second.rungs.size() == 3);
  LadderOptions only;
  only.only = WeightMethod::gptq;
  CHECK(climb_ladders(*graph, units, {}, only).status().message().find("--calibrate") != std::string::npos);
  only.only = WeightMethod::plain;
  const auto plain = climb_ladders(*graph, units, mixed_inputs(32), only);
  REQUIRE(plain.is_ok());
  CHECK(plain.value().at("fc").begin()->second.rungs.size() == 1);
  CHECK(parse_weight_method("gptq").is_ok());
  CHECK_FALSE(parse_weight_method("magic").is_ok());
}

TEST_CASE("weight ladder: the result does not depend on the number of threads") {
  const auto graph = one_layer();
  const std::vector<Unit> units = find_units(*graph, {{Precision::int4, 32}});
  std::vector<int8_t> first;
  for (const size_t threads : {1, 2}) {
    LadderOptions options;
    options.threads = threads;
    const auto ladders = climb_ladders(*graph, units, mixed_inputs(64), options);
    REQUIRE(ladders.is_ok());
    const auto& codes = ladders.value().at("fc").begin()->second.weights.codes;
    if (first.empty()) first = codes;
    CHECK(codes == first);
  }
}
