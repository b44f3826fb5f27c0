// What a compressed model says of itself, in words.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pith::cli {

// Lines about {certificate, precision_plan} of what `pith inspect --json` calls program; "" when there are none. Both come
// from the file: anything may be missing or of another type.
std::string certificate_text(const nlohmann::ordered_json& program);

}  // namespace pith::cli
