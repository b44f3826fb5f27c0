// Assembles the candidate list; the two searches live in kl_range.cc and mse_range.cc.
#include "converter/quantize/range_candidates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pith::quantize {
namespace {

constexpr size_t kFoldedBins = 2048;

RangeNote describe(const Histogram& h, GridNote grid_note) {
  if (h.empty()) return RangeNote::empty;
  if (h.min() == 0.0f && h.max() == 0.0f) return RangeNote::all_zero;
  if (grid_note == GridNote::tiny) return RangeNote::tiny;
  return h.min() == h.max() ? RangeNote::constant : RangeNote::regular;
}

// Keeps `percent` of the values. The excess is split evenly over both tails when the data have both signs;
// with one sign, or for a symmetric grid, it is all cut from the far end.
Interval percentile_range(const Histogram& h, double percent, Symmetry symmetry) {
  const double cut = 1.0 - percent / 100.0;
  const double low = h.min(), high = h.max();
  if (low >= 0) return {0, h.quantile(1.0 - cut)};
  if (high <= 0) return {h.quantile(cut), 0};
  if (symmetry == Symmetry::asymmetric) return {h.quantile(cut / 2), h.quantile(1.0 - cut / 2)};
  const FoldedHistogram f = fold(h, h.capacity());
  double allowed = cut * static_cast<double>(h.count());  // zeros count as kept
  size_t end = f.mass.size();
  while (end > 1 && allowed >= f.mass[end - 1]) allowed -= f.mass[--end];
  const double inside = f.mass[end - 1] > 0 ? allowed / f.mass[end - 1] : 0.0;
  const double t = (static_cast<double>(end) - inside) * f.width;
  return {std::max(low, -t), std::min(high, t)};
}

Interval kl_range(const Histogram& h, Symmetry symmetry) {
  const bool one_sided = h.min() >= 0 || h.max() <= 0;
  const size_t levels = one_sided && symmetry == Symmetry::asymmetric ? 256 : 128;
  const double t = kl_threshold(fold(h, kFoldedBins), levels);
  return {std::max<double>(h.min(), -t), std::min<double>(h.max(), t)};
}

Status append(RangeMethod method, double percent, Interval range, Symmetry symmetry, RangeCandidates& out) {
  PITH_ASSIGN(const GridChoice choice, grid_for_range(range.low, range.high, symmetry));
  out.ranges.push_back({method, percent, std::min(range.low, 0.0), std::max(range.high, 0.0), choice.grid});
  return Status::ok();
}

Status check(const Histogram& h, const RangeOptions& options) {
  if (!h.all_finite())
    return Status(
        Code::bad_argument,
        format("activations hold %llu NaN and %llu infinite values among %llu: the calibration data or the "
               "model is broken; no range can be chosen",
               static_cast<unsigned long long>(h.nans()), static_cast<unsigned long long>(h.infinities()),
               static_cast<unsigned long long>(h.nans() + h.infinities() + h.count())));
  for (const double p : options.percents)
    if (!(p >= 50.0 && p <= 100.0))
      return Status(Code::bad_argument, format("percentile %g is outside [50, 100]", p));
  return Status::ok();
}

}  // namespace

const char* name_of(RangeMethod method) {
  constexpr const char* kNames[] = {"min_max", "percentile", "kl", "mse"};
  return kNames[static_cast<size_t>(method)];
}

const char* name_of(RangeNote note) {
  constexpr const char* kNames[] = {"regular", "empty", "all_zero", "constant", "tiny"};
  return kNames[static_cast<size_t>(note)];
}

std::string RangeCandidate::label() const {
  if (method != RangeMethod::percentile) return name_of(method);
  return format("%s_%g", name_of(method), percent);
}

FoldedHistogram fold(const Histogram& histogram, size_t max_bins) {
  FoldedHistogram out;
  const double reach = std::max(std::fabs(double{histogram.min()}), std::fabs(double{histogram.max()}));
  if (reach == 0) return out;
  out.width = histogram.width();
  while (std::floor(reach / out.width) + 1 > static_cast<double>(max_bins)) out.width *= 2;
  out.mass.resize(static_cast<size_t>(reach / out.width) + 1);
  for (const Bin& bin : histogram.bins()) {
    // Bins end on the grid, so a whole bin falls in one folded bin, mirrored: [-w, 0) -> 0, [0, w) -> 0.
    const double nearest = bin.lower >= 0 ? bin.lower : -(bin.lower + bin.width);
    const auto index = static_cast<size_t>(nearest / out.width);
    out.mass[std::min(index, out.mass.size() - 1)] += static_cast<double>(bin.count);
  }
  return out;
}

Result<RangeCandidates> range_candidates(const Histogram& histogram, std::span<const float> sample,
                                         const RangeOptions& options) {
  PITH_RETURN_IF_ERROR(check(histogram, options));
  RangeCandidates out;
  const Symmetry symmetry = options.symmetry;
  const Interval full{histogram.min(), histogram.max()};
  PITH_ASSIGN(const GridChoice widest, grid_for_range(full.low, full.high, symmetry));
  PITH_RETURN_IF_ERROR(append(RangeMethod::min_max, 0, full, symmetry, out));
  out.note = describe(histogram, widest.note);
  if (out.note != RangeNote::regular) return out;
  for (const double p : options.percents)
    PITH_RETURN_IF_ERROR(
        append(RangeMethod::percentile, p, percentile_range(histogram, p, symmetry), symmetry, out));
  if (options.kl)
    PITH_RETURN_IF_ERROR(append(RangeMethod::kl, 0, kl_range(histogram, symmetry), symmetry, out));
  if (options.mse) {
    const Interval best = least_mse_range(weighted_points(histogram, sample), full, symmetry);
    PITH_RETURN_IF_ERROR(append(RangeMethod::mse, 0, best, symmetry, out));
  }
  if (options.sole)
    std::erase_if(out.ranges, [&](const RangeCandidate& c) { return c.method != *options.sole; });
  if (out.ranges.empty())
    return Status(Code::bad_argument,
                  std::string("ranges by ") + name_of(*options.sole) + " alone: it is switched off");
  return out;
}

}  // namespace pith::quantize
