// Three runs an item, watched through the trace hook: the original, whose results are kept; the compressed
// model as it is (cumulative); the compressed model with every result replaced by the original's (local).
#include "converter/eval/layer_compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converter/eval/dataset_feed.h"
#include "converter/eval/traced_values.h"

namespace pith::eval {
namespace {

class Watcher : public TraceSink {
 public:
  Watcher(const StepRecorder& original, LayerComparison* result) : original_(original), result_(result) {}
  void set_local(bool local) { local_ = local; }
  Status status() const { return status_; }
  size_t unmatched() const { return unmatched_; }
  void begin() { unmatched_ = 0; }

  void on_step(const StepTrace& step) override {
    const NodeView& node = *step.node;
    const std::vector<float>* expected = original_.find(node);
    if (expected == nullptr || !node.has_out(0) || !has_real_values(node.out(0)) ||
        expected->size() != static_cast<size_t>(node.out(0).count())) {
      ++unmatched_;
      return;
    }
    LayerError& layer = layer_of(step);
    const Status added = (local_ ? layer.local : layer.cumulative).add(*expected, real_values(node.out(0)));
    if (status_.is_ok() && !added.is_ok()) status_ = added;
    if (local_) store_real_values(node.out(0), *expected);
  }

 private:
  LayerError& layer_of(const StepTrace& step) {
    const NodeView& node = *step.node;
    const auto [entry, fresh] = index_.try_emplace(node.name, result_->layers.size());
    if (fresh) {
      const OpDef* def = find_op(node.op);
      LayerError layer;
      layer.node = node.name;
      layer.op = def == nullptr ? "If" : def->name;
      layer.precision = name_of(node.has(0) ? node.in(0).dtype : node.out(0).dtype);
      layer.kernel = std::string(step.kernel->backend) + ":" + step.kernel->name;
      result_->layers.push_back(std::move(layer));
    }
    return result_->layers[entry->second];
  }

  const StepRecorder& original_;
  LayerComparison* result_;
  std::map<std::string, size_t> index_;
  bool local_ = false;
  size_t unmatched_ = 0;
  Status status_;
};

Status run_traced(const DatasetFeed& feed, int64_t item, Session& session, TraceSink* sink) {
  PITH_RETURN_IF_ERROR(feed.feed(item, session));
  session.set_trace(sink);
  const Status status = session.run();
  session.set_trace(nullptr);
  return status;
}

Status compare_outputs(const Session& original, const Session& compressed, LayerComparison* result) {
  const size_t count = std::min(original.output_count(), compressed.output_count());
  result->outputs.resize(count);
  result->output_kl.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const TensorView &a = original.output(i), &b = compressed.output(i);
    result->outputs[i].node = b.name;
    if (!has_real_values(a) || !has_real_values(b) || a.count() != b.count()) continue;
    const std::vector<float> exact = real_values(a), found = real_values(b);
    PITH_RETURN_IF_ERROR(result->outputs[i].cumulative.add(exact, found));
    result->output_kl[i] += kl_of_scores(exact, found);
  }
  return Status::ok();
}

}  // namespace

size_t LayerComparison::culprit() const {
  size_t worst = std::string::npos;
  double lowest = INFINITY;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Fidelity f = layers[i].local.fidelity();
    if (f == Fidelity::not_finite) return i;
    if (f != Fidelity::normal || layers[i].local.sqnr_db() >= lowest) continue;
    lowest = layers[i].local.sqnr_db();
    worst = i;
  }
  return worst;
}

Result<LayerComparison> compare_layers(const data::Dataset& dataset, Session& original, Session& compressed,
                                       const LayerCompareOptions& options) {
  PITH_ASSIGN(const DatasetFeed first, DatasetFeed::create(dataset, original));
  PITH_ASSIGN(const DatasetFeed second, DatasetFeed::create(dataset, compressed));
  const int64_t total = std::min(options.max_items, dataset.size());
  if (total <= 0) return Status(Code::bad_argument, "the data set '" + dataset.path() + "' is empty");
  LayerComparison result;
  StepRecorder recorder;
  Watcher watcher(recorder, &result);
  for (int64_t i = 0; i < total; ++i) {
    const int64_t item = i * dataset.size() / total;
    recorder.clear();
    PITH_RETURN_IF_ERROR(run_traced(first, item, original, &recorder));
    watcher.begin();
    watcher.set_local(false);
    PITH_RETURN_IF_ERROR(run_traced(second, item, compressed, &watcher));
    result.unmatched = watcher.unmatched();
    PITH_RETURN_IF_ERROR(compare_outputs(original, compressed, &result));
    watcher.set_local(true);
    PITH_RETURN_IF_ERROR(run_traced(second, item, compressed, &watcher));
    PITH_RETURN_IF_ERROR(watcher.status());
    ++result.items;
    if (options.progress) options.progress(i + 1, total);
  }
  for (double& kl : result.output_kl) kl /= static_cast<double>(result.items);
  return result;
}

}  // namespace pith::eval
