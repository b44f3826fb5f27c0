// How many bytes of activations are alive at every step of a planned session: what the memory bars show.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/exec/session.h"

namespace pith::cli {

struct LiveStep {
  std::string name, op;
  uint64_t live_bytes = 0;  // tensors made before or by this step and still read by it or later ones
  uint64_t scratch_bytes = 0;
};

// Steps of all stages planned so far, in order. Tensors that share bytes (in place, aliases) count once.
std::vector<LiveStep> live_memory(const Session& session);

}  // namespace pith::cli
