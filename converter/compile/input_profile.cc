// Welford's running mean and sum of squares: exact enough for pixels of any offset.
#include "converter/compile/input_profile.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/calibrate.h"

namespace pith {
namespace {

Result<std::vector<double>> values_of(const data::Dataset& set, int64_t item, size_t input) {
  PITH_ASSIGN(const data::HostTensor x, set.read_input(item, input));
  std::vector<double> values(static_cast<size_t>(x.count()));
  data::to_doubles(x.dtype, x.bytes.data(), values.size(), values.data());
  return values;
}

void add(double v, InputProfile* p) {
  if (!std::isfinite(v)) return;
  p->low = p->count == 0 ? v : std::min(p->low, v);
  p->high = p->count == 0 ? v : std::max(p->high, v);
  ++p->count;
  const double from_old = v - p->mean;
  p->mean += from_old / static_cast<double>(p->count);
  p->squares += from_old * (v - p->mean);
}

std::string profile_text(const InputProfile& p) {
  return format("%.4g to %.4g, mean %.4g, deviation %.4g", p.low, p.high, p.mean, p.deviation());
}

bool differ(const InputProfile& a, const InputProfile& b) {
  if (!a.is_float || !b.is_float || a.count == 0 || b.count == 0) return false;
  const double x = a.deviation(), y = b.deviation(), larger = std::max(x, y);
  if (std::fabs(a.mean - b.mean) > kMeanDistance * larger) return true;
  return larger > kDeviationRatio * std::min(x, y);
}

}  // namespace

double InputProfile::deviation() const {
  return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0;
}

Result<std::vector<InputProfile>> profile_inputs(const data::Dataset& set, int64_t max_items) {
  std::vector<InputProfile> out;
  const int64_t items = std::min(set.size(), max_items);
  for (size_t input = 0; input < set.inputs().size(); ++input) {
    InputProfile& p = out.emplace_back();
    p.name = set.inputs()[input].name;
    p.is_float = is_float(set.inputs()[input].dtype);
    for (int64_t i = 0; i < items; ++i) {
      PITH_ASSIGN(const auto values, values_of(set, quantize::calibration_item(i, set.size(), items), input));
      for (const double v : values) add(v, &p);
    }
  }
  return out;
}

std::string preprocessing_mismatch(const std::vector<InputProfile>& calibration,
                                   const std::vector<InputProfile>& evaluation) {
  for (size_t i = 0; i < std::min(calibration.size(), evaluation.size()); ++i)
    if (differ(calibration[i], evaluation[i]))
      return format("input %zu holds %s in the calibration data, %s in the evaluation data", i,
                    profile_text(calibration[i]).c_str(), profile_text(evaluation[i]).c_str());
  return "";
}

Result<double> share_outside(const data::Dataset& set, int64_t max_items,
                             const std::vector<InputProfile>& seen) {
  double worst = 0;
  const int64_t items = std::min(set.size(), max_items);
  for (size_t input = 0; input < std::min(seen.size(), set.inputs().size()); ++input) {
    int64_t outside = 0, total = 0;
    for (int64_t i = 0; i < items && seen[input].is_float && seen[input].count > 0; ++i) {
      PITH_ASSIGN(const auto values, values_of(set, quantize::calibration_item(i, set.size(), items), input));
      for (const double v : values) outside += v < seen[input].low || v > seen[input].high;
      total += static_cast<int64_t>(values.size());
    }
    if (total > 0) worst = std::max(worst, static_cast<double>(outside) / static_cast<double>(total));
  }
  return worst;
}

Result<std::string> not_finite_input(const data::Dataset& set, int64_t item) {
  for (size_t input = 0; input < set.inputs().size(); ++input) {
    PITH_ASSIGN(const auto values, values_of(set, item, input));
    if (std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) continue;
    const std::string& name = set.inputs()[input].name;
    return format("item %lld: input %s holds NaN or infinity", static_cast<long long>(item),
                  name.empty() ? std::to_string(input).c_str() : ("'" + name + "'").c_str());
  }
  return std::string();
}

}  // namespace pith
