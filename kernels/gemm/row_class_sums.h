// What a group of 32 codes leaves in RowCodes::sums, from the sums c[j] of its codes with k % 4 == j; for *_ref.cc and ISA
// files, each of which keeps a copy of its own.
#pragma once
#include "kernels/gemm/row_codes.h"

namespace pith::kernels {
namespace {

inline int32_t halves(int32_t low, int32_t high) {
  return static_cast<int32_t>((static_cast<uint32_t>(low) & 0xffffu) | static_cast<uint32_t>(high) << 16);
}

inline void write_class_sums(RowForm form, const int32_t (&c)[4], int32_t* sums) {
  const int32_t all = c[0] + c[1] + c[2] + c[3];
  switch (form) {
    case RowForm::minus8_sum:
      sums[1] = all & 0xffff;
      [[fallthrough]];
    case RowForm::minus8:
      sums[0] = -8 * all;
      break;
    case RowForm::pairs_sum:
      sums[1] = all & 0xffff;
      [[fallthrough]];
    case RowForm::minus8_pairs:
      sums[0] = halves(-8 * (c[0] + c[1]), -8 * (c[2] + c[3]));
      break;
    case RowForm::minus8_classes:
      sums[0] = halves(-8 * c[0], -8 * c[1]);
      sums[1] = halves(-8 * c[2], -8 * c[3]);
      break;
    case RowForm::minus128:
      sums[0] = -128 * all;
      break;
    case RowForm::grid:
    case RowForm::grid_u8:
      break;
  }
}

}  // namespace
}  // namespace pith::kernels
