// Accuracy, closeness of the outputs, latency.
#include "converter/compress/proof.h"

#include <algorithm>

#include "converter/compress/trial.h"
#include "converter/eval/latency.h"

namespace pith::compress {
namespace {

constexpr int64_t kClassItems = 10;      // fewer say nothing about a class
constexpr int64_t kComparedItems = 256;  // of outputs with the original's

// With at least kClassItems proof items, largest loss first.
std::vector<ClassResult> compare_classes(const eval::ClassificationMetrics& original,
                                         const eval::ClassificationMetrics& model) {
  const auto &before = original.per_class(), &after = model.per_class();
  std::vector<ClassResult> out;
  for (size_t i = 0; i < before.size() && i < after.size(); ++i)
    if (before[i].n >= kClassItems) out.push_back({static_cast<int64_t>(i), before[i], after[i]});
  std::stable_sort(out.begin(), out.end(),
                   [](const ClassResult& a, const ClassResult& b) { return a.loss() > b.loss(); });
  return out;
}

Status prove_accuracy(const ProofInput& in, Session& model, Certificate* c,
                      std::vector<ClassResult>* classes) {
  PITH_ASSIGN(const Judge judge,
              Judge::create({in.data.proof, in.data.proof_index}, in.original, in.options, 0, in.progress));
  PITH_ASSIGN(const Evaluated found, judge.judge(model));
  c->baseline_value = judge.original().value;
  c->value = found.value;
  c->items = judge.items();
  if (!found.paired) {
    c->metric = in.options.metric_command;
    c->drop.drop = found.drop;
    return Status::ok();
  }
  c->baseline = metric_of(judge.original().metrics, in.options.metric);
  c->model = metric_of(found.metrics, in.options.metric);
  c->drop = eval::judge_drop(*found.paired, in.options.budgets.max_drop.value_or(1));
  c->drop.interval = eval::paired_interval(*found.paired);
  *classes = compare_classes(judge.original().metrics, found.metrics);
  if (!classes->empty()) {
    c->worst_class = classes->front().label;
    c->worst_class_drop = classes->front().loss();
  }
  return Status::ok();
}

Status prove_latency(const ProofInput& in, Session& model, const PrecisionPlan& plan, Certificate* c) {
  if (in.times != nullptr) {
    c->times_of = in.times->device();
    c->baseline_ms = in.times->model_ms(in.units, {});
    c->ms = in.times->model_ms(in.units, plan);
    return Status::ok();
  }
  PITH_RETURN_IF_ERROR(in.feed_one(in.original));
  PITH_RETURN_IF_ERROR(in.feed_one(model));
  Session* const pair[] = {&in.original, &model};
  PITH_ASSIGN(const std::vector<double> ms, eval::paired_latency_ms(pair, {0.5, 11}));
  c->baseline_ms = ms[0];
  c->ms = ms[1];
  return Status::ok();
}

}  // namespace

Result<Certificate> prove_model(const ProofInput& in, Session& model, const PrecisionPlan& plan,
                                CompressReport* report) {
  Certificate c;
  c.metric = in.options.metric;
  c.max_drop = in.options.budgets.max_drop.value_or(-1);
  c.source_bytes = report->source_bytes;
  c.calibration_items = report->calibration_items;
  c.search_items = report->search_items;
  c.accepted_faults = report->audit.accepted;
  const bool proven = in.data.proof.size() > 0;
  if (proven) PITH_RETURN_IF_ERROR(prove_accuracy(in, model, &c, &report->classes));
  const data::Dataset& unseen = proven ? in.data.proof : in.data.calibration;
  PITH_ASSIGN(c.outputs, measure_closeness(unseen, in.original, model, in.options.scores, kComparedItems));
  PITH_RETURN_IF_ERROR(prove_latency(in, model, plan, &c));
  return c;
}

}  // namespace pith::compress
