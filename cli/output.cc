// Printing helpers.
#include "cli/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/base/status.h"

namespace pith::cli {

void print_json(const nlohmann::ordered_json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

std::string bytes_text(uint64_t bytes) {
  const auto n = static_cast<double>(bytes);
  if (bytes < 1000) return format("%d B", static_cast<int>(bytes));
  if (n < 1e6) return format("%.1f kB", n / 1e3);
  if (n < 1e9) return format("%.2f MB", n / 1e6);
  return format("%.2f GB", n / 1e9);
}

}  // namespace pith::cli
