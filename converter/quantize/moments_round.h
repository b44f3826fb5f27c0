// A trace over runs of a model: the inputs of products are read right after each has run, and join the moments of the set of
// products that share them.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "converter/quantize/collect_moments.h"
#include "runtime/exec/trace.h"

namespace pith::quantize {

struct Sharing {  // products that see the same rows
  std::vector<ir::Node*> nodes;
  size_t columns = 0;
};

bool holds_back(const MomentsOptions& o, int64_t items);

class MomentsRound : public TraceSink {
 public:
  MomentsRound(std::span<const Sharing> sets, const MomentsOptions& options, int64_t items, ThreadPool* pool);
  void begin(int64_t item, bool judges) { item_ = item, judges_ = judges; }
  const Status& status() const { return status_; }
  const ProductMoments& moments(size_t i) const { return moments_[i]; }
  void on_step(const StepTrace& step) override;

 private:
  Status check_finite(std::span<const float> rows, const NodeView& node) const;
  void keep_sample(std::span<const float> rows, size_t columns, std::vector<float>& sample) const;

  const MomentsOptions& options_;
  int64_t items_;
  ThreadPool* pool_;
  bool any_judges_;
  size_t sample_of_item_ = 0;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<ProductMoments> moments_;
  int64_t item_ = 0;
  bool judges_ = false;
  Status status_;
};

}  // namespace pith::quantize
