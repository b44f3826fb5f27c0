// One item at a time: feed, run, hand the scores to the metrics.
#include "converter/eval/accuracy.h"

#include <algorithm>
#include <vector>

#include "converter/data/host_tensor.h"
#include "converter/eval/dataset_feed.h"

namespace pith::eval {
namespace {

class Subject {
 public:
  static Result<Subject> create(const data::Dataset& dataset, Session& session, const std::string& output) {
    Subject subject;
    subject.session_ = &session;
    PITH_ASSIGN(subject.feed_, DatasetFeed::create(dataset, session));
    if (output.empty()) return subject;
    while (subject.output_ < session.output_count() && output != session.output(subject.output_).name)
      ++subject.output_;
    if (subject.output_ == session.output_count())
      return Status(Code::bad_argument, "the model has no output '" + output + "'");
    return subject;
  }

  Status judge(int64_t item, int64_t label, ClassificationMetrics* metrics) {
    PITH_RETURN_IF_ERROR(feed_.feed(item, *session_));
    PITH_RETURN_IF_ERROR(session_->run());
    const TensorView& scores = session_->output(output_);
    if (bits_of(scores.dtype) < 8)
      return Status(Code::unsupported, format("output '%s' has scores of 4 bits", scores.name));
    const auto count = static_cast<size_t>(scores.count());
    values_.resize(count);
    data::to_doubles(scores.dtype, static_cast<const std::byte*>(scores.data), count, values_.data());
    scores_.assign(values_.begin(), values_.end());
    return metrics->add(scores_, label);
  }

 private:
  DatasetFeed feed_;
  Session* session_ = nullptr;
  size_t output_ = 0;
  std::vector<double> values_;
  std::vector<float> scores_;
};

}  // namespace

Result<Accuracy> measure_accuracy(const data::Dataset& dataset, Session& model, Session* baseline,
                                  const AccuracyOptions& options) {
  if (!dataset.has_labels())
    return Status(Code::bad_argument, "the data set '" + dataset.path() + "' has no labels: add labels.npy");
  const int64_t total = options.max_items > 0 ? std::min(options.max_items, dataset.size()) : dataset.size();
  if (total == 0) return Status(Code::bad_argument, "the data set '" + dataset.path() + "' is empty");
  PITH_ASSIGN(Subject subject, Subject::create(dataset, model, options.output));
  Subject other;
  if (baseline != nullptr) {
    PITH_ASSIGN(other, Subject::create(dataset, *baseline, options.output));
  }
  Accuracy result;
  for (int64_t i = 0; i < total; ++i) {
    // total <= size: i * size stays far below 2^63 for any data set that fits a disk.
    const int64_t item = i * dataset.size() / total;
    PITH_ASSIGN(const int64_t label, dataset.label(item));
    PITH_RETURN_IF_ERROR(subject.judge(item, label, &result.model));
    if (baseline != nullptr) PITH_RETURN_IF_ERROR(other.judge(item, label, &result.baseline));
    if (options.progress) options.progress(i + 1, total);
  }
  return result;
}

}  // namespace pith::eval
