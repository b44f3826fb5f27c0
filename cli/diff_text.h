// The JSON of `pith diff` as text for a terminal.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pith::cli {

std::string diff_text(const nlohmann::ordered_json& diff);

}  // namespace pith::cli
