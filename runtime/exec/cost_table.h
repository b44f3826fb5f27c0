// What a node would take on each backend, by a small table of rates (cost_table.inc). It decides who is asked first, not more:
// a rate that is off by a half matters only where two backends are about equal, and `pith tune` measures.
#pragma once
#include "runtime/exec/backend_choice.h"
#include "runtime/ops/op.h"

namespace pith {

enum class WorkKind : uint8_t {
  any,
  dense,      // products, convolutions: multiply-adds
  depthwise,  // convolutions in groups of one channel: multiply-adds
  each,       // everything else: elements read or written, whichever are more
};
enum class WorkType : uint8_t { any, f32, codes, panels };

struct Work {
  WorkKind kind = WorkKind::each;
  WorkType type = WorkType::any;
  uint64_t units = 0;
  uint64_t depth = 1;  // products summed for one output
};
// Shapes must be known.
Work work_of(const NodeView& node);
// On one thread; at least 1.
uint64_t expected_ns(BackendChoice backend, const Work& work, Cpu cpu);

}  // namespace pith
