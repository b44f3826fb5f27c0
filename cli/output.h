// How results are printed: JSON objects, byte counts.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "converter/report/markup.h"

namespace pith::cli {

// One object on stdout, indented. Bytes that are not UTF-8 (names in hostile files) are replaced.
void print_json(const nlohmann::ordered_json& json);
using report::bytes_text;

}  // namespace pith::cli
