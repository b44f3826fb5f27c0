// The trace hook: called after every step of a traced run. Without a sink a run pays one branch per step.
#pragma once
#include <cstdint>

#include "runtime/ops/op.h"

namespace pith {

struct StepTrace {
  const NodeView* node;
  const Kernel* kernel;
  uint64_t begin_ns, end_ns;  // monotonic clock
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_step(const StepTrace& step) = 0;
};

uint64_t monotonic_ns();

}  // namespace pith
