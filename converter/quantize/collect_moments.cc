// Rounds of traced runs over the whole graph.
#include "converter/quantize/collect_moments.h"

#include <algorithm>
#include <map>

#include "converter/emit/emit.h"
#include "converter/quantize/moments_round.h"
#include "converter/quantize/product_rows.h"

namespace pith::quantize {
namespace {

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
Status run_items(ir::Graph& graph, const ItemSource& source, const MomentsOptions& options,
                 MomentsRound* round, const std::function<void()>& done) {
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
    MomentsRound round({sets.data() + begin, end - begin}, options, items, pool.get());
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
