// The constants of a model file read back: values as the kernels understand them, codes as they are stored, bits.
//   PITH_ASSIGN(StoredWeights w, read_stored_weights(tensor));
//   w.values[c * w.inner + i], w.codes[c * w.inner + i] of channel c
// Works for every layout and element type a weight can have; padding of packed layouts is left out.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/ops/op.h"

namespace pith::inspect {

struct StoredWeights {
  size_t channels = 0, inner = 0;   // axis 0, and the product of the others
  std::vector<float> values;        // [channels, inner]
  std::vector<int32_t> codes;       // the same, empty for floats
  int code_low = 0, code_high = 0;  // that the form has: -127..127, 0..15
  std::vector<float> scales;        // all of them as multiples of one code; empty for floats
  std::string form;                 // "f32", "i8 per channel", "i4s8 g32"
  uint64_t bytes = 0;               // with scales
  double bits_per_weight() const;
};

// A constant of rank 1 or more whose elements are numbers; else unsupported.
bool has_stored_weights(const TensorView& t);
Result<StoredWeights> read_stored_weights(const TensorView& t);

struct CodeBin {
  double low = 0, high = 0;  // codes, or values of floats: first and last, ends included
  uint64_t count = 0;
};
struct CodeSpread {
  std::vector<CodeBin> bins;
  size_t used = 0;        // different codes that occur
  double end_share = 0;   // on the lowest or highest code
  double zero_share = 0;  // of values that are exactly 0
  double entropy = 0;     // bits a code would need at best; 0 for floats
};
// At most `bins`, of equal width but for the last.
CodeSpread spread_of(const StoredWeights& weights, size_t bins);

}  // namespace pith::inspect
