// Printing.
#include "cli/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace pith::cli {

void print_json(const nlohmann::ordered_json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

}  // namespace pith::cli
