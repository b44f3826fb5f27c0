// What each way to 4-bit weights costs the products of a model: SQNR of their outputs on held-back items, in dB.
//   pith_weight_methods_bench model.onnx DATA [group = 32] [items = 256]
// Rows: products with at least 1,000 weights. `all`: noise and signal of all of them, each product counted alike.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "converter/compile/runnable.h"
#include "converter/eval/dataset_feed.h"
#include "converter/import/onnx/onnx_importer.h"
#include "converter/passes/pass.h"
#include "converter/quantize/adaround.h"
#include "converter/quantize/collect_moments.h"
#include "converter/quantize/gptq.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/product_rows.h"
#include "converter/quantize/widen_half.h"

namespace pith::bench {
namespace {

using namespace quantize;

struct Way {
  const char* name;
  Layout layout;
  GroupMethod method;
  bool importance, gptq, rounded;
};
constexpr Way kWays[] = {{"plain", Layout::i4s8, GroupMethod::plain, false, false, false},
                         {"search", Layout::i4s8, GroupMethod::search, false, false, false},
                         {"+import.", Layout::i4s8, GroupMethod::search, true, false, false},
                         {"HQQ", Layout::i4s8, GroupMethod::hqq, false, false, false},
                         {"GPTQ", Layout::i4s8, GroupMethod::search, true, true, false},
                         {"AdaRound", Layout::i4s8, GroupMethod::search, true, false, true},
                         {"GPTQ+AdaR", Layout::i4s8, GroupMethod::search, true, true, true},
                         {"asym", Layout::i4a, GroupMethod::search, true, false, false},
                         {"asym GPTQ", Layout::i4a, GroupMethod::search, true, true, false},
                         {"NF4", Layout::lut4, GroupMethod::plain, false, false, false},
                         {"NF4 srch", Layout::lut4, GroupMethod::search, true, false, false},
                         {"NF4 GPTQ", Layout::lut4, GroupMethod::search, true, true, false}};
constexpr size_t kWayCount = std::size(kWays);
constexpr size_t kLeastWeights = 1000;
constexpr double kMostRounding = 1e8;  // weights x columns: larger products take AdaRound minutes

struct Totals {
  double noise_share[kWayCount] = {};
  size_t products = 0, searched_rows = 0, rows = 0;
};

Result<GroupedWeights> quantized_by(const Way& way, std::span<const float> w, size_t n, const Moments& fit,
                                    size_t group, Totals* totals) {
  GroupOptions o{way.layout, group, way.method};
  const std::vector<double> squares = fit.mean_squares();
  if (way.importance) o.importance = squares;
  if (!way.gptq) return quantize_groups(w, n, fit.columns(), o);
  PITH_ASSIGN(GptqWeights q, quantize_gptq(w, n, fit.columns(), o, fit));
  totals->searched_rows += q.report.searched_rows;
  totals->rows += n;
  return std::move(q.weights);
}

Result<std::vector<float>> decoded_by(const Way& way, std::span<const float> w, size_t n, const Moments& fit,
                                      size_t group, Totals* totals) {
  PITH_ASSIGN(GroupedWeights q, quantized_by(way, w, n, fit, group, totals));
  if (way.rounded) {
    PITH_ASSIGN(const RoundingGrid grid, rounding_grid(q));
    PITH_RETURN_IF_ERROR(adaround(w, grid, fit, {}, nullptr, &q.codes).status());
  }
  return q.decoded();
}

Status measure(const ir::Node& node, const ProductMoments& m, size_t group, Totals* totals) {
  PITH_ASSIGN(const ProductMatrix matrix, product_matrix(node));
  const Moments fit = packed_moments(matrix, m.fit), judge = packed_moments(matrix, m.judge);
  const std::vector<float> w = padded_rows(node.in(1)->elements<float>(), node.in(1)->shape);
  if (w.size() < kLeastWeights) return Status::ok();
  const std::vector<float> none(w.size());
  const double signal = proxy_loss(w, none, matrix.outputs, judge);
  std::printf("%-28.28s %5zu x %-5zu", node.name.c_str(), matrix.outputs, matrix.columns);
  for (size_t i = 0; i < kWayCount; ++i) {
    if (kWays[i].rounded &&
        static_cast<double>(w.size()) * static_cast<double>(matrix.columns) > kMostRounding) {
      totals->noise_share[i] = INFINITY;
      std::printf(" %9s", "-");
      continue;
    }
    PITH_ASSIGN(const std::vector<float> decoded,
                decoded_by(kWays[i], w, matrix.outputs, fit, group, totals));
    const double share = proxy_loss(w, decoded, matrix.outputs, judge) / signal;
    totals->noise_share[i] += share;
    std::printf(" %9.2f", -10 * std::log10(share));
  }
  std::printf("\n");
  ++totals->products;
  return Status::ok();
}

Status run(const std::string& model, const std::string& data, size_t group, int64_t items) {
  PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, import_onnx(model, {}));
  PITH_RETURN_IF_ERROR(run_passes(*graph, {}));
  PITH_RETURN_IF_ERROR(widen_half(*graph));
  std::vector<ir::Node*> nodes;
  for (ir::Node* node : graph->in_order())
    if (product_matrix(*node).is_ok()) nodes.push_back(node);
  PITH_ASSIGN(data::Dataset set, data::Dataset::open(data));
  PITH_ASSIGN(const Runnable original, runnable(*graph, 1));
  const int64_t all = set.size();
  PITH_ASSIGN(const eval::DatasetFeed feed, eval::DatasetFeed::create(std::move(set), *original.session));
  const ItemSource source{all, [&](int64_t item, Session& to) { return feed.feed(item, to); }};
  std::printf("%-28s %13s", "group of", "outputs x in");
  for (const Way& way : kWays) std::printf(" %9s", way.name);
  std::printf("\n");
  Totals totals;
  MomentsOptions options;
  options.max_items = items;
  PITH_RETURN_IF_ERROR(collect_moments(*graph, nodes, source, options,
                                       [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
                                         Status s;
                                         for (const ir::Node* node : sharing)
                                           if (s.is_ok()) s = measure(*node, m, group, &totals);
                                         return s;
                                       }));
  std::printf("all %zu products, group %-4zu              ", totals.products, group);
  for (const double share : totals.noise_share)
    std::printf(" %9.2f", -10 * std::log10(share / static_cast<double>(totals.products)));
  std::printf("\nrows where the search beat GPTQ: %zu of %zu\n", totals.searched_rows, totals.rows);
  return Status::ok();
}

}  // namespace
}  // namespace pith::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s model.onnx DATA [group = 32] [items = 256]\n", argv[0]);
    return 2;
  }
  const pith::Status s =
      pith::bench::run(argv[1], argv[2], argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 32,
                       argc > 4 ? std::strtol(argv[4], nullptr, 10) : 256);
  if (!s.is_ok()) std::fprintf(stderr, "%s\n", s.message().c_str());
  return s.is_ok() ? 0 : 1;
}
