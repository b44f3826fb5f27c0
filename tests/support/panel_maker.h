// Random packed weights for kernel tests, with their float values.
#pragma once
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "kernels/gemm/panel_pack.h"
#include "tests/support/guarded_bytes.h"

namespace pith::test {

enum class Fill { random, extreme };  // extreme: codes, scales and zero points at their ends

struct PanelWeightsMaker {
  PanelMatrix matrix;
  std::vector<int8_t> codes, codebook, small_scales;
  std::vector<uint8_t> zeros;
  std::vector<f16> half_scales, halves;
  std::vector<float> channel_scale, bias;
  std::unique_ptr<GuardedBytes> bytes;  // a guard page follows the last byte

  PanelWeightsMaker(const PanelMatrix& m, std::mt19937& rng, Fill fill) : matrix(m) {
    const auto n = static_cast<size_t>(m.n), k = static_cast<size_t>(m.k);
    const size_t groups = m.group == 0 ? 0 : (k + m.group - 1) / m.group;
    auto pick = [&](int lo, int hi) {
      if (fill == Fill::extreme) return rng() % 2 == 0 ? lo : hi;
      return lo + static_cast<int>(rng() % static_cast<unsigned>(hi - lo + 1));
    };
    auto real = [&](float scale) { return scale * (static_cast<float>(rng() % 2001) - 1000.0f) / 1000.0f; };
    const bool eight = m.layout == Layout::i8c;
    for (size_t i = 0; i < n * k; ++i)
      codes.push_back(static_cast<int8_t>(eight ? pick(-127, 127) : pick(0, 15)));
    for (size_t i = 0; i < n * groups; ++i) {
      small_scales.push_back(static_cast<int8_t>(pick(-127, 127)));
      half_scales.push_back(to_f16(real(0.1f)));
      zeros.push_back(static_cast<uint8_t>(pick(0, 15)));
    }
    for (size_t i = 0; i < 16; ++i) codebook.push_back(static_cast<int8_t>(pick(-127, 127)));
    for (size_t i = 0; i < n; ++i) {
      channel_scale.push_back(0.001f + std::abs(real(0.01f)));
      bias.push_back(real(2.0f));
    }
    if (m.layout == Layout::f16_panel)
      for (size_t i = 0; i < n * k; ++i) halves.push_back(to_f16(real(1.0f)));
    bytes = std::make_unique<GuardedBytes>(static_cast<size_t>(panel_matrix_bytes(m)));
    kernels::pack_panels(m, source(), bytes->data());
  }

  kernels::PanelSource source() const {
    kernels::PanelSource s;
    const bool half = has_half_scales(matrix.layout);
    s.codes = codes.data();
    s.group_scales = half ? static_cast<const void*>(half_scales.data()) : small_scales.data();
    s.zeros = zeros.data();
    s.channel_scale = channel_scale.data();
    s.halves = halves.data();
    s.bias = bias.data();
    return s;
  }
};

}  // namespace pith::test
