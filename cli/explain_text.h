// The JSON of `pith explain` as text for a terminal.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pith::cli {

// `explained`: as `pith explain --json` prints it. What was tried comes from the file: anything may be missing there or of
// another type.
std::string explain_text(const nlohmann::ordered_json& explained);

}  // namespace pith::cli
