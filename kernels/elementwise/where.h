// Where: y[i] = cond[i'] != 0 ? p[i''] : q[i'''] with numpy broadcasting, elements of 1, 2, 4 or 8 bytes.
// y must not overlap an operand unless both have the same shape and element size.
#pragma once
#include "kernels/base/types.h"
#include "kernels/elementwise/broadcast.h"

namespace pith::kernels {

struct WhereArgs {
  const uint8_t* cond;  // operand 0 of shape
  const void *p, *q;    // operands 1 and 2
  void* y;
  size_t element_bytes;
  Broadcast shape;
};

// Elements [begin, end) of y.
void where_ref(const WhereArgs& a, Range elements);

}  // namespace pith::kernels
