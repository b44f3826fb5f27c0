// Weight matrices -> 4-bit codes with a scale per group of K: the numbers that packed layouts hold.
//   PITH_ASSIGN(GroupedWeights q, quantize_groups(w, n, k, {Layout::i4s8, 32}));      // w row-major [n, k]
//
// The scale of a group is searched: 19 starting scales put its largest weight (with its sign) near code -8; for the codes each
// gives, s = sum(x q) / sum(q q) is the best scale, and the start whose error falls most wins. Scales are then brought to the form
// the file stores, and the codes are chosen once more for what is stored.
// SQNR on Gaussian weights, groups of 32 / 64 / 128: 21.9 / 21.0 / 20.3 dB (tests/converter/weight_groups_test.cc).
#pragma once
#include <span>
#include <vector>

#include "kernels/base/float16.h"
#include "kernels/base/types.h"
#include "kernels/gemm/panel_pack.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct GroupOptions {
  Layout layout = Layout::i4s8;  // i4s8, i4f16, i4a or lut4
  size_t group = 32;             // 32, 64 or 128
};

struct GroupedWeights {
  std::vector<int8_t> codes;            // [n, k], 0..15
  std::vector<int8_t> small_scales;     // [n, groups]: i4s8, i4a
  std::vector<f16> half_scales;         // [n, groups]: i4f16, lut4
  std::vector<uint8_t> zeros;           // [n, groups]: i4a
  std::vector<float> channel_scale;     // [n]: i4s8, i4a
  std::vector<int8_t> codebook;         // lut4
  double signal = 0, noise = 0;         // sums of squares of the weights and of their errors
  double sqnr_db() const;               // infinity when exact
  kernels::PanelSource source() const;  // what pack_panels takes; points into this
};

// Refuses NaN and infinities (naming the place), and halves that cannot hold a scale.
Result<GroupedWeights> quantize_groups(std::span<const float> w, size_t n, size_t k,
                                       const GroupOptions& options);

// The sixteen levels of NF4 in steps of 1/127.
std::span<const int8_t> nf4_codebook();

}  // namespace pith::quantize
