// The channel methods over a graph: done where possible, noted with a reason where not, outputs as before.
#include "converter/quantize/channel_methods.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/channel_fold.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/norm_block.h"

namespace pith {
namespace {

using namespace quantize;
using testing::NormBlock;

constexpr size_t kWidth = 96;

// One channel behind the norm is 30 times as large.
void inject(NormBlock& b) {
  std::vector<double> factors(kWidth, 1.0);
  factors[40] = 1.0 / 30;
  const auto fold = find_channel_fold(b.maker.graph, std::vector{b.first, b.second});
  REQUIRE(fold.is_ok());
  fold_channels(b.maker.graph, fold.value(), factors);
}

std::vector<ir::Node*> all_nodes(NormBlock& b) { return {b.norm, b.first, b.second, b.last}; }
std::vector<float> outputs(NormBlock& b) {
  return test::run_floats(b.maker.open(), b.rows(NormBlock::kRows, 77), BackendChoice::automatic).y;
}

const ChannelNote& about(const std::vector<ChannelNote>& notes, const std::string& node) {
  for (const ChannelNote& n : notes)
    if (n.nodes.front() == node) return n;
  FAIL("no note about " << node);
  return notes.front();
}

using Method = std::function<Result<std::vector<ChannelNote>>(NormBlock&)>;

// Runs the method on a block with an outlier; the pair behind the norm is done, what is no product is noted.
std::vector<ChannelNote> check_method(const Method& method) {
  NormBlock b(kWidth);
  inject(b);
  const std::vector<float> before = outputs(b);
  const auto notes = method(b);
  REQUIRE_MESSAGE(notes.is_ok(), notes.status().message());
  CHECK(notes.value().size() == 3);
  const ChannelNote& pair = about(notes.value(), "first");
  CHECK(pair.nodes == std::vector<std::string>{"first", "second"});
  CHECK(pair.done);
  CHECK(pair.reason.empty());
  CHECK(about(notes.value(), "norm").reason.find("no matrix product") != std::string::npos);
  CHECK_FALSE(about(notes.value(), "last").done);
  const std::vector<float> after = outputs(b);
  for (size_t i = 0; i < before.size(); ++i)
    CHECK(std::abs(after[i] - before[i]) < 1e-4);  // outputs of size 1
  return notes.value();
}

}  // namespace

TEST_CASE("AWQ over a graph folds into the norm, and says why it cannot fold through a gelu") {
  const auto notes = check_method([](NormBlock& b) {
    return scale_products_awq(b.maker.graph, all_nodes(b), b.items(16), {}, {Layout::i4s8, 32});
  });
  CHECK(about(notes, "first").loss_after < about(notes, "first").loss_before);
  CHECK(about(notes, "last").reason.find("can give no factor up") != std::string::npos);
}

TEST_CASE("SmoothQuant over a graph folds into the norm for grids per row and shared ones") {
  for (const Int8Rows rows : {Int8Rows::each, Int8Rows::shared}) {
    const auto notes = check_method(
        [&](NormBlock& b) { return smooth_products(b.maker.graph, all_nodes(b), b.items(16), {}, rows); });
    CHECK(about(notes, "first").loss_after < 0.3 * about(notes, "first").loss_before);
    CHECK(about(notes, "first").parameter > 0);
  }
}

TEST_CASE("the outlier split over a graph takes the one channel from both products that read it") {
  const auto notes = check_method(
      [](NormBlock& b) { return split_product_outliers(b.maker.graph, all_nodes(b), b.items(16), {}, {}); });
  CHECK(about(notes, "first").parameter == 1);
  CHECK(about(notes, "last").reason.find("no outlier columns") != std::string::npos);
}

}  // namespace pith
