// Mean, blocks, codes.
#include "converter/quantize/double_quant.h"

#include <algorithm>
#include <cmath>

namespace pith::quantize {

DoubleQuantized double_quantize(std::span<const double> scales) {
  DoubleQuantized d;
  if (scales.empty()) return d;
  double sum = 0;
  for (const double s : scales) sum += s;
  d.mean = static_cast<float>(sum / static_cast<double>(scales.size()));
  for (size_t first = 0; first < scales.size(); first += kDoubleBlock) {
    const auto block = scales.subspan(first, std::min(kDoubleBlock, scales.size() - first));
    double most = 0;
    for (const double s : block) most = std::max(most, std::fabs(s - double{d.mean}));
    const auto step = static_cast<float>(most / 127);
    d.block_scales.push_back(step);
    for (const double s : block) {
      const double code = step == 0 ? 0 : std::nearbyint((s - double{d.mean}) / double{step});
      d.codes.push_back(static_cast<int8_t>(std::clamp(code, -127.0, 127.0)));
    }
  }
  return d;
}

std::vector<double> decoded(const DoubleQuantized& d) {
  std::vector<double> scales(d.codes.size());
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] = double{d.mean} + double{d.block_scales[i / kDoubleBlock]} * static_cast<double>(d.codes[i]);
  return scales;
}

double double_quantized_bits(size_t weights, size_t group) {
  if (weights == 0 || group == 0) return 0;
  const size_t scales = (weights + group - 1) / group, blocks = (scales + kDoubleBlock - 1) / kDoubleBlock;
  const double extra =
      8.0 * static_cast<double>(scales) + 32.0 * static_cast<double>(blocks + 1);  // and the mean
  return 4 + extra / static_cast<double>(weights);
}

}  // namespace pith::quantize
