// How results are printed: JSON objects, byte counts.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pith::cli {

// One object on stdout, indented. Bytes that are not UTF-8 (names in hostile files) are replaced.
void print_json(const nlohmann::ordered_json& json);
// "512 B", "12.3 kB", "4.56 MB"; thousands, as disks count.
std::string bytes_text(uint64_t bytes);

}  // namespace pith::cli
