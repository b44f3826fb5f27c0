// Counts, contents and overlap of calibration items.
#include "converter/compile/calibration_audit.h"

#include <algorithm>
#include <cmath>

#include "converter/compile/input_profile.h"
#include "converter/quantize/calibrate.h"

namespace pith {
namespace {

constexpr size_t kDigits = 10;
constexpr int64_t kProfiledItems = 256;  // of each set

std::string short_hex(uint64_t hash) {
  return format("%010llx", static_cast<unsigned long long>(hash >> (64 - 4 * kDigits)));
}

Status refused(CalibrationFault fault, const std::string& what) {
  return Status(Code::bad_argument,
                what + "; --accept-calibration " + name_of(fault) + " goes on all the same");
}

struct Look {
  bool finite = true;
  bool constant = true;  // every element of every input of the item is one number
};

Result<Look> look_at(const data::Dataset& set, int64_t item) {
  Look look;
  for (size_t input = 0; input < set.inputs().size(); ++input) {
    PITH_ASSIGN(const data::HostTensor x, set.read_input(item, input));
    const auto count = static_cast<size_t>(x.count());
    std::vector<double> values(count);
    data::to_doubles(x.dtype, x.bytes.data(), count, values.data());
    for (const double v : values) {
      look.finite = look.finite && std::isfinite(v);
      look.constant = look.constant && v == values[0];
    }
  }
  return look;
}

Status refuse_not_finite(const data::Dataset& set, int64_t item) {
  PITH_ASSIGN(const std::string what, not_finite_input(set, item));
  return Status(Code::bad_argument, "calibration " + what + "; check the file and its preprocessing");
}

Status check_contents(const data::Dataset& set, int64_t max_items, CalibrationAudit* audit,
                      int64_t* constant) {
  std::set<uint64_t> seen;
  for (int64_t i = 0; i < audit->items; ++i) {
    const int64_t item = quantize::calibration_item(i, set.size(), max_items);
    PITH_ASSIGN(const Look look, look_at(set, item));
    if (!look.finite) return refuse_not_finite(set, item);
    *constant += look.constant;
    PITH_ASSIGN(const uint64_t hash, set.content_hash(item));
    audit->repeated += !seen.insert(hash).second;
  }
  audit->hashes.assign(seen.begin(), seen.end());
  return Status::ok();
}

Status judge_fault(bool fault, CalibrationFault kind, const std::string& what,
                   const std::set<CalibrationFault>& accepted, CalibrationAudit* audit) {
  if (!fault) return Status::ok();
  if (accepted.count(kind) == 0) return refused(kind, what);
  audit->accepted.insert(kind);
  audit->notes.push_back(what + " (accepted)");
  return Status::ok();
}

long long number(int64_t n) { return static_cast<long long>(n); }

// Do both sets hold the same kind of numbers?
Status compare_inputs(const data::Dataset& calibration, int64_t max_items, const data::Dataset& evaluation,
                      const std::set<CalibrationFault>& accepted, CalibrationAudit* audit) {
  PITH_ASSIGN(const auto seen, profile_inputs(calibration, max_items));
  PITH_ASSIGN(const auto judged, profile_inputs(evaluation, kProfiledItems));
  const std::string mismatch = preprocessing_mismatch(seen, judged);
  PITH_RETURN_IF_ERROR(judge_fault(!mismatch.empty(), CalibrationFault::mismatch,
                                   mismatch + ": they were not preprocessed alike", accepted, audit));
  PITH_ASSIGN(audit->outside_share, share_outside(evaluation, kProfiledItems, seen));
  return judge_fault(audit->outside_share > kLargestShareOutside && mismatch.empty(),
                     CalibrationFault::coverage,
                     format("%.1f %% of the evaluation data lie outside of all that calibration saw",
                            100 * audit->outside_share),
                     accepted, audit);
}

}  // namespace

const char* name_of(CalibrationFault fault) {
  constexpr const char* kNames[] = {"small", "constant", "leak", "mismatch", "coverage"};
  return kNames[static_cast<size_t>(fault)];
}

Result<CalibrationFault> parse_calibration_fault(const std::string& text) {
  using enum CalibrationFault;
  for (CalibrationFault f : {small, constant, leak, mismatch, coverage})
    if (text == name_of(f)) return f;
  return Status(Code::bad_argument,
                "unknown fault '" + text + "': use small, constant, leak, mismatch or coverage");
}

Result<CalibrationAudit> audit_calibration(const data::Dataset& calibration, int64_t max_items,
                                           const data::Dataset* evaluation,
                                           const std::set<CalibrationFault>& accepted) {
  CalibrationAudit audit;
  audit.items = std::min(calibration.size(), max_items);
  int64_t constant = 0;
  PITH_RETURN_IF_ERROR(check_contents(calibration, max_items, &audit, &constant));
  const auto different = static_cast<int64_t>(audit.hashes.size());
  PITH_RETURN_IF_ERROR(judge_fault(
      different < kFewestCalibrationItems, CalibrationFault::small,
      format("only %lld different calibration items, ranges need %lld or more (a few hundred are better)",
             number(different), number(kFewestCalibrationItems)),
      accepted, &audit));
  PITH_RETURN_IF_ERROR(
      judge_fault(2 * constant > audit.items, CalibrationFault::constant,
                  format("%lld of %lld calibration items hold one and the same number throughout",
                         number(constant), number(audit.items)),
                  accepted, &audit));
  if (audit.repeated > 0)
    audit.notes.push_back(format("%lld calibration items repeat others", number(audit.repeated)));
  if (evaluation == nullptr) return audit;
  audit.eval_items = evaluation->size();
  PITH_ASSIGN(audit.shared_with_eval,
              count_known_items(pack_hashes(audit.hashes), *evaluation, evaluation->size()));
  PITH_RETURN_IF_ERROR(judge_fault(audit.shared_with_eval > 0, CalibrationFault::leak,
                                   format("%lld of %lld evaluation items are among the calibration items: "
                                          "the accuracy would look better than it is",
                                          number(audit.shared_with_eval), number(audit.eval_items)),
                                   accepted, &audit));
  PITH_RETURN_IF_ERROR(compare_inputs(calibration, audit.items, *evaluation, accepted, &audit));
  return audit;
}

std::string pack_hashes(const std::vector<uint64_t>& hashes) {
  std::string packed;
  for (const uint64_t h : hashes) packed += short_hex(h);
  return packed;
}

std::pair<std::string, std::string> hashes_metadata(const CalibrationAudit& audit) {
  std::vector<uint64_t> hashes = audit.hashes;
  hashes.resize(std::min(hashes.size(), kMostStoredHashes));
  return {kCalibrationHashesKey, pack_hashes(hashes)};
}

Result<int64_t> count_known_items(const std::string& packed, const data::Dataset& set, int64_t max_items) {
  if (packed.size() % kDigits != 0)
    return Status(Code::bad_file,
                  format("the hashes of calibration items are %zu characters, not a multiple of %zu",
                         packed.size(), kDigits));
  std::set<std::string> known;
  for (size_t at = 0; at < packed.size(); at += kDigits) known.insert(packed.substr(at, kDigits));
  const int64_t total = std::min(set.size(), max_items);
  int64_t found = 0;
  for (int64_t i = 0; i < total && !known.empty(); ++i) {
    PITH_ASSIGN(const uint64_t hash, set.content_hash(quantize::calibration_item(i, set.size(), max_items)));
    found += known.count(short_hex(hash)) != 0;
  }
  return found;
}

}  // namespace pith
