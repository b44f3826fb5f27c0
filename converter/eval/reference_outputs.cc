// Power of the error per output, divergence of the scores per item.
#include "converter/eval/reference_outputs.h"

#include <cmath>

#include "converter/eval/metrics.h"
#include "converter/eval/traced_values.h"

namespace pith::eval {
namespace {

struct Power {
  double signal = 0, noise = 0;
  void add(const std::vector<float>& exact, const std::vector<float>& other) {
    for (size_t i = 0; i < exact.size(); ++i) {
      const double d = double{other[i]} - double{exact[i]};
      signal += double{exact[i]} * double{exact[i]};
      noise += d * d;
    }
  }
};

double mean_noise_share(const std::vector<Power>& outputs) {
  double share = 0;
  size_t counted = 0;
  for (const Power& p : outputs) {
    if (p.signal <= 0) continue;
    share += p.noise / p.signal;
    ++counted;
  }
  return counted == 0 ? 0.0 : share / static_cast<double>(counted);
}

}  // namespace

Result<ReferenceOutputs> ReferenceOutputs::record(Session& original, const DatasetFeed& feed,
                                                  std::vector<int64_t> items, size_t scores) {
  ReferenceOutputs out;
  out.feed_ = feed;
  out.items_ = std::move(items);
  out.scores_ = scores;
  out.probabilities_ = true;
  for (const int64_t item : out.items_) {
    PITH_RETURN_IF_ERROR(feed.feed(item, original));
    PITH_RETURN_IF_ERROR(original.run());
    auto& kept = out.outputs_.emplace_back(original.output_count());
    for (size_t o = 0; o < kept.size(); ++o)
      if (has_real_values(original.output(o))) kept[o] = real_values(original.output(o));
    if (scores >= kept.size() || !are_probabilities(kept[scores])) out.probabilities_ = false;
  }
  return out;
}

Result<OutputDistance> ReferenceOutputs::distance(Session& other) const {
  std::vector<Power> powers(outputs_.empty() ? 0 : outputs_[0].size());
  double kl = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    PITH_RETURN_IF_ERROR(feed_.feed(items_[i], other));
    PITH_RETURN_IF_ERROR(other.run());
    for (size_t o = 0; o < powers.size() && o < other.output_count(); ++o) {
      const std::vector<float>& exact = outputs_[i][o];
      if (exact.empty() || !has_real_values(other.output(o))) continue;
      const std::vector<float> found = real_values(other.output(o));
      if (found.size() != exact.size()) continue;
      powers[o].add(exact, found);
      if (o == scores_) kl += probabilities_ ? kl_of_probabilities(exact, found) : kl_of_logits(exact, found);
    }
  }
  return OutputDistance{mean_noise_share(powers),
                        items_.empty() ? 0 : kl / static_cast<double>(items_.size())};
}

}  // namespace pith::eval
