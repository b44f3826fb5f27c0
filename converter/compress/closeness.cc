// Item by item, both models.
#include "converter/compress/closeness.h"

#include <algorithm>

#include "converter/eval/dataset_feed.h"
#include "converter/eval/traced_values.h"

namespace pith::compress {
namespace {

Result<std::vector<float>> answer(const eval::DatasetFeed& feed, int64_t item, Session& session,
                                  const std::string& scores) {
  PITH_RETURN_IF_ERROR(feed.feed(item, session));
  PITH_RETURN_IF_ERROR(session.run());
  for (size_t i = 0; i < session.output_count(); ++i)
    if ((scores.empty() || scores == session.output(i).name) && eval::has_real_values(session.output(i)))
      return eval::real_values(session.output(i));
  return std::vector<float>();
}

}  // namespace

Result<Closeness> measure_closeness(const data::Dataset& items, Session& original, Session& model,
                                    const std::string& scores, int64_t max_items) {
  Closeness out;
  if (items.size() == 0) return out;
  PITH_ASSIGN(const eval::DatasetFeed feed, eval::DatasetFeed::create(items, original));
  const int64_t total = std::min(items.size(), max_items);
  double kl = 0;
  for (int64_t i = 0; i < total; ++i) {
    const int64_t item = i * items.size() / total;
    PITH_ASSIGN(const std::vector<float> exact, answer(feed, item, original, scores));
    PITH_ASSIGN(const std::vector<float> found, answer(feed, item, model, scores));
    if (exact.empty() || exact.size() != found.size()) return Closeness();
    PITH_RETURN_IF_ERROR(out.scores.add(exact, found));
    kl += eval::kl_of_scores(exact, found);
  }
  out.items = total;
  out.kl = kl / static_cast<double>(total);
  return out;
}

}  // namespace pith::compress
