// Rounds of traced runs: the inputs of products are read right after each has run.
#include "converter/quantize/collect_moments.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converter/emit/emit.h"
#include "converter/quantize/product_rows.h"

namespace pith::quantize {
namespace {

struct Sharing {  // products that see the same rows
  std::vector<ir::Node*> nodes;
  size_t columns = 0;
};

constexpr size_t kLeastRows = 32;  // of an item

size_t rows_of_item(const MomentsOptions& o, size_t columns, int64_t items) {
  const size_t wanted = o.rows_per_column * columns / static_cast<size_t>(items) + 1;
  return std::min(o.max_rows, std::max(wanted, kLeastRows));
}

bool holds_back(const MomentsOptions& o, int64_t items) {
  return o.judge_every > 0 && items >= o.judge_every;
}

class Round : public TraceSink {
 public:
  Round(std::span<const Sharing> sets, const MomentsOptions& options, int64_t items, ThreadPool* pool)
      : options_(options), items_(items), pool_(pool), any_judges_(holds_back(options, items)) {
    const auto givers = static_cast<size_t>(any_judges_ ? items / options.judge_every : items);
    sample_of_item_ = (options.sample_rows + givers - 1) / givers;
    for (const Sharing& s : sets) {
      index_.emplace(s.nodes.front()->name, moments_.size());
      const Moments none(s.columns, options.cross_products);
      moments_.push_back({none, options.judge_every > 0 ? none : Moments(), {}});
    }
  }
  void begin(int64_t item, bool judges) { item_ = item, judges_ = judges; }
  const Status& status() const { return status_; }
  const ProductMoments& moments(size_t i) const { return moments_[i]; }

  void on_step(const StepTrace& step) override {
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

 private:
  Status check_finite(std::span<const float> rows, const NodeView& node) const {
    if (std::all_of(rows.begin(), rows.end(), [](float v) { return std::isfinite(v); })) return Status::ok();
    return Status(
        Code::bad_argument,
        format("calibration item %lld: tensor '%s' (input of '%s') holds NaN or infinity; check the item "
               "and its preprocessing, or run the float model on it",
               static_cast<long long>(item_), node.in(0).name, node.name));
  }

  // The item's share of the sample, spread evenly over its rows.
  void keep_sample(std::span<const float> rows, size_t columns, std::vector<float>& sample) const {
    const size_t all = rows.size() / columns, used = std::min(all, sample_of_item_);
    for (size_t r = 0; r < used; ++r) {
      const auto row = rows.subspan(r * all / used * columns, columns);
      sample.insert(sample.end(), row.begin(), row.end());
    }
  }

  const MomentsOptions& options_;
  int64_t items_;
  ThreadPool* pool_;
  bool any_judges_;
  size_t sample_of_item_ = 0;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<ProductMoments> moments_;
  int64_t item_ = 0;
  bool judges_ = false;
  Status status_;
};

Result<std::vector<Sharing>> sharing_sets(std::span<ir::Node* const> nodes, const MomentsOptions& options) {
  std::vector<Sharing> sets;
  std::map<std::string, size_t> by_key;
  for (ir::Node* node : nodes) {
    PITH_ASSIGN(const ProductMatrix m, product_matrix(*node));
    if (moments_bytes(m.columns, options) > options.max_bytes)
      return Status(
          Code::bad_argument,
          format("the moments of '%s' (%zu columns) take %llu MiB, above the bound of %llu MiB: raise it, or "
                 "collect squares only",
                 node->name.c_str(), m.columns,
                 static_cast<unsigned long long>(moments_bytes(m.columns, options) >> 20),
                 static_cast<unsigned long long>(options.max_bytes >> 20)));
    const auto [at, fresh] = by_key.emplace(rows_key(*node), sets.size());
    if (fresh) sets.push_back({{}, m.columns});
    sets[at->second].nodes.push_back(node);
  }
  return sets;
}

// As many sets from `begin` as fit the bound, one at least.
size_t end_of_round(const std::vector<Sharing>& sets, size_t begin, const MomentsOptions& options) {
  uint64_t bytes = 0;
  size_t end = begin;
  for (; end < sets.size(); ++end) {
    bytes += moments_bytes(sets[end].columns, options);
    if (end > begin && bytes > options.max_bytes) break;
  }
  return end;
}

// Runs every item; `done` counts runs over all rounds.
Status run_items(ir::Graph& graph, const ItemSource& source, const MomentsOptions& options, Round* round,
                 const std::function<void()>& done) {
  PITH_ASSIGN(const ir::Bytes file, emit_memory(graph, {}));
  PITH_ASSIGN(const auto model, Model::from_memory({file.data, file.size}, {}));
  SessionOptions session_options;
  session_options.threads = options.threads;
  PITH_ASSIGN(const auto session, Session::create(model, session_options));
  session->set_trace(round);
  const int64_t items = std::min(source.items, options.max_items);
  for (int64_t i = 0; i < items; ++i) {
    const int64_t item = calibration_item(i, source.items, options.max_items);
    round->begin(item, holds_back(options, items) && i % options.judge_every == options.judge_every - 1);
    PITH_RETURN_IF_ERROR(source.feed(item, *session));
    PITH_RETURN_IF_ERROR(session->run());
    PITH_RETURN_IF_ERROR(Status(round->status()));
    done();
  }
  return Status::ok();
}

}  // namespace

uint64_t moments_bytes(uint64_t columns, const MomentsOptions& options) {
  return (options.judge_every > 0 ? 2 : 1) * Moments::bytes_needed(columns, options.cross_products);
}

Status collect_moments(ir::Graph& graph, std::span<ir::Node* const> nodes, const ItemSource& source,
                       const MomentsOptions& options, const MomentsFn& consume) {
  if (source.items <= 0 || options.max_items <= 0 || options.max_rows == 0 || options.judge_every == 1)
    return Status(Code::bad_argument,
                  "moments need at least one item, one row of each, and items left to fit on");
  PITH_ASSIGN(const std::vector<Sharing> sets, sharing_sets(nodes, options));
  std::vector<size_t> ends;
  for (size_t begin = 0; begin < sets.size(); begin = ends.back())
    ends.push_back(end_of_round(sets, begin, options));
  const auto pool = ThreadPool::create(options.threads);
  const int64_t items = std::min(source.items, options.max_items);
  const int64_t total = static_cast<int64_t>(ends.size()) * items;
  int64_t runs = 0;
  size_t begin = 0;
  for (const size_t end : ends) {
    Round round({sets.data() + begin, end - begin}, options, items, pool.get());
    PITH_RETURN_IF_ERROR(run_items(graph, source, options, &round, [&] {
      if (++runs; options.progress) options.progress(runs, total);
    }));
    for (size_t i = begin; i < end; ++i) {
      const ProductMoments& m = round.moments(i - begin);
      if (m.fit.rows() == 0)
        return Status(Code::bad_argument,
                      "no calibration item reaches '" + sets[i].nodes.front()->name + "'");
      PITH_RETURN_IF_ERROR(consume(sets[i].nodes, m));
    }
    begin = end;
  }
  return Status::ok();
}

}  // namespace pith::quantize
