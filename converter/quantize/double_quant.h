// Double quantization of NF4 (QLoRA): the scales of groups are numbers too. Their mean is taken off, and blocks of 256 are held
// in 8 bits with one float each: 4 + 8/64 + 32/(64 * 256) = 4.127 bits a weight at groups of 64, against 4.25 with halves.
//   const DoubleQuantized d = double_quantize(scales);    decoded(d)[i] is close to scales[i]
// Deviation: a plain signed 8-bit grid instead of the published tree-shaped map, nearly as good and without a table.
//
// A .pith file has no layout with such scales: lut4 stores the decoded ones as halves, so the file stays at 4.25 bits. A layout
// of its own would take kernels on every ISA for 3 % of the bytes; i4s8 (8-bit scales under a float per channel) has that form
// for linear codes. What this gives is the accuracy that such a file would have, for comparison tables.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pith::quantize {

inline constexpr size_t kDoubleBlock = 256;  // scales

struct DoubleQuantized {
  std::vector<int8_t> codes;        // -127..127, one a scale
  std::vector<float> block_scales;  // one per kDoubleBlock
  float mean = 0;
};
DoubleQuantized double_quantize(std::span<const double> scales);
std::vector<double> decoded(const DoubleQuantized& d);

// Of 4-bit codes in groups with double quantized scales.
double double_quantized_bits(size_t weights, size_t group);

}  // namespace pith::quantize
