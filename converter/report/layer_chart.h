// The layers of a compressed model: precision, bytes, error and time of each, before and after.
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::report {

// One row a layer, in the order they run. Bars are relative to the largest layer.
std::string layer_chart(const compress::CompressReport& report);

// Two bars, source and result, cut into the layers in order and all else.
std::string size_bars(const compress::CompressReport& report);

// A coloured word, "int4 g32".
std::string precision_chip(const compress::LayerFormat& format);

// Every layer in every precision, alone: what the choice was made from. "" when nothing was measured.
std::string measurement_table(const compress::CompressReport& report);

}  // namespace pith::report
