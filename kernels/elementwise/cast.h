// Cast: y[i] = x[i] as another element type, all pairs of types.
//   float -> integer  truncates; NaN gives 0; out of range: saturate clamps to the type, otherwise 64-bit
//   wrap integer -> integer  wraps, or clamps with saturate;  -> bool  x != 0;  -> f16, bf16, f32  nearest
//   even
#pragma once
#include "kernels/elementwise/block.h"

namespace pith::kernels {

struct CastArgs {
  Lane x, y;  // must not overlap unless of the same element size
  bool saturate;
};

// Elements [begin, end); begin even for 4-bit types.
void cast_ref(const CastArgs& a, Range elements);

}  // namespace pith::kernels
