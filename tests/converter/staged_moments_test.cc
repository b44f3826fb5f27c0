// A model run stage by stage gives the moments that running it whole gives.
#include "converter/quantize/staged_moments.h"

#include <doctest/doctest.h>

#include "tests/support/distributions.h"
#include "tests/support/graph_maker.h"
#include "tests/support/temp_folder.h"

namespace pith {
namespace {

using namespace quantize;

// x -> a, b (share x) -> sum with x again -> c: a residual crosses every cut.
struct Net {
  GraphMaker maker;
  std::vector<ir::Node*> products;
  Net() {
    ir::Value* x = maker.input("x", DType::f32, {1, 4, 32});
    ir::Value *a = product("a", x, 1), *b = product("b", x, 2);
    ir::Value* sum = maker.binary(schema::BinaryKind::add, maker.unary(schema::UnaryKind::relu, a), b);
    ir::Value* c = product("c", maker.binary(schema::BinaryKind::add, sum, x), 3);
    maker.output("y", maker.binary(schema::BinaryKind::add, c, x));
  }
  ir::Value* product(const std::string& name, ir::Value* x, uint64_t seed) {
    ir::Value* w = maker.graph.add_f32(name + "/w", {32, 32}, testing::normals(32 * 32, 0, 0.2, seed));
    ir::Value* y = maker.node(name, schema::FullyConnectedOptionsT{}, {x, w});
    products.push_back(y->producer);
    return y;
  }
};

ItemSource items(int64_t count) {
  return {count, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const auto x = testing::normals(4 * 32, 0, 1, static_cast<uint64_t>(item) + 10);
            std::copy(x.begin(), x.end(), session.input(0).as_mutable<float>());
            return Status::ok();
          }};
}

bool same(const Moments& a, const Moments& b) {
  if (a.rows() != b.rows() || a.columns() != b.columns()) return false;
  for (size_t i = 0; i < a.columns(); ++i)
    for (size_t j = i; j < a.columns(); ++j)
      if (a.mean_product(i, j) != b.mean_product(i, j)) return false;
  return true;
}

}  // namespace

TEST_CASE("moments of a model in stages are those of the whole model, bit by bit, however it is cut") {
  Net net;
  std::map<std::string, Moments> expected;
  MomentsOptions options;
  options.judge_every = 0;
  const Status s = collect_moments(net.maker.graph, net.products, items(6), options,
                                   [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
                                     for (const ir::Node* node : sharing) expected[node->name] = m.fit;
                                     return Status::ok();
                                   });
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  test::TempFolder folder;
  for (const uint64_t bytes : {uint64_t{1}, uint64_t{14000}, uint64_t{1} << 30}) {
    CAPTURE(bytes);
    options.max_bytes = bytes;
    auto staged = StagedMoments::create(net.maker.graph, {"a", "b", "c"}, items(6), options, folder.path());
    REQUIRE_MESSAGE(staged.is_ok(), staged.status().message());
    for (const char* name : {"a", "b", "c"}) {
      const auto m = staged.value()->take(name);
      REQUIRE_MESSAGE(m.is_ok(), m.status().message());
      CHECK(same(m.value(), expected.at(name)));
    }
    CHECK(folder.file_count() == 0);
    // Later ones alone: stages before it only pass values on.
    staged = StagedMoments::create(net.maker.graph, {"a", "b", "c"}, items(6), options, folder.path());
    CHECK(same(staged.value()->take("c").value(), expected.at("c")));
    if (bytes == 1)
      CHECK(staged.value()->take("a").status().message().find("out of order") != std::string::npos);
  }
}

TEST_CASE("calibration values that are not finite stop a stage with the tensor's name") {
  Net net;
  ItemSource source = items(2);
  source.feed = [](int64_t, Session& session) -> Status {
    PITH_RETURN_IF_ERROR(session.prepare());
    std::fill_n(session.input(0).as_mutable<float>(), 4 * 32, 3e38f);
    return Status::ok();
  };
  test::TempFolder folder;
  auto staged = StagedMoments::create(net.maker.graph, {"c"}, source, {}, folder.path());
  REQUIRE(staged.is_ok());
  CHECK(staged.value()->take("c").status().message().find("holds NaN or infinity") != std::string::npos);
}

}  // namespace pith
