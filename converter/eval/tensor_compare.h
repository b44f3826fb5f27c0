// Judges a computed tensor against its reference: same type, same shape, values within a criterion.
#pragma once
#include <string>

#include "converter/data/host_tensor.h"
#include "runtime/ops/op.h"

namespace pith {

enum class Criterion {
  element_wise,  // |a - e| <= kAbsolute + kRelative * |e| for every element: the rule of the ONNX backend
                 // tests
  range,         // max |a - e| <= kRangeShare * (max e - min e) + kReferenceStep: real float models
  direction,     // cosine >= kCosine and the same largest element per row: half and quantized models
};
inline constexpr double kRelative = 1e-3, kAbsolute = 1e-7;
inline constexpr double kRangeShare = 1e-4;
// The references come from ONNX Runtime, whose logistic function is 0.5 + p/q in f32: its small values are multiples
// of 2^-24 and off by a few of them.
inline constexpr double kReferenceStep = 0x1p-22;
inline constexpr double kCosine = 0.999;

const char* name_of(Criterion criterion);

struct Comparison {
  bool agrees = false;
  double max_error = 0;  // largest |a - e| of finite elements
  std::string reason;    // why not: what differs, where, expected, found
};

// Integers and booleans must be equal under element_wise and range. NaN agrees with NaN, an infinity with
// itself.
Comparison compare_tensors(const data::HostTensor& expected, const TensorView& actual, Criterion criterion);

}  // namespace pith
