// Weights of i8 convolutions to layout I8C and back.
#include <algorithm>
#include <cstring>

#include "kernels/base/panel_layout.h"
#include "kernels/conv/conv_i8.h"

namespace pith::kernels {
namespace {

// Calls f(channel, panel offset, planes, width) for every output channel.
template <class F>
void each_channel(const ConvI8Weights& s, F&& f) {
  const PanelMatrix m{Layout::i8c, 0, s.outputs, s.rows * conv_i8_run(s.run)};
  const size_t full = static_cast<size_t>(panel_planes(m, kPanelWidth).bytes);
  for (size_t o = 0; o < s.outputs; ++o) {
    const size_t panel = o / kPanelWidth;
    const auto width = static_cast<size_t>(panel_width(s.outputs, panel));
    f(o, panel * full, panel_planes(m, width), width);
  }
}

}  // namespace

size_t conv_i8_bytes(const ConvI8Weights& s) {
  return static_cast<size_t>(panel_matrix_bytes({Layout::i8c, 0, s.outputs, s.rows * conv_i8_run(s.run)}));
}

void pack_conv_i8(const ConvI8Weights& s, const int8_t* w, const float* scales, void* packed) {
  std::memset(packed, 0, conv_i8_bytes(s));
  auto* bytes = static_cast<char*>(packed);
  const size_t padded = conv_i8_run(s.run);
  each_channel(s, [&](size_t o, size_t panel, const PanelPlanes& planes, size_t width) {
    int32_t sum = 0;
    const size_t c = o % kPanelWidth;
    for (size_t i = 0; i < s.rows * s.run; ++i) {
      const size_t k = i / s.run * padded + i % s.run;
      const int8_t value = *w++;
      bytes[panel + k / 4 * 4 * width + 4 * c + k % 4] = static_cast<char>(value);
      sum += value;
    }
    char* tail = bytes + panel + static_cast<size_t>(planes.tail);
    std::memcpy(tail + 4 * c, &sum, 4);
    std::memcpy(tail + 4 * (width + c), scales + o, 4);
  });
}

void unpack_conv_i8(const ConvI8Weights& s, const void* packed, int8_t* w, float* scales) {
  const auto* bytes = static_cast<const char*>(packed);
  const size_t padded = conv_i8_run(s.run);
  each_channel(s, [&](size_t o, size_t panel, const PanelPlanes& planes, size_t width) {
    const size_t c = o % kPanelWidth;
    for (size_t i = 0; w != nullptr && i < s.rows * s.run; ++i) {
      const size_t k = i / s.run * padded + i % s.run;
      *w++ = static_cast<int8_t>(bytes[panel + k / 4 * 4 * width + 4 * c + k % 4]);
    }
    if (scales != nullptr)
      std::memcpy(scales + o, bytes + panel + static_cast<size_t>(planes.tail) + 4 * (width + c), 4);
  });
}

void conv_i8_sums(const ConvI8Weights& s, const void* packed, int32_t* sums) {
  const auto* bytes = static_cast<const char*>(packed);
  each_channel(s, [&](size_t o, size_t panel, const PanelPlanes& planes, size_t) {
    std::memcpy(sums + o, bytes + panel + static_cast<size_t>(planes.tail) + 4 * (o % kPanelWidth), 4);
  });
}

}  // namespace pith::kernels
