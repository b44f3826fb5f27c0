// Entropy calibration: the clipping threshold whose quantized distribution stays closest to the real one.
// For a threshold at bin t:  P = h[0..t) with all mass beyond t added to its last bin;
//                            Q = the *unclipped* h[0..t) averaged over `levels` equal groups of bins;
//                            D(t) = sum over P > 0 of P ln(P / Q), both normalised.
// P carries the tail and Q does not: that difference is what punishes clipping. (Building Q from P as well
// gives D = 0 at t = levels, and the smallest range would always win.)
#include <algorithm>
#include <cmath>

#include "converter/quantize/range_candidates.h"

namespace pith::quantize {
namespace {

// Probability assumed where Q has none, so that a tail piled on an empty bin costs much but not infinitely.
constexpr double kFloor = 1e-4;
constexpr size_t kCandidates = 128;

// Q for the first t bins. Group g covers bins [g t / L, (g+1) t / L); a bin on an edge belongs to both groups
// in proportion. A group's mass is spread evenly over those of its bins that hold anything.
void average_groups(const std::vector<double>& h, size_t t, size_t levels, std::vector<double>& q) {
  std::fill(q.begin(), q.begin() + static_cast<std::ptrdiff_t>(t), 0.0);
  const double step = static_cast<double>(t) / static_cast<double>(levels);
  for (size_t g = 0; g < levels; ++g) {
    const double begin = static_cast<double>(g) * step;
    const double end = g + 1 == levels ? static_cast<double>(t) : static_cast<double>(g + 1) * step;
    const auto first = static_cast<size_t>(begin);
    const size_t last = std::min(t, static_cast<size_t>(std::ceil(end)));
    const auto overlap = [&](size_t i) {
      return std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
    };
    double mass = 0, present = 0;
    for (size_t i = first; i < last; ++i) {
      if (h[i] == 0) continue;
      mass += h[i] * overlap(i);
      present += overlap(i);
    }
    if (present <= 0) continue;
    for (size_t i = first; i < last; ++i)
      if (h[i] != 0) q[i] += overlap(i) * mass / present;
  }
}

double divergence(const std::vector<double>& h, double total, size_t t, size_t levels,
                  std::vector<double>& q) {
  average_groups(h, t, levels, q);
  double inside = 0;
  for (size_t i = 0; i < t; ++i) inside += h[i];
  if (inside <= 0) return INFINITY;
  double d = 0;
  for (size_t i = 0; i < t; ++i) {
    const double p = (i + 1 == t ? h[i] + (total - inside) : h[i]) / total;
    if (p > 0) d += p * std::log(p / (q[i] > 0 ? q[i] / inside : kFloor));
  }
  return d;
}

}  // namespace

double kl_threshold(const FoldedHistogram& folded, size_t levels) {
  const std::vector<double>& h = folded.mass;
  const double reach = static_cast<double>(h.size()) * folded.width;
  if (h.size() <= levels) return reach;  // fewer bins than steps: nothing to merge, nothing to judge
  double total = 0;
  for (const double m : h) total += m;
  if (total <= 0) return reach;
  const size_t stride = std::max<size_t>(1, (h.size() - levels) / kCandidates);
  std::vector<double> q(h.size());
  size_t best = h.size();
  double least = divergence(h, total, best, levels, q);
  for (size_t cut = stride; cut <= h.size() - levels; cut += stride) {  // widest first: it wins ties
    const double d = divergence(h, total, h.size() - cut, levels, q);
    if (d < least) {
      least = d;
      best = h.size() - cut;
    }
  }
  return best == h.size() ? reach : (static_cast<double>(best) + 0.5) * folded.width;
}

}  // namespace pith::quantize
