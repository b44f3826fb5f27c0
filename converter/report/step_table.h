// What was done to the model beside choosing precisions, and whether it paid: rewrites of the float model, learned rounding, bias
// corrections. Each was judged by the outputs on calibration items that made none of it.
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::report {

// HTML, "" when nothing was tried.
std::string step_table(const compress::CompressReport& report);

}  // namespace pith::report
