// Operators over rows of floats: which kernel serves them on this processor. All give the same bytes.
#pragma once
#include "kernels/rows/float_rows.h"
#include "runtime/ops/op.h"

namespace pith {

struct FloatRowsState final : NodeState {
  const kernels::FloatRowsKernel* kernel = nullptr;
};

inline void use_float_rows(PrepareContext& context, RunFn run, const char* owner = nullptr) {
  auto state = std::make_unique<FloatRowsState>();
  state->kernel = &kernels::select_float_rows(context.cpu());
  state->owner = owner;
  context.use(state->kernel->name, run);
  context.keep(std::move(state));
}
inline const kernels::FloatRowsKernel& float_rows_of(const RunContext& context) {
  return *static_cast<const FloatRowsState*>(context.state)->kernel;
}

}  // namespace pith
