// Reductions over any set of axes of a dense tensor.
//   sum x | mean | max | min | prod | l1 = sum |x| | l2 = sqrt sum x^2 | log_sum = log sum x
//   log_sum_exp = log sum exp x | sum_square = sum x^2
// Floats accumulate in double in an order that depends on the shape alone; integers in 64 bits, wrapping, and
// mean, l2 and the logarithms truncate. Over nothing: sum 0, prod 1, max lowest, min highest. NaN in, NaN out
// (also max and min).
#pragma once
#include <cstdint>
#include <span>

#include "kernels/elementwise/block.h"

namespace pith::kernels {

enum class ReduceKind : uint8_t { sum, mean, max, min, prod, l1, l2, log_sum, log_sum_exp, sum_square };

inline constexpr int kReduceRank = 8;

// Axes merged into alternating kept and reduced groups. The innermost group is contiguous.
struct ReduceShape {
  struct Walk {  // dims from outer to inner with their strides in x
    int rank = 0;
    size_t dims[kReduceRank], stride[kReduceRank];
  };
  Walk kept, reduced;                        // without the innermost group
  bool inner_kept = false;                   // what the innermost group is
  size_t inner = 1;                          // its size
  size_t kept_count = 1, reduced_count = 1;  // products of the walks
};
// dims: of x, none 0 except in a reduced axis; bit d of mask: axis d is reduced.
ReduceShape make_reduce_shape(std::span<const int64_t> dims, uint32_t mask);

struct ReduceArgs {
  ReduceKind kind;
  Lane x, y;
  ReduceShape shape;
};

// Results are computed in pieces: one result each, or, when the innermost group is kept, up to kBlock
// neighbours.
size_t pieces_of(const ReduceShape& s);
void reduce_ref(const ReduceArgs& a, Range pieces);
// Results [first, first + n) of codes from their exact sums (largest, smallest): real values, rounded to y's grid.
void store_code_results(const ReduceArgs& a, const int64_t* folded, size_t n, size_t first);

}  // namespace pith::kernels
