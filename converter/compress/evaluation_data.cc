// Opening, auditing, splitting.
#include "converter/compress/evaluation_data.h"

#include "converter/data/content_hash.h"

namespace pith::compress {
namespace {

Status split_evaluation(const CompressOptions& options, EvaluationData* data) {
  PITH_ASSIGN(const data::Dataset all, data::Dataset::open(options.evaluation));
  if (options.metric_command.empty() && !all.has_labels())
    return Status(Code::bad_argument,
                  "the evaluation data '" + options.evaluation +
                      "' has no labels: add labels.npy, or a \"labels\" entry in dataset.json");
  for (int64_t i = 0; i < all.size(); ++i) {
    PITH_ASSIGN(const uint64_t hash, all.content_hash(i));
    (data::in_proof_split(hash, options.proof_share) ? data->proof_index : data->search_index).push_back(i);
  }
  PITH_ASSIGN(data->proof, all.subset(data->proof_index));
  PITH_ASSIGN(data->search, all.subset(data->search_index));
  if (data->proof.size() > 0 && data->search.size() > 0) return Status::ok();
  return Status(Code::bad_argument,
                format("the evaluation data '%s' has %lld items: too few to split into search and proof",
                       options.evaluation.c_str(), static_cast<long long>(all.size())));
}

// Even a model that answers like the original on every proof item cannot be certified with so few.
void check_power(const CompressOptions& options, const EvaluationData& data, std::vector<Finding>* findings) {
  if (!options.budgets.max_drop || !options.metric_command.empty()) return;  // a command gives no interval
  const double limit = *options.budgets.max_drop;
  const auto needed = eval::items_needed(limit, 0, 0);
  if (!needed || data.proof.size() >= *needed) return;
  const auto all = static_cast<long long>(static_cast<double>(*needed) / options.proof_share) + 1;
  findings->push_back(
      {Refusal::undecided,
       format(
           "%lld evaluation items (%lld of them kept for the proof) cannot certify a drop below %.2f points, "
           "whatever the model: about %lld items are needed, more if answers change; give more data or a "
           "larger "
           "--max-drop",
           static_cast<long long>(data.proof.size() + data.search.size()),
           static_cast<long long>(data.proof.size()), 100 * limit, all)});
}

}  // namespace

Result<EvaluationData> open_data(const CompressOptions& options, CompressReport* report,
                                 std::vector<Finding>* findings) {
  EvaluationData data;
  data::Dataset evaluation;
  if (options.evaluation.empty()) {
    findings->push_back({Refusal::unevaluated,
                         "nothing says what compression costs: give --eval DATA with labels (never quantize "
                         "without evaluation)"});
  } else {
    PITH_RETURN_IF_ERROR(split_evaluation(options, &data));
    check_power(options, data, findings);
    PITH_ASSIGN(evaluation, data::Dataset::open(options.evaluation));
  }
  report->search_items = data.search.size();
  report->proof_items = data.proof.size();
  if (options.calibration.empty()) return data;
  PITH_ASSIGN(data.calibration, data::Dataset::open(options.calibration));
  PITH_ASSIGN(report->audit,
              audit_calibration(data.calibration, static_cast<int64_t>(options.calibration_items),
                                options.evaluation.empty() ? nullptr : &evaluation, options.accepted_faults));
  report->calibration_items = report->audit.items;
  report->notes = report->audit.notes;
  return data;
}

}  // namespace pith::compress
