// StepProfile: collects the steps of traced runs; written as a Chrome trace (chrome://tracing, Perfetto).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/exec/trace.h"

namespace pith::cli {

class StepProfile : public TraceSink {
 public:
  struct Event {
    std::string node, op, kernel, backend, shape;
    uint64_t begin_ns, end_ns;
    uint64_t bytes;  // of inputs and outputs
    uint64_t macs;   // multiply-adds of products with constant weights; 0: not counted
  };
  void on_step(const StepTrace& step) override;
  const std::vector<Event>& events() const { return events_; }
  // {"traceEvents": [...]}; times in microseconds from the first event.
  std::string chrome_json() const;

 private:
  std::vector<Event> events_;
};

}  // namespace pith::cli
