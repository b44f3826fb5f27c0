// Layers that int8 would slow down are named: a long softmax of codes has no vector kernel, that of floats has.
#include "converter/compile/slower_layers.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "converter/compress/mixed_model.h"
#include "converter/compress/units.h"
#include "converter/passes/pass.h"
#include "runtime/exec/session.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::testing;

namespace {

constexpr int64_t kRows = 64, kWidth = 96, kLong = 1000;

quantize::ItemSource noise() {
  return {24, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const TensorView& x = session.input(0);
            const auto v = normals(static_cast<size_t>(x.count()), 0, 1, 50 + static_cast<uint64_t>(item));
            std::copy(v.begin(), v.end(), x.as_mutable<float>());
            return Status::ok();
          }};
}

std::vector<SlowerLayer> layers(bool softmax) {
  TinyGraph g;
  ir::Value* a = g.dense("first", g.input("x", {kRows, kWidth}), kWidth, kLong);
  if (softmax) a = g.softmax("middle", a);
  g.output(g.dense("last", a, kLong, kWidth));
  REQUIRE(run_passes(g.graph, {}).is_ok());
  compress::name_all_nodes(g.graph);
  const auto maker = compress::MixedModel::create(std::move(g.owned), noise(), {});
  REQUIRE_MESSAGE(maker.is_ok(), maker.status().message());
  const auto quantized =
      maker.value().make({{"first", {Precision::int8, 0}}, {"last", {Precision::int8, 0}}});
  REQUIRE_MESSAGE(quantized.is_ok(), quantized.status().message());
  const auto slower = slower_layers(maker.value().float_graph(), *quantized.value());
  REQUIRE_MESSAGE(slower.is_ok(), slower.status().message());
  return slower.value();
}

}  // namespace

#if PITH_WITH_XNNPACK
TEST_CASE("a layer that codes are expected to slow down is named with both times, others are not") {
  const std::vector<SlowerLayer> found = layers(true);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "middle");
  CHECK(found[0].op == "Softmax");
  CHECK(found[0].codes_ns > found[0].float_ns);
  const std::string note = slower_note(found);
  CHECK(note.find("1 layers are expected to be slower with int8") != std::string::npos);
  CHECK(note.find("Softmax 'middle'") != std::string::npos);
}
#endif

TEST_CASE("a network of products has no layer that int8 slows down, and then nothing is said") {
  CHECK(layers(false).empty());
  CHECK(slower_note({}).empty());
}
