// Evaluation of whole mixtures.
#include "converter/compress/trial.h"

#include <algorithm>
#include <cmath>

#include "converter/emit/emit.h"
#include "converter/eval/dataset_feed.h"
#include "converter/eval/latency.h"

namespace pith::compress {

Result<Judge> Judge::create(JudgedItems items, Session& original, const CompressOptions& options,
                            int64_t max_items, std::function<void(int64_t done, int64_t total)> progress) {
  Judge judge;
  judge.items_ = std::move(items);
  judge.options_.output = options.scores;
  judge.options_.max_items = max_items;
  judge.options_.progress = progress;
  judge.command_ = {options.metric_command, std::move(progress)};
  judge.metric_ = options.metric;
  PITH_ASSIGN(judge.original_, judge.measure(original));
  return judge;
}

Result<Evaluated> Judge::measure(Session& model) const {
  Evaluated out;
  if (command_.command.empty()) {
    PITH_ASSIGN(eval::Accuracy found, eval::measure_accuracy(items_.set, model, nullptr, options_));
    out.metrics = std::move(found.model);
    const eval::Proportion value = metric_of(out.metrics, metric_);
    out.value = value.value();
    out.interval = value.interval();
    return out;
  }
  PITH_ASSIGN(out.value, eval::run_metric_command(command_, items_.set, items_.index, model));
  out.interval = {out.value, out.value};
  return out;
}

Result<Evaluated> Judge::judge(Session& model) const {
  PITH_ASSIGN(Evaluated out, measure(model));
  if (command_.command.empty()) {
    PITH_ASSIGN(out.paired, eval::pair_models(original_.metrics, out.metrics));
    out.drop = out.paired->drop();
  } else {
    const double whole = std::fabs(original_.value);
    out.drop = (original_.value - out.value) / (whole > 0 ? whole : 1);
  }
  return out;
}

eval::Proportion metric_of(const eval::ClassificationMetrics& metrics, const std::string& metric) {
  return metric == "top5" ? metrics.top5() : metrics.top1();
}

double expected_bound(const eval::PairedCounts& search, int64_t proof_items) {
  if (search.n() == 0 || proof_items == 0) return 1;
  const double n = static_cast<double>(search.n());
  // One more disagreement than seen: none among few items does not mean none.
  const double discordant = (static_cast<double>(search.discordant()) + 1) / n;
  return std::max(search.drop(), 0.0) +
         eval::one_sided_z(0.95) * std::sqrt(discordant / static_cast<double>(proof_items));
}

double Trials::bound(size_t i, int64_t proof_items) const {
  return paired_[i] ? expected_bound(*paired_[i], proof_items) : std::max(candidates_[i].drop, 0.0);
}

double bits_per_weight(const MixedModel& maker, const std::vector<Unit>& units, const ir::Graph& graph) {
  uint64_t weights = 0;
  for (const Unit& u : units) weights += u.weights;
  if (weights == 0) return 0;
  const uint64_t other = constant_bytes(maker.float_graph()) - weights * sizeof(float);
  return 8.0 * static_cast<double>(constant_bytes(graph) - other) / static_cast<double>(weights);
}

Result<double> Trials::time_of(const PrecisionPlan& plan, Session& session) const {
  if (times_ != nullptr) return times_->model_ms(units_, plan);
  Session* const one = &session;
  PITH_ASSIGN(const std::vector<double> ms, eval::paired_latency_ms({&one, 1}, {0.05, 5}));
  return ms[0];
}

Result<size_t> Trials::add(const std::string& name, const PrecisionPlan& plan) {
  for (size_t i = 0; i < candidates_.size(); ++i)
    if (candidates_[i].plan == plan) return i;
  PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, maker_.make(plan));
  PITH_ASSIGN(const Runnable model, runnable(*graph, options_.threads));
  PITH_ASSIGN(const Evaluated found, judge_.judge(*model.session));
  Candidate c;
  PITH_ASSIGN(c.ms, time_of(plan, *model.session));
  c.name = name;
  c.plan = plan;
  c.bytes = model.model.bytes.size;
  c.bits_per_weight = bits_per_weight(maker_, units_, *graph);
  c.value = found.value;
  c.interval = found.interval;
  c.drop = found.drop;
  candidates_.push_back(std::move(c));
  paired_.push_back(found.paired);
  return candidates_.size() - 1;
}

std::vector<Candidate> Trials::finish() {
  for (Candidate& c : candidates_)
    c.pareto = std::none_of(candidates_.begin(), candidates_.end(), [&](const Candidate& o) {
      return o.bytes <= c.bytes && o.value >= c.value && (o.bytes < c.bytes || o.value > c.value);
    });
  return std::move(candidates_);
}

}  // namespace pith::compress
