// Rows of a step, checked and added.
#include "converter/quantize/moments_round.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/product_rows.h"

namespace pith::quantize {
namespace {

constexpr size_t kLeastRows = 32;  // of an item

size_t rows_of_item(const MomentsOptions& o, size_t columns, int64_t items) {
  const size_t wanted = o.rows_per_column * columns / static_cast<size_t>(items) + 1;
  return std::min(o.max_rows, std::max(wanted, kLeastRows));
}

}  // namespace

bool holds_back(const MomentsOptions& o, int64_t items) {
  return o.judge_every > 0 && items >= o.judge_every;
}

MomentsRound::MomentsRound(std::span<const Sharing> sets, const MomentsOptions& options, int64_t items,
                           ThreadPool* pool)
    : options_(options), items_(items), pool_(pool), any_judges_(holds_back(options, items)) {
  const auto givers = static_cast<size_t>(any_judges_ ? items / options.judge_every : items);
  sample_of_item_ = (options.sample_rows + givers - 1) / givers;
  for (const Sharing& s : sets) {
    index_.emplace(s.nodes.front()->name, moments_.size());
    const Moments none(s.columns, options.cross_products);
    moments_.push_back({none, options.judge_every > 0 ? none : Moments(), {}});
  }
}

void MomentsRound::on_step(const StepTrace& step) {
  const auto found = index_.find(std::string_view(step.node->name));
  if (found == index_.end() || !status_.is_ok()) return;
  ProductMoments& m = moments_[found->second];
  Moments& side = judges_ ? m.judge : m.fit;
  const Result<std::vector<float>> rows =
      product_rows(*step.node, side.columns(), rows_of_item(options_, side.columns(), items_),
                   static_cast<uint64_t>(item_));
  status_ = rows.is_ok() ? check_finite(rows.value(), *step.node) : rows.status();
  if (!status_.is_ok()) return;
  side.add(rows.value(), pool_);
  if (judges_ || !any_judges_) keep_sample(rows.value(), side.columns(), m.sample);
}

Status MomentsRound::check_finite(std::span<const float> rows, const NodeView& node) const {
  if (std::all_of(rows.begin(), rows.end(), [](float v) { return std::isfinite(v); })) return Status::ok();
  return Status(
      Code::bad_argument,
      format("calibration item %lld: tensor '%s' (input of '%s') holds NaN or infinity; check the item "
             "and its preprocessing, or run the float model on it",
             static_cast<long long>(item_), node.in(0).name, node.name));
}

// The item's share of the sample, spread evenly over its rows.
void MomentsRound::keep_sample(std::span<const float> rows, size_t columns,
                               std::vector<float>& sample) const {
  const size_t all = rows.size() / columns, used = std::min(all, sample_of_item_);
  for (size_t r = 0; r < used; ++r) {
    const auto row = rows.subspan(r * all / used * columns, columns);
    sample.insert(sample.end(), row.begin(), row.end());
  }
}

}  // namespace pith::quantize
