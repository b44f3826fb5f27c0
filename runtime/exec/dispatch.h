// Chooses who runs a node. The backends of this build are candidates; the cost table (cost_table.inc) or, where there is one,
// the measurement of `pith tune` orders them, and the first that takes the node runs it. The reference takes every node.
#pragma once
#include <string>
#include <vector>

#include "runtime/exec/backend_choice.h"
#include "runtime/ops/op.h"

namespace pith {

// A backend and a node, for `pith inspect --kernels` and `pith tune`.
struct KernelCandidate {
  BackendChoice backend = BackendChoice::reference;
  const char* kernel = "";   // static storage; empty: it does not take the node
  std::string reason;        // why it does not
  uint64_t expected_ns = 0;  // by the cost table, on one thread
  bool takes() const { return *kernel != '\0'; }
};

struct DispatchOptions {
  BackendChoice choice = BackendChoice::automatic;
  BackendChoice tuned =
      BackendChoice::automatic;  // what a measurement found quickest; automatic: not measured
};

// Fills *kernel. `candidates`, when given: everybody who could be asked, the chosen one first, the others as the table
// orders them; finding out who else would take the node costs as much as taking it.
Status choose_kernel(const OpDef& def, const NodeView& node, const DispatchOptions& options,
                     PrepareContext& context, Kernel* kernel,
                     std::vector<KernelCandidate>* candidates = nullptr);

}  // namespace pith
