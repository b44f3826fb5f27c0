// Activations of a product as 8-bit codes, in the order that kernels for packed weights read. Private to the runtime:
// never stored in a file. x[M, K] row-major in, all of this out:
//
//   codes   [ceil(K/32)][M][32]   s8; behind K: code 0
//   sums    [ceil(K/32)][M][words of the form]
//   scales  [ceil(K/128)][M]      blocks: symmetric, x = scale * code, scale = max |x| / 127, code in [-127, 127]
//   grids   [M]                   grid: one asymmetric grid per row (kernels/gemm/fully_connected.h), code in [-128, 127]
//
// Layout i8c takes grids, the 4-bit layouts take blocks of 128. A block whose largest |x| is below 1e-30 counts as zero;
// one that holds NaN or infinity has scale NaN and codes 0. All variants give the same bytes.
#pragma once
#include "kernels/base/kernel_list.h"
#include "kernels/base/types.h"
#include "kernels/gemm/fully_connected.h"

namespace pith::kernels {

inline constexpr size_t kRowGroup = 32;   // K per entry of codes and sums
inline constexpr size_t kRowBlock = 128;  // K per scale

// Shared with ISA files, hence always inlined: a copy built with wide instructions must not serve other files.

// What stands beside the codes. a: the 32 codes of one row in one group.
enum class RowForm : uint8_t {
  grid,          // nothing
  grid_u8,       // nothing; codes are stored + 128, as u8
  minus8,        // i32 -8 sum(a)
  minus8_pairs,  // i16 -8 sum(a[k], k % 4 in {0, 1}), i16 -8 sum(the others): what vpmaddubsw lanes start from
  minus8_classes,  // 4 x i16 -8 sum(a[k], k % 4 == j): lanes of ARM multiplies
  minus8_sum,      // i32 -8 sum(a), i32 sum(a) & 0xffff
  pairs_sum,       // minus8_pairs, i32 sum(a) & 0xffff
  minus128,        // i32 -128 sum(a)
};
[[gnu::always_inline]] constexpr bool is_grid(RowForm f) {
  return f == RowForm::grid || f == RowForm::grid_u8;
}
[[gnu::always_inline]] constexpr size_t sum_words(RowForm f) {
  if (is_grid(f)) return 0;
  return f == RowForm::minus8_classes || f == RowForm::minus8_sum || f == RowForm::pairs_sum ? 2 : 1;
}

struct RowCodes {
  RowForm form = RowForm::grid;
  size_t m = 0, k = 0;
  int8_t* codes = nullptr;  // 64-byte aligned
  int32_t* sums = nullptr;
  float* scales = nullptr;
  RowGrid* grids = nullptr;

  [[gnu::always_inline]] size_t groups() const { return (k + kRowGroup - 1) / kRowGroup; }
  [[gnu::always_inline]] size_t blocks() const { return (k + kRowBlock - 1) / kRowBlock; }
};
// Bytes for the arrays of m rows of k, and the arrays laid out in such memory (64-byte aligned).
size_t row_codes_bytes(RowForm form, size_t m, size_t k);
RowCodes place_row_codes(RowForm form, size_t m, size_t k, void* memory);

using RowQuantizeFn = void (*)(const float* x, const RowCodes& to, Range rows);

// Rows that share one grid (the patches of a picture) are quantized before they become rows:
//   RowRange r = range(x, n);  g = one_grid(form, r);     over the whole picture
//   on_grids(x, {grid, 1, n, codes, .., &g}, {0, 1})      its codes, contiguous
//   adopt(rows of codes, to, rows);  set_grid(to, rows, g)
struct RowRange {
  float lo, hi;  // lo <= 0 <= hi
  bool finite;
};
using RowRangeFn = RowRange (*)(const float* x, size_t n);
// Codes alone, on grids that are set. Writes whole groups of 32.
using RowsOnGridsFn = RowQuantizeFn;
// Signed codes, row after row `pitch` apart, those of rows.begin first: their places in `to`, and the sums. pitch: K or more in
// multiples of 32; behind K: zeros.
using RowAdoptFn = void (*)(const int8_t* codes, size_t pitch, const RowCodes& to, Range rows);

struct RowQuantizer {
  const char* name;
  uint32_t needs;  // Cpu bits
  RowQuantizeFn fn;
  RowRangeFn range;
  RowsOnGridsFn on_grids;
  RowAdoptFn adopt;
};
#define KERNEL(isa, needs)                                                       \
  void quantize_row_codes_##isa(const float* x, const RowCodes& to, Range rows); \
  RowRange row_range_##isa(const float* x, size_t n);                            \
  void row_codes_on_grids_##isa(const float* x, const RowCodes& to, Range rows); \
  void adopt_row_codes_##isa(const int8_t* codes, size_t pitch, const RowCodes& to, Range rows);
#include "kernels/gemm/row_codes_list.inc"
#undef KERNEL
// The grid that all rows of the form share: asymmetric for grid forms, else with zero 0 and codes in [-127, 127].
RowGrid one_grid(RowForm form, const RowRange& range);
void set_grid(const RowCodes& to, Range rows, const RowGrid& grid);
using RowQuantizers = KernelList<RowQuantizer>;
RowQuantizers row_quantizers();
// The best one the processor can run; it serves every form.
const RowQuantizer& select_row_quantizer(Cpu cpu);

}  // namespace pith::kernels
