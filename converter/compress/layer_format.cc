// Names of layer formats.
#include "converter/compress/layer_format.h"

#include <algorithm>
#include <charconv>

namespace pith::compress {

std::string name_of(const LayerFormat& format) {
  std::string out = pith::name_of(format.precision);
  return format.group == 0 ? out : out + " g" + std::to_string(format.group);
}

std::string option_spelling(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

Layout layout_of(const LayerFormat& format) {
  switch (format.precision) {
    case Precision::int8_dynamic:
      return Layout::i8c;
    case Precision::int4:
      return Layout::i4s8;
    case Precision::nf4:
    case Precision::fp4:
      return Layout::lut4;
    case Precision::fp32:
    case Precision::fp16:
    case Precision::bf16:
    case Precision::int8:
      break;
  }
  return Layout::row_major;
}

quantize::GroupOptions group_options(const LayerFormat& format) {
  quantize::GroupOptions options;
  options.layout = layout_of(format);
  options.group = format.group;
  options.levels = &levels_of(format.precision);
  return options;
}

Result<LayerFormat> parse_layer_format(const std::string& text) {
  const size_t dash = text.rfind("-g");
  const bool has_group = dash != std::string::npos;
  LayerFormat format;
  PITH_ASSIGN(format.precision, parse_precision(text.substr(0, has_group ? dash : text.size())));
  format.group = static_cast<uint16_t>(default_group(format.precision));
  if (!has_group) return format;
  uint16_t group = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + dash + 2, end, group);
  if (error != std::errc() || at != end || !is_grouped(format.precision) ||
      (group != 32 && group != 64 && group != 128))
    return Status(Code::bad_argument,
                  "'" + text + "': a group is -g32, -g64 or -g128 behind int4, nf4 or fp4");
  format.group = group;
  return format;
}

}  // namespace pith::compress
