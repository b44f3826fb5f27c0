// What `pith inspect --kernels` says of a planned session: who runs each node, why, who else would, and conversions.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "runtime/exec/session.h"

namespace pith::cli {

// Adds "why", "candidates" and, when other backends were asked before, "reason" to the row of a step.
void describe_choice(const Session& session, const Session::Step& step, nlohmann::ordered_json* row);
// Steps that change the representation of numbers, and steps that do so inside, with the bytes they write.
nlohmann::ordered_json conversions(const Session& session);

// The rows under "nodes", and "conversions" and "tuning" of the whole report, as text.
void print_kernels(const nlohmann::ordered_json& report);

}  // namespace pith::cli
