// One sentence for each finding: what was measured, what was allowed, what to do.
#include "converter/compress/findings.h"

#include <algorithm>

namespace pith::compress {
namespace {

constexpr double kSlowerBy = 1.05;  // beyond this the difference is not noise

bool is_all_float(const PrecisionPlan& plan) {
  return std::all_of(plan.begin(), plan.end(),
                     [](const auto& p) { return p.second.precision == Precision::fp32; });
}

class Findings {
 public:
  Findings(const CompressOptions& options, const CompressReport& report, const std::set<std::string>& forced)
      : options_(options), report_(report), forced_(forced) {}

  std::vector<Finding> run() {
    judge_budgets(report_.candidates[report_.chosen], *report_.certificate);
    return std::move(findings_);
  }

 private:
  void judge_budgets(const Candidate& chosen, const Certificate& c) {
    if (c.max_drop >= 0 && c.model.n > 0) judge_accuracy(c);
    if (c.max_drop >= 0 && c.by_command() && c.drop.drop > c.max_drop)
      findings_.push_back(
          {Refusal::accuracy,
           format("'%s' gives %g, for the original %g: %.2f %% less, the limit is %.2f %%", c.metric.c_str(),
                  c.value, c.baseline_value, 100 * c.drop.drop, 100 * c.max_drop)});
    if (is_all_float(chosen.plan))
      findings_.push_back(
          {Refusal::full_precision, "every layer stays in full precision: nothing was compressed"});
    if (const auto limit = byte_limit(options_, report_.source_bytes); limit && report_.file_bytes > *limit)
      findings_.push_back(
          {Refusal::size,
           format("the smallest mixture found has %llu bytes, the budget is %llu: quantization alone does "
                  "not reach it; prune or distill the model first, or allow a larger file",
                  static_cast<unsigned long long>(report_.file_bytes),
                  static_cast<unsigned long long>(*limit))});
    if (options_.budgets.max_ms && c.ms > *options_.budgets.max_ms)
      findings_.push_back(
          {Refusal::latency, format("%.3f ms per run (original %.3f ms), the budget is %.3f ms", c.ms,
                                    c.baseline_ms, *options_.budgets.max_ms)});
    if (c.ms > c.baseline_ms * kSlowerBy)
      findings_.push_back(
          {Refusal::slower, format("%.3f ms per run, the original takes %.3f ms on %s", c.ms, c.baseline_ms,
                                   c.times_of.empty() ? "this machine" : c.times_of.c_str())});
  }

  void judge_accuracy(const Certificate& c) {
    const std::string found = format(
        "on %lld proof items the drop is %.2f points (one-sided 95 %% bounds decide; "
        "interval %.2f to %.2f), the limit is %.2f",
        static_cast<long long>(c.model.n), 100 * c.drop.drop, 100 * c.drop.interval.low,
        100 * c.drop.interval.high, 100 * c.max_drop);
    if (c.drop.verdict == eval::DropVerdict::exceeded) {
      if (const std::string name = forced_culprit(); !name.empty())
        findings_.push_back({Refusal::sensitive, found + "; the most sensitive layer, '" + name +
                                                     "', was forced to its precision: free it"});
      else
        findings_.push_back(
            {Refusal::accuracy, found + "; keep more layers at higher precision or raise --max-drop"});
    }
    if (c.drop.verdict == eval::DropVerdict::undecided)
      findings_.push_back(
          {Refusal::undecided,
           found + (c.drop.items_needed
                        ? format("; about %lld proof items would decide",
                                 static_cast<long long>(*c.drop.items_needed))
                        : std::string("; no number of items would decide: the drop is at the limit"))});
  }

  // The layer with the largest damage at its chosen precision, if the user chose it.
  std::string forced_culprit() const {
    double worst = -1;
    std::string name;
    for (const LayerResult& layer : report_.layers)
      for (const FormatMeasure& m : layer.measured.formats)
        if (m.format == layer.chosen && m.distance.kl > worst) {
          worst = m.distance.kl;
          name = layer.unit.name;
        }
    return forced_.count(name) != 0 ? name : "";
  }

  const CompressOptions& options_;
  const CompressReport& report_;
  const std::set<std::string>& forced_;
  std::vector<Finding> findings_;
};

}  // namespace

std::optional<uint64_t> byte_limit(const CompressOptions& options, uint64_t source_bytes) {
  if (options.budgets.max_bytes) return options.budgets.max_bytes;
  if (!options.budgets.max_size_share) return std::nullopt;
  return static_cast<uint64_t>(*options.budgets.max_size_share * static_cast<double>(source_bytes));
}

std::vector<Finding> findings_of(const CompressOptions& options, const CompressReport& report,
                                 const std::set<std::string>& forced) {
  return Findings(options, report, forced).run();
}

}  // namespace pith::compress
