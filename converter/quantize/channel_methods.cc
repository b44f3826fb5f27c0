// One walk over the sets of products that share an input, three things to do with them.
#include "converter/quantize/channel_methods.h"

#include "converter/quantize/channel_fold.h"
#include "converter/quantize/product_rows.h"

namespace pith::quantize {
namespace {

constexpr size_t kSampleRows = 64;  // smoothing is simulated on these

ChannelNote note_of(std::span<ir::Node* const> sharing, std::string reason = {}) {
  ChannelNote note;
  for (const ir::Node* node : sharing) note.nodes.push_back(node->name);
  note.reason = std::move(reason);
  return note;
}

using Step = std::function<Result<ChannelNote>(std::span<ir::Node* const>, const ProductMoments&)>;

Result<std::vector<ChannelNote>> each_set(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                          const ItemSource& source, const MomentsOptions& options,
                                          const Step& step) {
  std::vector<ChannelNote> notes;
  std::vector<ir::Node*> products;
  for (ir::Node* node : nodes) {
    if (const Status s = product_matrix(*node).status(); s.is_ok())
      products.push_back(node);
    else
      notes.push_back(note_of({&node, 1}, s.message()));
  }
  if (products.empty()) return notes;
  const MomentsFn consume = [&](std::span<ir::Node* const> sharing, const ProductMoments& m) -> Status {
    PITH_ASSIGN(ChannelNote note, step(sharing, m));
    notes.push_back(std::move(note));
    return Status::ok();
  };
  PITH_RETURN_IF_ERROR(collect_moments(graph, products, source, options, consume));
  return notes;
}

// Chooses factors and moves them, where somebody can give them up.
template <class Choose>
Result<ChannelNote> fold_best(ir::Graph& graph, std::span<ir::Node* const> sharing, Choose choose) {
  const Result<ChannelFold> fold = find_channel_fold(graph, sharing);
  if (!fold.is_ok()) return note_of(sharing, fold.status().message());
  PITH_ASSIGN(const ChannelScales scales, choose());
  ChannelNote note = note_of(sharing, scales.helps() ? "" : "no factors lower the error");
  note.done = scales.helps();
  note.parameter = scales.parameter;
  note.loss_before = scales.loss_before, note.loss_after = scales.loss_after;
  if (note.done) fold_channels(graph, fold.value(), scales.factors);
  return note;
}

}  // namespace

Result<std::vector<ChannelNote>> scale_products_awq(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                    const ItemSource& source, MomentsOptions moments,
                                                    const GroupOptions& options) {
  return each_set(graph, nodes, source, moments,
                  [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
                    return fold_best(graph, sharing, [&] { return choose_awq_scales(sharing, m, options); });
                  });
}

Result<std::vector<ChannelNote>> smooth_products(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                 const ItemSource& source, MomentsOptions moments,
                                                 Int8Rows rows) {
  moments.cross_products = false;
  if (moments.sample_rows == 0) moments.sample_rows = kSampleRows;
  return each_set(graph, nodes, source, moments,
                  [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
                    return fold_best(graph, sharing, [&] { return choose_smoothing(sharing, m, rows); });
                  });
}

Result<std::vector<ChannelNote>> split_product_outliers(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                        const ItemSource& source, MomentsOptions moments,
                                                        const OutlierRules& rules) {
  moments.cross_products = false;
  moments.judge_every = 0;  // an outlier on any item is one
  const Step split = [&](std::span<ir::Node* const> sharing, const ProductMoments& m) -> Result<ChannelNote> {
    const std::vector<uint32_t> columns = outlier_columns(m.fit, rules);
    if (columns.empty()) return note_of(sharing, "no outlier columns, or too many to be outliers");
    ChannelNote note = note_of(sharing);
    note.parameter = static_cast<double>(columns.size());
    for (ir::Node* node : sharing) {
      const Status s = split_outliers(graph, node, columns).status();
      if (!s.is_ok() && s.code() != Code::unsupported) return s;
      if (!s.is_ok()) note.reason = s.message();
      note.done = note.done || s.is_ok();
    }
    return note;
  };
  return each_set(graph, nodes, source, moments, split);
}

}  // namespace pith::quantize
