// Is the calibration data fit for its purpose? Looked at before any of it is used.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/data/dataset.h"

namespace pith {

enum class CalibrationFault {
  small,     // too few different items
  constant,  // items that hold one number
  leak,      // items of the evaluation set among them
  mismatch,  // not preprocessed as the evaluation set is
  coverage,  // the evaluation set goes far beyond their values
};
const char* name_of(CalibrationFault fault);
Result<CalibrationFault> parse_calibration_fault(const std::string& text);

// With fewer items no range is trusted.
inline constexpr int64_t kFewestCalibrationItems = 8;
// A larger share of the evaluation set outside of the calibration's range is a fault.
inline constexpr double kLargestShareOutside = 0.05;

struct CalibrationAudit {
  int64_t items = 0;             // looked at
  std::vector<uint64_t> hashes;  // of their contents, sorted, each once
  int64_t repeated = 0;          // items that equal an earlier one
  int64_t shared_with_eval = 0;  // items of the evaluation set that are among them
  int64_t eval_items = 0;
  double outside_share = 0;  // of the evaluation set's elements, beyond the values of the calibration items
  std::set<CalibrationFault> accepted;  // faults that were found and accepted
  std::vector<std::string> notes;       // accepted faults and milder findings
};

// Looks at the items that calibration will use (`max_items`, spread as calibrate() spreads them). `evaluation` may be
// null. Faults outside `accepted` are Code::bad_argument with the message that names the override; NaN or infinity
// cannot be accepted.
Result<CalibrationAudit> audit_calibration(const data::Dataset& calibration, int64_t max_items,
                                           const data::Dataset* evaluation,
                                           const std::set<CalibrationFault>& accepted);

// For the file's metadata: 10 hex digits an item, enough to find an item again (collision 2^-40 a pair).
std::string pack_hashes(const std::vector<uint64_t>& hashes);
// The same as metadata of the file, so that `pith eval` finds leaks: at most kMostStoredHashes, the smallest, which is as
// good as drawn by lot.
inline constexpr const char* kCalibrationHashesKey = "calibration_hashes";
inline constexpr size_t kMostStoredHashes = 1024;
std::pair<std::string, std::string> hashes_metadata(const CalibrationAudit& audit);
// How many of `max_items` items of `set`, spread as evaluation spreads them, are in `packed`.
Result<int64_t> count_known_items(const std::string& packed, const data::Dataset& set, int64_t max_items);

}  // namespace pith
