// What stands against shipping the chosen model: budgets, accuracy, time, each as one of the refusals.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "converter/compress/compress.h"

namespace pith::compress {

// Of the file; none: no size budget.
std::optional<uint64_t> byte_limit(const CompressOptions& options, uint64_t source_bytes);

// `report`: with certificate, candidates, layers and the bytes of the file. `forced`: units whose precision the user gave.
std::vector<Finding> findings_of(const CompressOptions& options, const CompressReport& report,
                                 const std::set<std::string>& forced);

}  // namespace pith::compress
