// Every row of panel_gemm_list.inc and row_codes_list.inc against the reference, bit for bit, next to guard pages.
#include "kernels/gemm/panel_gemm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/panel_maker.h"

namespace pith {
namespace {

using namespace kernels;
using test::Fill;
using test::GuardedBytes;
using test::PanelWeightsMaker;

struct Format {
  Layout layout;
  uint16_t group;
};
constexpr Format kFormats[] = {
    {Layout::i8c, 0},   {Layout::i4s8, 32},   {Layout::i4s8, 64},   {Layout::i4s8, 128},  {Layout::i4a, 32},
    {Layout::i4a, 128}, {Layout::i4f16, 32},  {Layout::i4f16, 64},  {Layout::i4f16, 128}, {Layout::lut4, 32},
    {Layout::lut4, 64}, {Layout::lut4s8, 32}, {Layout::lut4s8, 64}, {Layout::lut4s8, 128}};

std::vector<float> activations(size_t count, std::mt19937& rng, Fill fill) {
  std::vector<float> x(count);
  for (float& v : x) {
    v = (static_cast<float>(rng() % 2001) - 1000.0f) / 250.0f;
    if (fill == Fill::extreme) v = v < 0 ? -4.0f : 4.0f;
  }
  return x;
}

struct Case {
  size_t m, n, k;
  Fill fill;
};

// y of one kernel for rows and panels in one piece, or in pieces of one.
std::vector<float> product(const PanelGemmKernel& kernel, const RowQuantizer& quantizer,
                           const PanelWeightsMaker& w, const std::vector<float>& x, size_t m, bool pieces) {
  const auto n = static_cast<size_t>(w.matrix.n), k = static_cast<size_t>(w.matrix.k);
  GuardedBytes memory(row_codes_bytes(kernel.form, m, k), 64), y(m * n * sizeof(float));
  std::memset(y.data(), 0xff, y.size());
  PanelGemmArgs a;
  a.w = panel_weights(w.matrix, w.bytes->data(), w.codebook.data());
  a.x = place_row_codes(kernel.form, m, k, memory.data());
  quantizer.fn(x.data(), a.x, {0, m});
  a.y = y.as<float>();
  a.clamp_min = -30.0f;
  a.clamp_max = std::numeric_limits<float>::infinity();
  if (!pieces) kernel.fn(a, {0, a.w.panels}, {0, m});
  for (size_t p = 0; p < a.w.panels && pieces; ++p)
    for (size_t r = 0; r < m; r += 3) kernel.fn(a, {p, p + 1}, {r, std::min(m, r + 3)});
  return {a.y, a.y + m * n};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

const PanelGemmKernel& reference(Layout layout) { return *select_panel_gemm(layout, Cpu{}); }

void check_all(const Format& format, const Case& c, std::mt19937& rng,
               const std::vector<float>* given = nullptr) {
  const PanelMatrix m{format.layout, format.group, c.n, c.k};
  const PanelWeightsMaker w(m, rng, c.fill);
  const std::vector<float> x = given != nullptr ? *given : activations(c.m * c.k, rng, c.fill);
  const Cpu cpu = detect_cpu();
  const RowQuantizer &plain = select_row_quantizer(Cpu{}), &fast = select_row_quantizer(cpu);
  const std::vector<float> expected = product(reference(format.layout), plain, w, x, c.m, false);
  const PanelGemmKernels all = panel_gemm_kernels();
  for (size_t i = 0; i < all.count; ++i) {
    const PanelGemmKernel& kernel = all.data[i];
    if (kernel.layout != format.layout || !cpu.has(kernel.needs)) continue;
    CAPTURE(kernel.name);
    CAPTURE(format.group);
    CAPTURE(c.m);
    CAPTURE(c.n);
    CAPTURE(c.k);
    CHECK(same_bits(product(kernel, fast, w, x, c.m, false), expected));
    CHECK(same_bits(product(kernel, plain, w, x, c.m, true), expected));
  }
}

template <class F>
void each_quantizer(Cpu cpu, F&& f) {
  const RowQuantizers all = row_quantizers();
  for (size_t i = 0; i < all.count; ++i) {
    if (!cpu.has(all.data[i].needs)) continue;
    CAPTURE(all.data[i].name);
    f(all.data[i]);
  }
}

}  // namespace

TEST_CASE("packed products: every kernel equals the reference bit for bit at all small row counts") {
  std::mt19937 rng(11);
  for (const Format& f : kFormats)
    for (size_t m = 1; m <= 17; ++m)
      check_all(f, {m, 1 + rng() % 70, 1 + rng() % 300, m % 3 == 0 ? Fill::extreme : Fill::random}, rng);
}

TEST_CASE("packed products: every kernel equals the reference around tile sizes") {
  std::mt19937 rng(12);
  for (const Format& f : kFormats)
    for (size_t m : {size_t{31}, size_t{32}, size_t{33}, size_t{63}, size_t{65}, size_t{120}, size_t{130}})
      check_all(f,
                {m, m % 2 == 0 ? size_t{33} : size_t{32}, m % 2 == 0 ? size_t{96} : size_t{65}, Fill::random},
                rng);
}

TEST_CASE("packed products: every tail of N and K is right, at the ends of all ranges too") {
  std::mt19937 rng(13);
  for (const Format& f : kFormats) {
    for (size_t n : {size_t{1}, size_t{7}, size_t{8}, size_t{9}, size_t{16}, size_t{17}, size_t{24},
                     size_t{25}, size_t{31}})
      check_all(f, {2, n, 40, Fill::extreme}, rng);
    for (size_t k : {size_t{1}, size_t{4}, size_t{5}, size_t{31}, size_t{33}, size_t{127}, size_t{128},
                     size_t{129}, size_t{1000}}) {
      check_all(f, {1, 35, k, Fill::extreme}, rng);
      check_all(f, {5, 35, k, Fill::extreme}, rng);
    }
  }
}

TEST_CASE("packed products: zeros, tiny, huge and non-finite rows behave as the reference does") {
  std::mt19937 rng(14);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const Format& f : kFormats)
    for (size_t m : {size_t{1}, size_t{6}}) {
      std::vector<float> x = activations(m * 260, rng, Fill::random);
      for (size_t i = 0; i < 128; ++i) x[i] = 0;
      x[130] = 1e37f;
      for (size_t r = 1; r < m; ++r) {
        const float odd[] = {1e-38f, kInf, NAN, 3e38f, -kInf};
        if (r == 1)
          std::fill_n(x.begin() + 260, 260, odd[0]);
        else
          x[r * 260 + 140] = odd[r - 1];
      }
      check_all(f, {m, 40, 260, Fill::random}, rng, &x);
    }
}

TEST_CASE("packed products: the reference is the product of quantized rows and unpacked weights") {
  std::mt19937 rng(15);
  for (const Format& f : kFormats) {
    const size_t m = 3, n = 37, k = 200;
    const PanelMatrix matrix{f.layout, f.group, n, k};
    const PanelWeightsMaker w(matrix, rng, Fill::random);
    const std::vector<float> x = activations(m * k, rng, Fill::random);
    const PanelGemmKernel& kernel = reference(f.layout);
    const std::vector<float> y = product(kernel, select_row_quantizer(Cpu{}), w, x, m, false);
    std::vector<float> weights(n * k);
    unpack_weights(matrix, w.bytes->data(), w.codebook.data(), weights.data());
    GuardedBytes memory(row_codes_bytes(kernel.form, m, k), 64);
    const RowCodes rows = place_row_codes(kernel.form, m, k, memory.data());
    select_row_quantizer(Cpu{}).fn(x.data(), rows, {0, m});
    for (size_t r = 0; r < m; ++r)
      for (size_t c = 0; c < n; ++c) {
        double sum = 0, size = 0;
        for (size_t i = 0; i < k; ++i) {
          const int code = rows.codes[(i / 32 * m + r) * 32 + i % 32];
          const double a = is_grid(kernel.form)
                               ? static_cast<double>(rows.grids[r].scale) * (code - rows.grids[r].zero)
                               : static_cast<double>(rows.scales[i / 128 * m + r]) * code;
          sum += a * static_cast<double>(weights[c * k + i]);
          size += std::abs(a * static_cast<double>(weights[c * k + i]));
          // The codes stand for x: off by half a step at most.
          const double step = is_grid(kernel.form) ? rows.grids[r].scale : rows.scales[i / 128 * m + r];
          CHECK(std::abs(a - static_cast<double>(x[r * k + i])) <= 0.5001 * step);
        }
        const double expected = std::max(sum + static_cast<double>(w.bias[c]), -30.0);
        // Two roundings per group or block (7 at most), those of the weights, of the epilogue.
        CHECK(std::abs(static_cast<double>(y[r * n + c]) - expected) <=
              0x1p-24 * (24 * size + 4 * std::abs(expected)));
      }
  }
}

TEST_CASE("packed int8 products equal row-major dynamic ones bit for bit") {
  std::mt19937 rng(18);
  const size_t m = 5, n = 45, k = 333;
  const PanelMatrix matrix{Layout::i8c, 0, n, k};
  const PanelWeightsMaker w(matrix, rng, Fill::random);
  const std::vector<float> x = activations(m * k, rng, Fill::random);
  std::vector<int8_t> codes(m * k);
  std::vector<RowGrid> grids(m);
  quantize_rows_ref(x.data(), k, codes.data(), grids.data(), {0, m});
  std::vector<float> y(m * n);
  const int32_t no_zero = 0;
  FullyConnectedDynamicArgs a{};
  a.m = m, a.n = n, a.k = k;
  a.codes = codes.data(), a.grids = grids.data();
  a.w = w.codes.data(), a.w_zero = &no_zero;
  a.w_scale = w.channel_scale.data(), a.w_scale_stride = 1;
  a.bias = w.bias.data(), a.y = y.data();
  a.clamp_min = -30.0f, a.clamp_max = std::numeric_limits<float>::infinity();
  fully_connected_dynamic_ref<int8_t>(a, {0, (n + kFullyConnectedColumns - 1) / kFullyConnectedColumns});
  const Cpu cpu = detect_cpu();
  CHECK(
      same_bits(product(*select_panel_gemm(Layout::i8c, cpu), select_row_quantizer(cpu), w, x, m, false), y));
}

TEST_CASE("row codes: every quantizer writes the same bytes") {
  std::mt19937 rng(16);
  const Cpu cpu = detect_cpu();
  for (int form = 0; form <= static_cast<int>(RowForm::minus128); ++form)
    for (size_t k : {size_t{1}, size_t{31}, size_t{32}, size_t{100}, size_t{128}, size_t{129}, size_t{300}}) {
      const size_t m = 3;
      const auto f = static_cast<RowForm>(form);
      GuardedBytes x(m * k * sizeof(float));
      for (size_t i = 0; i < m * k; ++i)
        x.as<float>()[i] = (static_cast<float>(rng() % 4001) - 2000.0f) / 77.0f;
      const size_t bytes = row_codes_bytes(f, m, k);
      std::vector<GuardedBytes*> results;
      GuardedBytes expected(bytes, 64), got(bytes, 64);
      quantize_row_codes_ref(x.as<float>(), place_row_codes(f, m, k, expected.data()), {0, m});
      each_quantizer(cpu, [&](const RowQuantizer& q) {
        CAPTURE(form);
        CAPTURE(k);
        std::memset(got.data(), 0, got.size());
        q.fn(x.as<float>(), place_row_codes(f, m, k, got.data()), {0, m});
        CHECK(std::memcmp(got.data(), expected.data(), bytes) == 0);
      });
    }
}

TEST_CASE("rows on one grid are the floats' codes in their places, the same bytes from every quantizer") {
  std::mt19937 rng(21);
  const Cpu cpu = detect_cpu();
  for (int form = 0; form <= static_cast<int>(RowForm::minus128); ++form)
    for (size_t k : {size_t{1}, size_t{27}, size_t{32}, size_t{36}, size_t{144}, size_t{290}}) {
      const size_t m = 4;
      const auto f = static_cast<RowForm>(form);
      GuardedBytes x(m * k * sizeof(float)), signed_codes(m * k), rows_of_codes(m * ((k + 31) / 32 * 32));
      for (size_t i = 0; i < m * k; ++i)
        x.as<float>()[i] = (static_cast<float>(rng() % 4001) - 1000.0f) / 77.0f;
      const RowRange range = row_range_ref(x.as<float>(), m * k);
      CHECK((range.lo <= 0 && range.hi >= 0 && range.hi > range.lo && range.finite));
      RowGrid grid = one_grid(f, range);
      if (!is_grid(f)) CHECK(grid.zero == 0);
      for (size_t i = 0; i < m * k; ++i)
        signed_codes.as<int8_t>()[i] = static_cast<int8_t>(row_code_ref(x.as<float>()[i], grid));
      const size_t bytes = row_codes_bytes(f, m, k), pitch = rows_of_codes.size() / m;
      std::memset(rows_of_codes.data(), 0, rows_of_codes.size());
      for (size_t row = 0; row < m; ++row)
        std::memcpy(rows_of_codes.data() + row * pitch, signed_codes.data() + row * k, k);
      GuardedBytes expected(bytes, 64), got(bytes, 64), flat((m * k + 31) / 32 * 32, 64);
      const auto fill = [&](const RowQuantizer& q, const GuardedBytes& to) {
        std::memset(to.data(), 0, to.size());
        const RowCodes rows = place_row_codes(f, m, k, to.data());
        q.adopt(rows_of_codes.as<int8_t>(), pitch, rows, {0, 1});
        q.adopt(rows_of_codes.as<int8_t>() + pitch, pitch, rows, {1, m});
        set_grid(rows, {0, m}, grid);
      };
      fill(select_row_quantizer(Cpu{}), expected);
      const RowCodes placed = place_row_codes(f, m, k, expected.data());
      for (size_t i = 0; i < m * k; ++i) {
        const size_t row = i / k, at = i % k;
        const int8_t code = placed.codes[(at / kRowGroup * m + row) * kRowGroup + at % kRowGroup];
        CHECK(static_cast<int8_t>(code ^ (f == RowForm::grid_u8 ? -128 : 0)) == signed_codes.as<int8_t>()[i]);
      }
      each_quantizer(cpu, [&](const RowQuantizer& q) {
        CAPTURE(form);
        CAPTURE(k);
        fill(q, got);
        CHECK(std::memcmp(got.data(), expected.data(), bytes) == 0);
        const RowRange same = q.range(x.as<float>(), m * k);
        CHECK((same.lo == range.lo && same.hi == range.hi && same.finite));
        q.on_grids(x.as<float>(), {RowForm::grid, 1, m * k, flat.as<int8_t>(), nullptr, nullptr, &grid},
                   {0, 1});
        CHECK(std::memcmp(flat.data(), signed_codes.data(), m * k) == 0);
        const float kept = x.as<float>()[k / 2];
        x.as<float>()[k / 2] = -std::numeric_limits<float>::infinity();
        CHECK_FALSE(q.range(x.as<float>(), m * k).finite);
        x.as<float>()[k / 2] = std::nanf("");
        CHECK_FALSE(q.range(x.as<float>(), m * k).finite);
        x.as<float>()[k / 2] = kept;
      });
    }
}

TEST_CASE("packing: the worked example of panel_layout.h, one code alone in a matrix of [40, 72]") {
  struct Place {
    Layout layout;
    uint16_t group;
    size_t byte;
  };
  constexpr Place kPlaces[] = {{Layout::i8c, 0, 2789},      {Layout::i4s8, 32, 1573},
                               {Layout::i4f16, 32, 1509},   {Layout::lut4, 32, 1509},
                               {Layout::lut4s8, 32, 1573},  {Layout::i4a, 32, 1637},
                               {Layout::f16_panel, 0, 4946}};
  for (const Place& at : kPlaces) {
    const PanelMatrix m{at.layout, at.group, 40, 72};
    std::vector<int8_t> codes(40 * 72, 0);
    std::vector<f16> halves(40 * 72, to_f16(0.0f)), scales(40 * 3, to_f16(0.0f));
    std::vector<uint8_t> zeros(40 * 3, 0);
    const std::vector<float> ones(40, 0.0f);
    PanelSource from;
    from.codes = codes.data(), from.group_scales = scales.data(), from.zeros = zeros.data();
    from.channel_scale = ones.data(), from.halves = halves.data();
    std::vector<uint8_t> before(static_cast<size_t>(panel_matrix_bytes(m))), after(before.size());
    pack_panels(m, from, before.data());
    codes[33 * 72 + 13] = 5, halves[33 * 72 + 13] = to_f16(1.0f);
    pack_panels(m, from, after.data());
    CAPTURE(static_cast<int>(at.layout));
    const bool high = at.layout != Layout::i8c;
    if (at.layout == Layout::f16_panel)
      CHECK(after[at.byte] + 256 * after[at.byte + 1] == to_f16(1.0f).bits);
    else
      CHECK(after[at.byte] - before[at.byte] == (high ? 5 << 4 : 5));
  }
}

TEST_CASE("packing: unpacking gives back every part, for all layouts and tails") {
  std::mt19937 rng(17);
  constexpr Format kMore[] = {{Layout::i4a, 64}, {Layout::lut4, 128}, {Layout::f16_panel, 0}};
  std::vector<Format> formats(std::begin(kFormats), std::end(kFormats));
  formats.insert(formats.end(), std::begin(kMore), std::end(kMore));
  for (const Format& f : formats)
    for (size_t n : {size_t{1}, size_t{8}, size_t{20}, size_t{32}, size_t{47}, size_t{96}})
      for (size_t k : {size_t{1}, size_t{8}, size_t{33}, size_t{129}}) {
        const PanelMatrix m{f.layout, f.group, n, k};
        const PanelWeightsMaker w(m, rng, Fill::random);
        PanelWeightsMaker back = PanelWeightsMaker(m, rng, Fill::random);
        const bool half = has_half_scales(f.layout);
        PanelTarget to;
        const bool grouped = f.group != 0, is_half = f.layout == Layout::f16_panel;
        if (!is_half) to.codes = back.codes.data();
        if (is_half) to.halves = back.halves.data();
        if (grouped)
          to.group_scales = half ? static_cast<void*>(back.half_scales.data()) : back.small_scales.data();
        if (f.layout == Layout::i4a) to.zeros = back.zeros.data();
        if (!half && !is_half) to.channel_scale = back.channel_scale.data();
        to.bias = back.bias.data();
        unpack_panels(m, w.bytes->data(), to);
        CAPTURE(static_cast<int>(f.layout));
        CAPTURE(n);
        CAPTURE(k);
        if (to.codes != nullptr) CHECK(back.codes == w.codes);
        if (to.channel_scale != nullptr) CHECK(back.channel_scale == w.channel_scale);
        if (to.zeros != nullptr) CHECK(back.zeros == w.zeros);
        if (grouped && !half) CHECK(back.small_scales == w.small_scales);
        for (size_t i = 0; i < w.half_scales.size() && half; ++i)
          CHECK(back.half_scales[i].bits == w.half_scales[i].bits);
        for (size_t i = 0; i < w.halves.size(); ++i) CHECK(back.halves[i].bits == w.halves[i].bits);
        CHECK(back.bias == w.bias);
        PanelSource again = back.source();
        if (is_half) again.codes = nullptr;
        GuardedBytes repacked(static_cast<size_t>(panel_matrix_bytes(m)));
        pack_panels(m, again, repacked.data());
        CHECK(std::memcmp(repacked.data(), w.bytes->data(), repacked.size()) == 0);
      }
}

}  // namespace pith
