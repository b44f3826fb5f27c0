// Opening, auditing, splitting.
#include "converter/compress/evaluation_data.h"

#include <algorithm>
#include <cmath>

#include "converter/compile/input_profile.h"
#include "converter/data/content_hash.h"
#include "converter/eval/dataset_feed.h"
#include "converter/quantize/int8_role.h"

namespace pith::compress {
namespace {

Status split_evaluation(const CompressOptions& options, EvaluationData* data) {
  PITH_ASSIGN(const data::Dataset all, data::Dataset::open(options.evaluation));
  if (options.metric_command.empty() && !all.has_labels())
    return Status(Code::bad_argument,
                  "the evaluation data '" + options.evaluation +
                      "' has no labels: add labels.npy, or a \"labels\" entry in dataset.json");
  for (int64_t i = 0; i < all.size(); ++i) {
    PITH_ASSIGN(const std::string fault, not_finite_input(all, i));
    if (!fault.empty())
      return Status(Code::bad_argument, "evaluation " + fault + "; check the file and its preprocessing");
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

// Runs one item; null scores when nothing is labelled.
Status run_one(const data::Dataset& set, Session& session) {
  if (set.size() == 0) return Status::ok();
  PITH_ASSIGN(const eval::DatasetFeed feed, eval::DatasetFeed::create(set, session));
  PITH_RETURN_IF_ERROR(feed.feed(0, session));
  return session.run();
}

Result<int64_t> score_count(const Session& session, const std::string& name) {
  for (size_t i = 0; i < session.output_count(); ++i)
    if (name.empty() || name == session.output(i).name) return session.output(i).count();
  return Status(Code::bad_argument, "the model has no output '" + name + "'");
}

Status check_labels(const data::Dataset& set, const std::vector<int64_t>& index, int64_t scores) {
  for (int64_t i = 0; i < set.size(); ++i) {
    PITH_ASSIGN(const int64_t label, set.label(i));
    if (label < 0 || label >= scores)
      return Status(
          Code::bad_argument,
          format("evaluation item %lld has label %lld, the model gives %lld scores: do the data belong "
                 "to this model?",
                 static_cast<long long>(index[static_cast<size_t>(i)]), static_cast<long long>(label),
                 static_cast<long long>(scores)));
  }
  return Status::ok();
}

bool is_weight_of_product(const ir::Value& v) {
  return std::any_of(v.readers.begin(), v.readers.end(),
                     [&](const ir::Node* node) { return quantize::is_product(*node) && node->in(0) != &v; });
}

}  // namespace

Status check_fit(const EvaluationData& data, const CompressOptions& options, Session& original) {
  if (Status s = run_one(data.calibration, original); !s.is_ok())
    return Status(s).with_context("calibration data: ");
  if (Status s = run_one(data.search, original); !s.is_ok())
    return Status(s).with_context("evaluation data: ");
  if (!options.metric_command.empty() || data.search.size() == 0) return Status::ok();
  PITH_ASSIGN(const int64_t scores, score_count(original, options.scores));
  PITH_RETURN_IF_ERROR(check_labels(data.search, data.search_index, scores));
  return check_labels(data.proof, data.proof_index, scores);
}

Status check_finite_constants(const ir::Graph& graph) {
  for (const auto& v : graph.values()) {
    if (!v->is_constant() || v->dtype != DType::f32 || v->readers.empty()) continue;
    const bool weight = is_weight_of_product(*v);
    const auto values = v->elements<float>();
    for (size_t i = 0; i < values.size(); ++i)
      if (weight ? !std::isfinite(values[i]) : std::isnan(values[i]))
        return Status(
            Code::bad_file,
            format("tensor '%s' of node '%s' holds %g at element %zu: the model is broken before any "
                   "compression",
                   v->name.c_str(), v->readers.front()->name.c_str(), static_cast<double>(values[i]), i));
  }
  return Status::ok();
}

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
