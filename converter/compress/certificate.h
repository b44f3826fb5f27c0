// What was proven about a compressed model, and the reasons to refuse it. The certificate is stored in the file and
// shown by `pith inspect`.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "converter/compile/calibration_audit.h"
#include "converter/compress/closeness.h"
#include "converter/eval/metrics.h"
#include "converter/eval/statistics.h"

namespace pith::compress {

inline constexpr const char* kCertificateKey = "certificate";
inline constexpr const char* kPlanKey = "precision_plan";
inline constexpr const char* kFormKey = "float_form";  // how the float model was rewritten first

// Each can be allowed by its name (--allow NAME); the certificate then says so.
enum class Refusal : uint8_t {
  accuracy,        // the drop is above the limit
  undecided,       // the evaluation data cannot tell
  unevaluated,     // no evaluation data
  full_precision,  // no layer could be made smaller
  sensitive,       // a format was forced on a layer that breaks the limit
  size,            // larger than the budget
  latency,         // slower than the budget
  slower,          // slower than the original
};
const char* name_of(Refusal refusal);
Result<Refusal> parse_refusal(const std::string& text);

struct Finding {
  Refusal kind = Refusal::accuracy;
  std::string message;  // what was found, what was allowed, what to do
};

struct Certificate {
  std::string metric;
  double baseline_value = 0, value = 0;  // of the metric, on the proof items
  int64_t items = 0;
  eval::Proportion baseline, model;  // the same as counts; empty for a metric command
  eval::DropDecision drop;           // paired top1
  double max_drop = -1;              // share; below 0: no limit was set
  int64_t worst_class = -1;          // largest loss of accuracy among classes with at least 10 proof items
  double worst_class_drop = 0;
  Closeness outputs;  // to the original's, on proof items; without them on calibration items
  double baseline_ms = 0, ms = 0;
  std::string
      times_of;  // a device, whose imported layer times were added up; empty: measured where it was made
  uint64_t source_bytes = 0;
  int64_t calibration_items = 0, search_items = 0;
  std::set<Refusal> overridden;                // findings that were allowed
  std::set<CalibrationFault> accepted_faults;  // of the calibration data, found and accepted
  bool by_command() const { return items > 0 && model.n == 0; }
};

// One JSON object: {metric, baseline, value, drop, ci95, n, verdict, ...}.
std::string certificate_json(const Certificate& certificate);

}  // namespace pith::compress
