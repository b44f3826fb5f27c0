// What an operator may do on int8 codes, judged by the node alone.
#pragma once
#include <string>

#include "converter/quantize/int8_plan.h"

namespace pith::quantize {

struct RoleOrReason {
  Int8Role role = Int8Role::none;
  std::string reason;  // set if none
};
RoleOrReason int8_role(const ir::Node& node);

// Convolutions and matrix products of any kind: where most of the work is.
bool is_product(const ir::Node& node);

// The grid of an output whose range the function itself bounds.
std::optional<Int8Grid> known_output_grid(const ir::Node& node);

}  // namespace pith::quantize
