// Weight matrices -> 4-bit codes with a scale per group of K: the numbers that packed layouts hold.
//   PITH_ASSIGN(GroupedWeights q, quantize_groups(w, n, k, {Layout::i4s8, 32}));  // w row-major [n, k]
//   {.layout = i4a, .group = 64, .method = GroupMethod::hqq}, {.layout = lut4, .importance = second_moments} ...
//
// The grid of a group is found by a method (group_grid.h), brought to the form the file stores, and the codes are chosen once
// more for what is stored (group_rows.h). Importance of a column: E[X^2] of the input that its weights multiply.
// SQNR on Gaussian weights, groups of 32 / 64 / 128: search 21.9 / 21.0 / 20.3 dB (tests/converter/weight_groups_test.cc).
#pragma once
#include <span>
#include <vector>

#include "converter/quantize/group_grid.h"
#include "converter/quantize/group_rows.h"
#include "kernels/base/types.h"
#include "kernels/gemm/panel_pack.h"
#include "runtime/base/status.h"
#include "runtime/threads/parallel.h"

namespace pith::quantize {

struct GroupOptions {
  Layout layout = Layout::i4s8;  // of 4 bits
  size_t group = 32;             // 32, 64 or 128
  GroupMethod method = GroupMethod::search;
  std::span<const double> importance = {};  // [k], >= 0 and finite; empty: all alike
  ThreadPool* pool = nullptr;               // the result does not depend on it
  const LevelTable* levels = &nf4_table();  // of layouts with a table
};

struct GroupedWeights : GroupRows {
  std::vector<int8_t> codebook;  // of layouts with a table
  double signal = 0,
         noise = 0;        // sums of squares of the weights and of their errors; importance plays no part
  double sqnr_db() const;  // infinity when exact
  kernels::PanelSource source() const;  // what pack_panels takes; points into this
};

// The layout a matrix [n, k] is stored in. For lut4 that may be lut4s8, where it takes fewer bytes: double quantization (QLoRA:
// scales that are quantized themselves; here to multiples of one float per output) pays from about six groups in K on.
Layout stored_layout(Layout wanted, uint64_t n, uint64_t k, size_t group);

// Refuses NaN and infinities (naming the place), importance that does not fit, and halves that cannot hold a scale.
Result<GroupedWeights> quantize_groups(std::span<const float> w, size_t n, size_t k,
                                       const GroupOptions& options);

// The importance that is used: columns that were never seen (0) count 1e-6 of the mean, so that their weights still get the
// nearest codes. All alike when `importance` is empty or all zero.
Result<std::vector<double>> usable_importance(std::span<const double> importance, size_t k);

// bad_file naming the first weight that is NaN or infinite.
Status check_finite_weights(std::span<const float> w, size_t k);

// Takes the rows as final: adds the codebook, signal and noise. unsupported when a half overflowed.
Result<GroupedWeights> finished_groups(GroupRows rows, std::span<const float> w, ThreadPool* pool);

}  // namespace pith::quantize
