// Finding the columns, and the rewrite.
#include "converter/quantize/outlier_split.h"

#include <algorithm>
#include <limits>

#include "converter/ir/evaluate.h"
#include "converter/quantize/channel_fold.h"

namespace pith::quantize {
namespace {

constexpr const char* kOutliersName = "/outliers";

}  // namespace

std::vector<uint32_t> outlier_columns(const Moments& moments, const OutlierRules& rules) {
  std::vector<float> most(moments.columns());
  for (size_t j = 0; j < most.size(); ++j) most[j] = moments.largest(j);
  std::vector<float> sorted = most;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  if (middle == sorted.end()) return {};
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double bound = rules.threshold > 0 ? rules.threshold : rules.times_typical * double{*middle};
  std::vector<uint32_t> columns;
  for (size_t j = 0; j < most.size(); ++j)
    if (bound > 0 && most[j] >= bound) columns.push_back(static_cast<uint32_t>(j));
  const double share = static_cast<double>(columns.size()) / static_cast<double>(most.size());
  return share > rules.largest_share ? std::vector<uint32_t>() : columns;
}

Result<OutlierSplit> split_outliers(ir::Graph& graph, ir::Node* node, std::span<const uint32_t> columns) {
  auto* options = node->as<schema::FullyConnectedOptionsT>();
  if (options == nullptr || !has_f32_weights(*node))
    return Status(Code::unsupported, "'" + node->name + "' is no matrix product with float constants");
  ir::Value* const x = node->in(0);
  const ir::Value* const w = node->in(1);
  const auto n = static_cast<size_t>(w->shape[0]), k = static_cast<size_t>(w->shape[1]), few = columns.size();
  for (size_t i = 0; i < few; ++i)
    if (columns[i] >= k || (i > 0 && columns[i] <= columns[i - 1]))
      return Status(Code::bad_argument,
                    format("outlier column %u of %zu is out of range or order", columns[i], k));
  if (few == 0 || few == k)
    return Status(Code::bad_argument,
                  format("'%s': %zu of %zu columns split off", node->name.c_str(), few, k));

  std::vector<float> mask(k, 1.0f), rest(w->elements<float>().begin(), w->elements<float>().end()), picked;
  std::vector<int64_t> indices(columns.begin(), columns.end());
  for (const uint32_t j : columns) mask[j] = 0;
  for (size_t row = 0; row < n; ++row)
    for (const uint32_t j : columns) {
      picked.push_back(rest[row * k + j]);
      rest[row * k + j] = 0;
    }
  const auto constant = [&](const char* what, const Shape& shape, std::span<const float> values) {
    return graph.add_f32(graph.unique_name(w->name + what), shape, values);
  };
  const auto name = [&](const char* what) { return graph.unique_name(node->name + what); };
  const auto rows = static_cast<int64_t>(n), depth = static_cast<int64_t>(k),
             count = static_cast<int64_t>(few);

  schema::BinaryOptionsT times, plus;
  times.kind = schema::BinaryKind::mul;
  plus.kind = schema::BinaryKind::add;
  plus.clamp_min = options->clamp_min, plus.clamp_max = options->clamp_max;
  options->clamp_min = -std::numeric_limits<float>::infinity();
  options->clamp_max = std::numeric_limits<float>::infinity();
  schema::GatherOptionsT gather;
  gather.axis = -1;
  ir::Node* masked =
      graph.insert_before(node, name("/inliers"), times, {x, constant("/mask", {depth}, mask)});
  ir::Node* outliers = graph.insert_before(
      node, name("/gather"), gather, {x, graph.add_i64(graph.unique_name(node->name + "/columns"), indices)});
  ir::Node* small = graph.insert_before(node, name(kOutliersName), schema::FullyConnectedOptionsT{},
                                        {outliers->out(), constant("/outliers", {rows, count}, picked)});
  ir::Value* const y = node->out();
  ir::Value* partial = graph.add_value(graph.unique_name(y->name + "/rest"), y->dtype, y->shape);
  graph.replace_output(node, 0, partial);
  graph.set_input(node, 0, masked->out());
  graph.set_input(node, 1, constant("/rest", {rows, depth}, rest));
  ir::Node* sum = graph.insert_after(node, name("/sum"), plus, {partial, small->out()});
  graph.replace_output(sum, 0, y);
  graph.drop_unused_values();
  for (ir::Node* fresh : {masked, outliers, small, sum}) PITH_RETURN_IF_ERROR(ir::infer_node(*fresh));
  return OutlierSplit{node, small};
}

bool is_outlier_product(const ir::Node& node) {
  return node.is(schema::Op::FullyConnectedOptions) && node.name.find(kOutliersName) != std::string::npos;
}

}  // namespace pith::quantize
