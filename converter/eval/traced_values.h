// Tensors of a running model as real numbers, through the trace hook: what comparing two models layer by layer needs.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/session.h"

namespace pith::eval {

// A tensor of numbers with at most one scale; others have no real values here.
bool has_real_values(const TensorView& t);
// Codes become (code - zero point) * scale.
std::vector<float> real_values(const TensorView& t);
// The nearest the tensor can hold.
void store_real_values(const TensorView& t, const std::vector<float>& values);

// Keeps the first result of every step of an original, float results only, and finds what a step of another form of the
// same model stands for. A tensor keeps its source name through the passes (a fused activation leaves the activation's),
// so names of tensors decide; else names of nodes, taking the activated result when only the other form clamps.
class StepRecorder : public TraceSink {
 public:
  void on_step(const StepTrace& step) override;
  void clear();
  const std::vector<float>* find(const NodeView& node) const;  // null: no counterpart

 private:
  struct Result {
    std::vector<float> values;
    bool clamps = false;
    std::string activated;  // the tensor behind a Relu or Clip that reads this one
  };
  std::map<std::string, Result, std::less<>> by_tensor_;
  std::map<std::string, std::string, std::less<>> tensor_of_node_;
};

}  // namespace pith::eval
