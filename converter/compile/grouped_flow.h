// int4 and nf4: which products are packed at once, and which when the file is written (deferred_products.h).
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "converter/compile/convert.h"

namespace pith {

// `graph`: imported, passes run. Adds what calibration leaves in the file to `metadata`.
Status quantize_grouped(ir::Graph& graph, const ConvertOptions& options, ConvertReport* report,
                        std::vector<std::pair<std::string, std::string>>* metadata);

}  // namespace pith
