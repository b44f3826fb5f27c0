// Calibration through the runtime: the histograms see exactly what the graph computes, on the items chosen.
#include "converter/quantize/calibrate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;
using schema::UnaryKind;

namespace {

// Item i of a one-input model of shape [n]: n values around i.
ItemSource numbered_items(int64_t items, std::vector<int64_t>* asked = nullptr) {
  return {items, [=](int64_t item, Session& session) -> Status {
            if (asked != nullptr) asked->push_back(item);
            PITH_RETURN_IF_ERROR(session.prepare());
            const TensorView& x = session.input(0);
            for (int64_t k = 0; k < x.count(); ++k)
              x.as_mutable<float>()[k] = static_cast<float>(item) + (k % 2 == 0 ? 0.25f : -0.25f);
            return Status::ok();
          }};
}

}  // namespace

TEST_CASE("calibration: inputs, inner tensors and outputs are observed as computed, items split in four") {
  TinyGraph g;
  ir::Value* x = g.input("x", {10});
  ir::Value* n = g.unary("n", UnaryKind::neg, x);
  ir::Value* y = g.unary("y", UnaryKind::abs, n);
  g.output(y);
  const std::vector<ir::Value*> values = {x, n, y};
  const auto r = calibrate(g.graph, values, numbered_items(8), {});
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  const Calibration& c = r.value();
  CHECK(c.items == 8);
  CHECK_FALSE(c.judged_on_fit);
  CHECK(c.of(x).fit.count() == 60);
  CHECK(c.of(x).judge.count() == 20);  // items 3 and 7
  CHECK(c.of(x).judge.max() == 7.25f);
  CHECK(c.of(x).judge.min() == 2.75f);
  CHECK(c.of(x).fit.max() == 6.25f);
  CHECK(c.of(n).fit.min() == -6.25f);
  CHECK(c.of(y).fit.min() == 0.25f);
  CHECK(g.graph.outputs.size() == 1);
  CHECK(g.graph.outputs[0].name == "y");
}

TEST_CASE("calibration: a memory bound means more passes, not other numbers") {
  TinyGraph g;
  ir::Value* x = g.input("x", {100});
  ir::Value* n = g.unary("n", UnaryKind::neg, x);
  ir::Value* y = g.unary("y", UnaryKind::abs, n);
  g.output(y);
  const std::vector<ir::Value*> values = {n, y};
  CalibrationOptions narrow;
  narrow.max_live_bytes = 1;
  int64_t last = 0, total = 0;
  narrow.progress = [&](int64_t done, int64_t all) { last = done, total = all; };
  const auto one = calibrate(g.graph, values, numbered_items(5), {});
  const auto two = calibrate(g.graph, values, numbered_items(5), narrow);
  REQUIRE(two.is_ok());
  CHECK(last == 10);
  CHECK(total == 10);
  for (const ir::Value* v : values) {
    CHECK(one.value().of(v).fit.mean() == two.value().of(v).fit.mean());
    CHECK(one.value().of(v).judge.count() == two.value().of(v).judge.count());
  }
}

TEST_CASE("calibration: many items are sampled evenly, few are used for both purposes") {
  TinyGraph g;
  ir::Value* x = g.input("x", {2});
  g.output(g.unary("y", UnaryKind::neg, x));
  const std::vector<ir::Value*> values = {x};
  std::vector<int64_t> asked;
  CalibrationOptions options;
  options.max_items = 4;
  REQUIRE(calibrate(g.graph, values, numbered_items(100, &asked), options).is_ok());
  CHECK(asked == std::vector<int64_t>{0, 25, 50, 75});
  const auto few = calibrate(g.graph, values, numbered_items(2), options);
  CHECK(few.value().judged_on_fit);
  CHECK(few.value().of(x).fit.count() == 4);
  CHECK(few.value().of(x).judge.count() == 4);
}

TEST_CASE("calibration: no items, failing sources and non-finite values are refused by name") {
  TinyGraph g;
  ir::Value* x = g.input("x", {2});
  ir::Value* y = g.unary("y", UnaryKind::log, x);
  g.output(y);
  const std::vector<ir::Value*> values = {y};
  CHECK_FALSE(calibrate(g.graph, values, numbered_items(0), {}).is_ok());
  const ItemSource failing{3, [](int64_t, Session&) { return Status(Code::io, "disk on fire"); }};
  CHECK(calibrate(g.graph, values, failing, {}).status().message() == "disk on fire");
  const auto nan = calibrate(g.graph, values, numbered_items(3), {});  // log(-0.25)
  REQUIRE_FALSE(nan.is_ok());
  CHECK(nan.status().message().find("item 0: tensor 'y' holds NaN") != std::string::npos);
  CHECK(g.graph.outputs.size() == 1);
}
