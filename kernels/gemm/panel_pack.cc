// Packing and unpacking walk every (channel, k) once; place_of() and code_place() say where it is.
#include "kernels/gemm/panel_pack.h"

#include <cstring>

namespace pith::kernels {
namespace {

// Where the parts of channel n are.
struct Place {
  uint64_t panel = 0;  // byte offset
  uint64_t width = 0, c = 0;
  PanelPlanes planes;
};

Place place_of(const PanelMatrix& m, uint64_t n) {
  Place p;
  const uint64_t index = n / kPanelWidth;
  p.panel = index * panel_planes(m, kPanelWidth).bytes;
  p.width = panel_width(m.n, index);
  p.c = n % kPanelWidth;
  p.planes = panel_planes(m, p.width);
  return p;
}

// Byte of code k from the start of the panel, and whether it is the high nibble.
struct CodePlace {
  uint64_t byte;
  bool high;
};
CodePlace code_place(const PanelMatrix& m, const Place& p, uint64_t k) {
  const uint64_t row = m.layout == Layout::i8c ? k / 4 : k / 8;
  return {row * p.planes.code_row + 4 * p.c + k % 4, k % 8 >= 4};
}

uint64_t half_place(const Place& p, uint64_t k) { return k * p.planes.code_row + 2 * p.c; }

template <class T>
T read(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void write(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// Index of the tail's arrays of 4-byte words: ksum, scale, bias, as far as the layout has them.
constexpr bool has_channel_scale(Layout l) { return l == Layout::i8c || has_small_scales(l); }
constexpr uint64_t scale_index(Layout l) { return l == Layout::i8c ? 1 : 0; }
constexpr uint64_t bias_index(Layout l) { return scale_index(l) + (has_channel_scale(l) ? 1 : 0); }
constexpr uint64_t scale_bytes(Layout l) { return has_half_scales(l) ? 2 : 1; }

uint8_t* tail_word(const Place& p, uint8_t* panel, uint64_t index) {
  return panel + p.planes.tail + 4 * (index * p.width + p.c);
}
const uint8_t* tail_word(const Place& p, const uint8_t* panel, uint64_t index) {
  return panel + p.planes.tail + 4 * (index * p.width + p.c);
}

void pack_codes(const PanelMatrix& m, const Place& p, const int8_t* codes, uint8_t* panel) {
  int32_t sum = 0;
  for (uint64_t k = 0; k < m.k; ++k) {
    const CodePlace at = code_place(m, p, k);
    if (m.layout == Layout::i8c) {
      panel[at.byte] = static_cast<uint8_t>(codes[k]);
      sum += codes[k];
    } else {
      const auto u = static_cast<uint8_t>(codes[k] & 15);
      panel[at.byte] = static_cast<uint8_t>(panel[at.byte] | (at.high ? u << 4 : u));
    }
  }
  if (m.layout == Layout::i8c) write(tail_word(p, panel, 0), sum);
}

// Codes behind K: zero weights where the code of zero is fixed.
void pad_codes(const PanelMatrix& m, const Place& p, uint8_t* panel) {
  if (m.layout != Layout::i4s8 && m.layout != Layout::i4f16) return;
  for (uint64_t k = m.k; k < panel_round(m.k, 8); ++k) {
    const CodePlace at = code_place(m, p, k);
    panel[at.byte] = static_cast<uint8_t>(panel[at.byte] | (at.high ? 8 << 4 : 8));
  }
}

void pack_groups(const PanelMatrix& m, const Place& p, const PanelSource& from, uint64_t n, uint8_t* panel) {
  const uint64_t size = scale_bytes(m.layout), groups = p.planes.groups;
  const auto* scales = static_cast<const uint8_t*>(from.group_scales) + n * groups * size;
  for (uint64_t g = 0; g < groups; ++g) {
    std::memcpy(panel + p.planes.scales + g * p.planes.scale_row + p.c * size, scales + g * size, size);
    if (m.layout != Layout::i4a) continue;
    const uint64_t half = p.width / 2;
    uint8_t& zeros = panel[p.planes.zeros + g * p.planes.zero_row + p.c % half];
    const uint8_t z = from.zeros[n * groups + g] & 15;
    zeros = static_cast<uint8_t>(zeros | (p.c >= half ? z << 4 : z));
  }
}

uint8_t zero_at(const Place& p, const uint8_t* panel, uint64_t g) {
  const uint64_t half = p.width / 2;
  const uint8_t pair = panel[p.planes.zeros + g * p.planes.zero_row + p.c % half];
  return p.c >= half ? pair >> 4 : pair & 15;
}

int8_t code_at(const PanelMatrix& m, const Place& p, const uint8_t* panel, uint64_t k) {
  const CodePlace at = code_place(m, p, k);
  if (m.layout == Layout::i8c) return static_cast<int8_t>(panel[at.byte]);
  return static_cast<int8_t>(at.high ? panel[at.byte] >> 4 : panel[at.byte] & 15);
}

}  // namespace

void pack_panels(const PanelMatrix& m, const PanelSource& from, void* bytes) {
  auto* out = static_cast<uint8_t*>(bytes);
  std::memset(out, 0, static_cast<size_t>(panel_matrix_bytes(m)));
  for (uint64_t n = 0; n < m.n; ++n) {
    const Place p = place_of(m, n);
    uint8_t* panel = out + p.panel;
    if (m.layout == Layout::f16_panel)
      for (uint64_t k = 0; k < m.k; ++k) write(panel + half_place(p, k), from.halves[n * m.k + k].bits);
    else
      pack_codes(m, p, from.codes + n * m.k, panel);
    pad_codes(m, p, panel);
    if (m.group != 0) pack_groups(m, p, from, n, panel);
    if (has_channel_scale(m.layout)) write(tail_word(p, panel, scale_index(m.layout)), from.channel_scale[n]);
    if (from.bias != nullptr) write(tail_word(p, panel, bias_index(m.layout)), from.bias[n]);
  }
}

void unpack_panels(const PanelMatrix& m, const void* bytes, const PanelTarget& to) {
  for (uint64_t n = 0; n < m.n; ++n) {
    const Place p = place_of(m, n);
    const uint8_t* panel = static_cast<const uint8_t*>(bytes) + p.panel;
    const uint64_t groups = p.planes.groups, size = scale_bytes(m.layout);
    for (uint64_t k = 0; k < m.k && to.halves != nullptr; ++k)
      to.halves[n * m.k + k].bits = read<uint16_t>(panel + half_place(p, k));
    for (uint64_t k = 0; k < m.k && to.codes != nullptr; ++k) to.codes[n * m.k + k] = code_at(m, p, panel, k);
    for (uint64_t g = 0; g < groups && to.group_scales != nullptr; ++g)
      std::memcpy(static_cast<uint8_t*>(to.group_scales) + (n * groups + g) * size,
                  panel + p.planes.scales + g * p.planes.scale_row + p.c * size, size);
    for (uint64_t g = 0; g < groups && to.zeros != nullptr; ++g)
      to.zeros[n * groups + g] = zero_at(p, panel, g);
    if (to.channel_scale != nullptr)
      to.channel_scale[n] = read<float>(tail_word(p, panel, scale_index(m.layout)));
    if (to.bias != nullptr) to.bias[n] = read<float>(tail_word(p, panel, bias_index(m.layout)));
  }
}

void unpack_weights(const PanelMatrix& m, const void* bytes, const int8_t* codebook, float* w) {
  for (uint64_t n = 0; n < m.n; ++n) {
    const Place p = place_of(m, n);
    const uint8_t* panel = static_cast<const uint8_t*>(bytes) + p.panel;
    const float channel =
        has_channel_scale(m.layout) ? read<float>(tail_word(p, panel, scale_index(m.layout))) : 1.0f;
    for (uint64_t k = 0; k < m.k; ++k) {
      float& value = w[n * m.k + k];
      if (m.layout == Layout::f16_panel) {
        value = to_float(f16{read<uint16_t>(panel + half_place(p, k))});
        continue;
      }
      int code = code_at(m, p, panel, k);
      if (m.layout == Layout::i8c) {
        value = static_cast<float>(code) * channel;
        continue;
      }
      const uint64_t g = k / m.group;
      const uint8_t* scale = panel + p.planes.scales + g * p.planes.scale_row + p.c * scale_bytes(m.layout);
      if (uses_table(m.layout))
        code = codebook[code];
      else
        code -= m.layout == Layout::i4a ? zero_at(p, panel, g) : 8;
      const float group = scale_bytes(m.layout) == 2 ? to_float(f16{read<uint16_t>(scale)})
                                                     : static_cast<float>(static_cast<int8_t>(*scale));
      value = static_cast<float>(code) * group * channel;
    }
  }
}

}  // namespace pith::kernels
