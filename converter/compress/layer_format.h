// The form of one layer's weights and arithmetic, and a choice of forms for a whole model.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "converter/compile/convert.h"
#include "converter/quantize/weight_groups.h"

namespace pith::compress {

struct LayerFormat {
  Precision precision = Precision::fp32;
  uint16_t group = 0;  // of 4 bits: weights per scale
  auto operator<=>(const LayerFormat&) const = default;
};

// "int8", "int4 g32".
std::string name_of(const LayerFormat& format);
// That name as options and files spell it: "int4 g32" -> "int4-g32", which parse_layer_format() reads.
std::string option_spelling(std::string name);
// "int8", "int4", "int4-g64", "nf4-g128"; groups default to 32 (int4, fp4) and 64 (nf4).
Result<LayerFormat> parse_layer_format(const std::string& text);

// Of packed weights (int8-dynamic and 4 bits); row_major for the others.
Layout layout_of(const LayerFormat& format);
quantize::GroupOptions group_options(const LayerFormat& format);  // of 4 bits

// Format of every layer by the node's name; layers that are missing stay fp32.
using PrecisionPlan = std::map<std::string, LayerFormat>;

}  // namespace pith::compress
