// The report of a compression as one JSON object.
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::compress {

// {chosen, pareto: [...], candidates: [...], layers: [...], certificate: {...}, refusals: [...], notes: [...]}
std::string report_json(const CompressReport& report);

}  // namespace pith::compress
