// What the static int8 flow decided, as JSON text and as metadata of the file.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "converter/compile/int8_flow.h"

namespace pith {

inline constexpr const char* kInt8ReportKey = "int8_report";  // JSON, as below without tensors

// One object: products, output_sqnr_db, judging_items, calibration, ranges, equalization, bias_correction; with
// `tensors` also the tournament of every grid.
std::string int8_summary(const Int8FlowReport& report, bool tensors);

std::vector<std::pair<std::string, std::string>> int8_metadata(const Int8FlowReport& report);

}  // namespace pith
