// The definition of a product with packed weights: plain loops over the packed bytes; and the choice of kernels.
#include <cstring>

#include "kernels/base/float16.h"
#include "kernels/gemm/panel_gemm.h"

namespace pith::kernels {
namespace {

template <class T>
T read(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// One output channel: c of a panel.
struct Channel {
  const PanelGemmArgs& a;
  const PanelShape& s;
  const uint8_t* panel;
  size_t c;

  template <class T>
  T tail(size_t array) const {
    return read<T>(panel + s.tail + 4 * (array * s.width + c));
  }
  int code4(size_t k) const {
    const uint8_t pair = panel[k / 8 * 4 * s.width + 4 * c + k % 4];
    return k % 8 >= 4 ? pair >> 4 : pair & 15;
  }
  float float_scale(size_t g) const {
    const uint8_t* scales = panel + s.scales + g * s.scale_row;
    if (has_half_scales(a.w.layout)) return to_float(f16{read<uint16_t>(scales + 2 * c)});
    return static_cast<float>(static_cast<int8_t>(scales[c]));
  }
  int zero(size_t g) const {
    if (a.w.layout != Layout::i4a) return 8;
    const size_t half = s.width / 2;
    const uint8_t pair = panel[s.zeros + g * s.zero_row + c % half];
    return c >= half ? pair >> 4 : pair & 15;
  }
  int weight4(size_t k, int z) const {
    return uses_table(a.w.layout) ? a.w.codebook[code4(k)] : code4(k) - z;
  }
  int8_t activation(size_t row, size_t k) const {
    return a.x.codes[(k / kRowGroup * a.x.m + row) * kRowGroup + k % kRowGroup];
  }
};

float dot_i8c(const Channel& ch, size_t row) {
  const RowGrid grid = ch.a.x.grids[row];
  uint32_t sum = 0;  // unsigned: wrapping is defined
  for (size_t k = 0; k < ch.a.w.k; ++k) {
    const auto w = static_cast<int8_t>(ch.panel[k / 4 * 4 * ch.s.width + 4 * ch.c + k % 4]);
    sum += static_cast<uint32_t>((ch.activation(row, k) - grid.zero) * w);
  }
  return static_cast<float>(static_cast<int32_t>(sum)) * (grid.scale * ch.tail<float>(1)) + ch.tail<float>(2);
}

float dot_integer_scales(const Channel& ch, size_t row) {
  const size_t k_end = ch.a.w.k, group = ch.a.w.group_blocks * kRowGroup;
  float f = 0;
  for (size_t begin = 0; begin < k_end; begin += kRowBlock) {
    int32_t acc = 0;
    for (size_t k = begin; k < begin + kRowBlock && k < k_end; ++k) {
      const size_t g = k / group;
      const auto scale = static_cast<int8_t>(ch.panel[ch.s.scales + g * ch.s.scale_row + ch.c]);
      acc += scale * (ch.weight4(k, ch.zero(g)) * ch.activation(row, k));
    }
    f = f + ch.a.x.scales[begin / kRowBlock * ch.a.x.m + row] * static_cast<float>(acc);
  }
  return f * ch.tail<float>(0) + ch.tail<float>(1);
}

float dot_float_scales(const Channel& ch, size_t row) {
  const size_t k_end = ch.a.w.k, group = ch.a.w.group_blocks * kRowGroup;
  float f = 0;
  for (size_t begin = 0; begin < k_end; begin += group) {
    int32_t acc = 0;
    for (size_t k = begin; k < begin + group && k < k_end; ++k)
      acc += ch.weight4(k, 8) * ch.activation(row, k);
    const size_t g = begin / group;
    f = f + static_cast<float>(acc) * (ch.float_scale(g) * ch.a.x.scales[begin / kRowBlock * ch.a.x.m + row]);
  }
  if (has_small_scales(ch.a.w.layout)) return f * ch.tail<float>(0) + ch.tail<float>(1);
  return f + ch.tail<float>(0);
}

PanelShape shape_of(const PanelMatrix& m, size_t width) {
  const PanelPlanes p = panel_planes(m, width);
  const auto size = [](uint64_t v) { return static_cast<size_t>(v); };
  return {width,        size(p.bytes),     size(p.scales),  size(p.zeros),
          size(p.tail), size(p.scale_row), size(p.zero_row)};
}

constexpr PanelGemmKernel kAll[] = {
#define KERNEL(fn, layout, needs, form) {#fn, Layout::layout, needs, RowForm::form, fn},
#include "kernels/gemm/panel_gemm_list.inc"
#undef KERNEL
};

}  // namespace

PanelWeights panel_weights(const PanelMatrix& m, const void* bytes, const int8_t* codebook) {
  PanelWeights w;
  w.bytes = static_cast<const uint8_t*>(bytes);
  w.codebook = codebook;
  w.layout = m.layout;
  w.n = static_cast<size_t>(m.n);
  w.k = static_cast<size_t>(m.k);
  w.panels = static_cast<size_t>(panel_count(m.n));
  w.code_rows = static_cast<size_t>(panel_planes(m, kPanelWidth).code_rows);
  if (m.group != 0) w.group_blocks = m.group / kRowGroup;
  w.full = shape_of(m, kPanelWidth);
  w.last = shape_of(m, static_cast<size_t>(panel_width(m.n, w.panels - 1)));
  return w;
}

void panel_gemm_ref(const PanelGemmArgs& a, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    const uint8_t* panel = a.w.bytes + p * a.w.full.bytes;
    for (size_t row = rows.begin; row < rows.end; ++row)
      for (size_t c = 0; c < shape.width && p * kPanelWidth + c < a.w.n; ++c) {
        const Channel channel{a, shape, panel, c};
        float v = 0;
        if (a.w.layout == Layout::i8c)
          v = dot_i8c(channel, row);
        else if (a.w.layout == Layout::i4s8 || a.w.layout == Layout::i4a)
          v = dot_integer_scales(channel, row);
        else
          v = dot_float_scales(channel, row);
        v = v < a.clamp_min ? a.clamp_min : v;
        a.y[row * a.w.n + p * kPanelWidth + c] = v > a.clamp_max ? a.clamp_max : v;
      }
  }
}

const PanelGemmKernel* select_panel_gemm(Layout layout, Cpu cpu) {
  for (const PanelGemmKernel& k : kAll)
    if (k.layout == layout && cpu.has(k.needs)) return &k;
  return nullptr;
}

PanelGemmKernels panel_gemm_kernels() { return {kAll, sizeof kAll / sizeof kAll[0]}; }

}  // namespace pith::kernels
