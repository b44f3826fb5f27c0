// Convolutions with packed weights: close to the float one within the error of 8-bit activations, the same bytes for every
// kernel and number of threads, and refused when the file claims what cannot be.
#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/dynamic_int8.h"
#include "converter/quantize/packed_products.h"
#include "runtime/ops/panel_weights.h"
#include "tests/support/converted_model.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/random_values.h"

namespace pith {
namespace {

using test::refused;

struct Geometry {
  Shape x, w;  // [N, spatial.., C], [O, spatial.., C]
  std::vector<uint32_t> strides, pads, dilations;
};
const Geometry kGeometries[] = {
    {{1, 9, 8, 16}, {40, 3, 3, 16}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{2, 7, 7, 32}, {33, 1, 1, 32}, {1, 1}, {}, {}},
    {{1, 11, 10, 3}, {8, 3, 3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}},
    {{1, 6, 9, 5}, {17, 2, 3, 5}, {1, 2}, {0, 3, 2, 0}, {2, 3}},
    {{3, 20, 6}, {31, 5, 6}, {2}, {4, 0}, {1}},
    {{1, 4, 5, 3, 7}, {9, 3, 2, 2, 7}, {1, 2, 1}, {1, 0, 1, 1, 1, 0}, {1, 1, 2}},
    {{1, 1, 1, 130}, {300, 1, 1, 130}, {1, 1}, {}, {}},
    {{1, 12, 13, 70}, {64, 1, 1, 70}, {3, 2}, {}, {}},
};

struct Net {
  GraphMaker maker;
  ir::Node* conv = nullptr;
  std::vector<float> x;
};

// y = clamp(conv(x, w) + bias), random.
void build(Net& net, const Geometry& geometry, float clamp_min = -3, uint32_t groups = 1) {
  test::Random random(5);
  GraphMaker& g = net.maker;
  ir::Value* x = g.input("x", DType::f32, geometry.x);
  ir::Value* w = g.graph.add_f32("w", geometry.w, random.reals(geometry.w.count()));
  ir::Value* b = g.graph.add_f32("b", {geometry.w[0]}, random.reals(geometry.w[0]));
  schema::ConvOptionsT o;
  o.clamp_min = clamp_min;
  o.groups = groups;
  o.strides = geometry.strides, o.pads = geometry.pads, o.dilations = geometry.dilations;
  ir::Value* y = g.node("conv", o, {x, w, b});
  g.output("y", y);
  net.conv = y->producer;
  net.x = random.reals(geometry.x.count());
}

void pack(Net& net, Layout layout, size_t group) {
  if (layout == Layout::i8c) {
    REQUIRE(quantize::quantize_dynamic_int8(net.maker.graph).is_ok());
    REQUIRE(quantize::pack_dynamic_products(net.maker.graph).value() == 1);
    return;
  }
  const auto report = quantize::pack_grouped_products(net.maker.graph, {layout, group});
  REQUIRE_MESSAGE(report.is_ok(), report.status().message());
  REQUIRE(report.value().packed == 1);
}

// The weights that the packed constant stands for, [O, .., kw, C].
std::vector<float> weights_of(const ir::Value& packed) {
  const PanelMatrix m = panel_matrix_of(packed.layout, packed.group, packed.shape);
  std::vector<float> rows(static_cast<size_t>(m.n * m.k));
  kernels::unpack_weights(m, packed.constant->data, packed.codebook.data(), rows.data());
  const int rank = packed.shape.rank();
  const auto run = static_cast<size_t>(packed.shape.count(rank - 2, rank)), padded = (run + 3) / 4 * 4;
  std::vector<float> w;
  for (size_t at = 0; at < rows.size(); at += padded) {
    w.insert(w.end(), rows.begin() + static_cast<ptrdiff_t>(at),
             rows.begin() + static_cast<ptrdiff_t>(at + run));
    for (size_t i = run; i < padded; ++i) REQUIRE(rows[at + i] == 0);
  }
  return w;
}

struct Packing {
  Layout layout;
  size_t group;
};
const Packing kPackings[] = {{Layout::i8c, 0},    {Layout::i4s8, 32},  {Layout::i4s8, 64},
                             {Layout::i4s8, 128}, {Layout::i4f16, 32}, {Layout::i4a, 32},
                             {Layout::lut4, 64},  {Layout::lut4s8, 32}};

// |y - conv(x, w)| for the w that was stored: each x is off by at most half a step, a step is max |x| / 127 or, on a grid of
// 256 codes from lowest to highest, less than 2 max |x| / 255. `slack` is for the rounding of float sums.
double bound(const std::vector<float>& w, size_t outputs) {
  double most = 0;
  for (size_t o = 0; o < outputs; ++o) {
    double sum = 0;
    for (size_t i = 0; i < w.size() / outputs; ++i)
      sum += std::fabs(static_cast<double>(w[o * (w.size() / outputs) + i]));
    most = std::max(most, sum);
  }
  const double slack = 1e-5;
  return most * (0.5 / 127 + slack) + slack;
}

}  // namespace

TEST_CASE("convolutions with packed weights compute what their stored weights say") {
  for (const Geometry& geometry : kGeometries)
    for (const Packing& p : kPackings) {
      CAPTURE(geometry.w.text());
      CAPTURE(static_cast<int>(p.layout));
      Net net, plain;
      build(net, geometry), build(plain, geometry);
      pack(net, p.layout, p.group);
      const std::vector<float> w = weights_of(*net.conv->in(1));
      REQUIRE(w.size() == static_cast<size_t>(geometry.w.count()));
      plain.maker.graph.set_input(plain.conv, 1, plain.maker.graph.add_f32("stored", geometry.w, w));
      const auto expected = test::run_floats(plain.maker.open(), net.x, BackendChoice::reference);
      const auto y = test::run_floats(net.maker.open(), net.x, BackendChoice::automatic);
      CHECK(y.backend == "pith");
      REQUIRE(y.y.size() == expected.y.size());
      const double most = bound(w, static_cast<size_t>(geometry.w[0]));
      for (size_t i = 0; i < y.y.size(); ++i) {
        REQUIRE(std::fabs(static_cast<double>(y.y[i]) - expected.y[i]) <= most);
        REQUIRE(y.y[i] >= -3);
      }
    }
}

TEST_CASE("convolutions with packed weights give the same bytes with every kernel and number of threads") {
  for (const Geometry& geometry : kGeometries)
    for (const Packing& p : kPackings) {
      CAPTURE(geometry.w.text());
      CAPTURE(static_cast<int>(p.layout));
      Net net;
      build(net, geometry);
      pack(net, p.layout, p.group);
      const auto model = net.maker.open();
      const auto expected = test::run_floats(model, net.x, BackendChoice::reference);
      CHECK(expected.kernel == "panel_gemm_ref");
      CHECK(test::run_floats(model, net.x, BackendChoice::xnnpack).y == expected.y);
      for (Isa level :
           {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512vnni, Isa::neon, Isa::neondot, Isa::i8mm}) {
        if (std::string(name_of(level)) == "foreign") continue;
        CAPTURE(name_of(level));
        const test::IsaCap cap(name_of(level));
        for (size_t threads : {1, 2, 3}) {
          CAPTURE(threads);
          CHECK(test::run_floats(model, net.x, BackendChoice::automatic, threads).y == expected.y);
        }
      }
    }
}

TEST_CASE("large convolutions are shared by threads without a change in the result") {
  for (const Geometry& geometry :
       {Geometry{{1, 40, 40, 32}, {64, 3, 3, 32}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
        Geometry{{1, 3, 3, 256}, {512, 3, 3, 256}, {1, 1}, {1, 1, 1, 1}, {1, 1}}}) {
    Net net;
    build(net, geometry);
    pack(net, Layout::i4s8, 32);
    const auto model = net.maker.open();
    const auto one = test::run_floats(model, net.x, BackendChoice::pith, 1);
    for (size_t threads : {2, 3})
      CHECK(test::run_floats(model, net.x, BackendChoice::pith, threads).y == one.y);
  }
}

TEST_CASE("only wanted convolutions are packed, and those in groups stay float") {
  Net net;
  build(net, kGeometries[0]);
  const auto none = quantize::pack_grouped_products(net.maker.graph, {Layout::i4s8, 32},
                                                    [](const ir::Node& n) { return n.name != "conv"; });
  CHECK(none.status().code() == Code::unsupported);
  CHECK(net.conv->in(1)->layout == Layout::row_major);
  CHECK(quantize::check_packable(*net.conv, Layout::i4s8, 32).is_ok());
  CHECK_FALSE(quantize::check_packable(*net.conv, Layout::i4s8, 48).is_ok());
  Net grouped;
  build(grouped, {{1, 8, 8, 32}, {32, 3, 3, 8}, {}, {}, {}}, -3, 4);
  CHECK(quantize::check_packable(*grouped.conv, Layout::i4s8, 32).message().find("groups") !=
        std::string::npos);
  CHECK(quantize::quantize_dynamic_int8(grouped.maker.graph).status().code() == Code::unsupported);
}

TEST_CASE("packed convolutions that cannot be what they claim are refused") {
  const auto packed = [](Net& net, Layout layout) {
    build(net, kGeometries[0]);
    pack(net, layout, 32);
    REQUIRE(test::open_status(net.maker.graph).is_ok());
    return net.conv->in(1);
  };
  {
    Net net;
    packed(net, Layout::i4s8)->group = 64;
    refused(net.maker.graph, "needs");
  }
  {
    Net net;
    packed(net, Layout::i4a)->shape = Shape({40, 3, 3, 64});
    refused(net.maker.graph, "needs");
  }
  {  // enough bytes, but for another input
    Net net;
    packed(net, Layout::i4s8)->shape = Shape({40, 3, 2, 24});
    test::refused_by_session(net.maker.graph, "do not fit input");
  }
  {
    Net net;
    packed(net, Layout::i4s8)->shape = Shape({40, 0, 3, 16});
    refused(net.maker.graph, "cannot be packed");
  }
  {
    Net net;
    packed(net, Layout::i4s8)->shape = Shape({40, int64_t{1} << 31, int64_t{1} << 31, 16});
    refused(net.maker.graph, "'w'");
  }
  {
    Net net;
    packed(net, Layout::i8c);
    net.conv->as<schema::ConvOptionsT>()->groups = 2;
    test::refused_by_session(net.maker.graph, "one group");
  }
  {
    Net net;
    packed(net, Layout::i4s8);
    net.maker.graph.set_input(net.conv, 2, net.maker.graph.add_f32("again", {40}, std::vector<float>(40)));
    test::refused_by_session(net.maker.graph, "bias");
  }
}

}  // namespace pith
