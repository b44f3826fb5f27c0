// Sizes and offsets of packed weight layouts.
#include "kernels/base/panel_layout.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace pith {

constexpr PanelMatrix kMatrices[] = {{Layout::i8c, 0},    {Layout::i4s8, 32},   {Layout::i4s8, 64},
                                     {Layout::i4s8, 128}, {Layout::i4f16, 32},  {Layout::i4a, 64},
                                     {Layout::lut4, 64},  {Layout::lut4s8, 64}, {Layout::f16_panel, 0}};

TEST_CASE("planes start on 64 bytes, in order, and a panel is never smaller than its row-major weights") {
  for (PanelMatrix m : kMatrices)
    for (uint64_t n : {1, 8, 31, 32, 33, 64, 100})
      for (uint64_t k : {1, 7, 8, 9, 31, 32, 33, 127, 128, 129, 1000}) {
        m.n = n, m.k = k;
        REQUIRE(panel_fault(m) == nullptr);
        uint64_t total = 0;
        for (uint64_t p = 0; p < panel_count(n); ++p) {
          const uint64_t width = panel_width(n, p);
          const PanelPlanes planes = panel_planes(m, width);
          CHECK(width % 8 == 0);
          CHECK(planes.scales % 64 == 0);
          CHECK(planes.zeros % 64 == 0);
          CHECK(planes.tail % 64 == 0);
          CHECK(planes.bytes % 64 == 0);
          CHECK(planes.code_rows * planes.code_row <= planes.scales);
          CHECK(planes.groups * planes.scale_row <= planes.zeros - planes.scales);
          CHECK(planes.groups * planes.zero_row <= planes.tail - planes.zeros);
          total += planes.bytes;
        }
        CHECK(total == panel_matrix_bytes(m));
        CHECK(total * 8 >= n * k * bits_of(dtype_of(m.layout)));
      }
}

TEST_CASE("impossible matrices are named before their size is computed") {
  CHECK(panel_fault({Layout::row_major, 0, 4, 4}) != nullptr);
  CHECK(panel_fault({static_cast<Layout>(77), 0, 4, 4}) != nullptr);
  CHECK(panel_fault({Layout::i4s8, 48, 4, 4}) != nullptr);
  CHECK(panel_fault({Layout::i8c, 32, 4, 4}) != nullptr);
  CHECK(panel_fault({Layout::i8c, 0, 0, 4}) != nullptr);
  CHECK(panel_fault({Layout::f16_panel, 0, uint64_t{1} << 62, 4}) != nullptr);
  CHECK(panel_fault({Layout::i8c, 0, 4, kMaxCodesK + 1}) != nullptr);
  const PanelMatrix largest{Layout::f16_panel, 0, kMaxPanelExtent, kMaxPanelExtent};
  REQUIRE(panel_fault(largest) == nullptr);
  CHECK(panel_matrix_bytes(largest) >= 2 * kMaxPanelExtent * kMaxPanelExtent);
}

}  // namespace pith
