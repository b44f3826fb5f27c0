// Row codes in plain loops, and the memory they live in.
#include <cmath>

#include "kernels/base/requant.h"
#include "kernels/gemm/row_class_sums.h"

namespace pith::kernels {
namespace {

constexpr size_t align(size_t n) { return (n + 63) / 64 * 64; }

struct Parts {
  size_t sums, scales, grids, bytes;
};
Parts parts_of(RowForm form, size_t m, size_t k) {
  const RowCodes shape{form, m, k};
  Parts p{};
  p.sums = align(shape.groups() * m * kRowGroup);
  p.scales = p.sums + align(shape.groups() * m * sum_words(form) * sizeof(int32_t));
  p.grids = p.scales + (is_grid(form) ? 0 : align(shape.blocks() * m * sizeof(float)));
  p.bytes = p.grids + (is_grid(form) ? align(m * sizeof(RowGrid)) : 0);
  return p;
}

void write_sums(RowForm form, const int8_t* codes, int32_t* sums) {
  int32_t c[4] = {};
  for (size_t i = 0; i < kRowGroup; ++i) c[i % 4] += codes[i];
  write_class_sums(form, c, sums);
}

void codes_on_grid(const float* x, const RowCodes& to, size_t row) {
  const RowGrid grid = to.grids[row];
  const int flip = to.form == RowForm::grid_u8 ? 128 : 0;
  for (size_t g = 0; g < to.groups(); ++g) {
    int8_t* codes = to.codes + (g * to.m + row) * kRowGroup;
    for (size_t i = 0; i < kRowGroup; ++i) {
      const size_t k = g * kRowGroup + i;
      const int32_t q = k < to.k ? row_code_ref(x[k], grid) : 0;
      codes[i] = static_cast<int8_t>(static_cast<uint8_t>(q + flip));
    }
  }
}

void quantize_blocks(const float* x, const RowCodes& to, size_t row) {
  for (size_t b = 0; b < to.blocks(); ++b) {
    const size_t begin = b * kRowBlock, end = begin + kRowBlock < to.k ? begin + kRowBlock : to.k;
    float top = 0, poison = 0;
    for (size_t k = begin; k < end; ++k) {
      const float a = std::fabs(x[k]);
      top = a > top ? a : top;
      poison += x[k] * 0.0f;  // becomes NaN when an element is not finite
    }
    const bool finite = poison == 0.0f, zero = !finite || top < 1e-30f;
    const float inverse = zero ? 0.0f : 127.0f / top;
    float& scale = to.scales[b * to.m + row];
    scale = zero ? 0.0f : top / 127.0f;
    if (!finite) scale = NAN;
    for (size_t g = begin / kRowGroup; g * kRowGroup < end; ++g) {
      int8_t* codes = to.codes + (g * to.m + row) * kRowGroup;
      for (size_t i = 0; i < kRowGroup; ++i) {
        const size_t k = g * kRowGroup + i;
        codes[i] =
            zero || k >= to.k ? int8_t{0} : static_cast<int8_t>(round_to_code(x[k] * inverse, 0, -127, 127));
      }
      write_sums(to.form, codes, to.sums + (g * to.m + row) * sum_words(to.form));
    }
  }
}

}  // namespace

size_t row_codes_bytes(RowForm form, size_t m, size_t k) { return parts_of(form, m, k).bytes; }

RowCodes place_row_codes(RowForm form, size_t m, size_t k, void* memory) {
  const Parts p = parts_of(form, m, k);
  auto* bytes = static_cast<uint8_t*>(memory);
  RowCodes r{form, m, k};
  r.codes = static_cast<int8_t*>(memory);
  if (is_grid(form)) {
    r.grids = static_cast<RowGrid*>(static_cast<void*>(bytes + p.grids));
    return r;
  }
  r.sums = static_cast<int32_t*>(static_cast<void*>(bytes + p.sums));
  r.scales = static_cast<float*>(static_cast<void*>(bytes + p.scales));
  return r;
}

void quantize_row_codes_ref(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    const float* from = x + row * to.k;
    if (!is_grid(to.form)) {
      quantize_blocks(from, to, row);
      continue;
    }
    to.grids[row] = row_grid_ref(from, to.k);
    codes_on_grid(from, to, row);
  }
}

RowRange row_range_ref(const float* x, size_t n) {
  RowRange r{0, 0, true};
  for (size_t i = 0; i < n; ++i) {
    r.lo = x[i] < r.lo ? x[i] : r.lo;
    r.hi = x[i] > r.hi ? x[i] : r.hi;
    r.finite = r.finite && std::isfinite(x[i]);
  }
  return r;
}

void row_codes_on_grids_ref(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) codes_on_grid(x + row * to.k, to, row);
}

void adopt_row_codes_ref(const int8_t* codes, size_t pitch, const RowCodes& to, Range rows) {
  const int flip = to.form == RowForm::grid_u8 ? 128 : 0;
  for (size_t row = rows.begin; row < rows.end; ++row, codes += pitch)
    for (size_t g = 0; g < to.groups(); ++g) {
      int8_t* group = to.codes + (g * to.m + row) * kRowGroup;
      for (size_t i = 0; i < kRowGroup; ++i)
        group[i] = static_cast<int8_t>(static_cast<uint8_t>(codes[g * kRowGroup + i] + flip));
      if (!is_grid(to.form)) write_sums(to.form, group, to.sums + (g * to.m + row) * sum_words(to.form));
    }
}

RowGrid one_grid(RowForm form, const RowRange& r) {
  if (is_grid(form)) return row_grid_from(r.lo, r.hi, r.finite);
  const float most = -r.lo > r.hi ? -r.lo : r.hi;
  return {!r.finite ? NAN : most < 1e-30f ? 1.0f : most / 127.0f, 0};
}

void set_grid(const RowCodes& to, Range rows, const RowGrid& grid) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    if (is_grid(to.form)) to.grids[row] = grid;
    for (size_t b = 0; !is_grid(to.form) && b < to.blocks(); ++b) to.scales[b * to.m + row] = grid.scale;
  }
}

RowQuantizers row_quantizers() {
#define KERNEL(isa, needs) \
  {#isa, needs, quantize_row_codes_##isa, row_range_##isa, row_codes_on_grids_##isa, adopt_row_codes_##isa},
  static constexpr RowQuantizer kAll[] = {
#include "kernels/gemm/row_codes_list.inc"
  };
#undef KERNEL
  return {kAll, sizeof kAll / sizeof kAll[0]};
}

const RowQuantizer& select_row_quantizer(Cpu cpu) { return best_of(row_quantizers(), cpu); }

}  // namespace pith::kernels
