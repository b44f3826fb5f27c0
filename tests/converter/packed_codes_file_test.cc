// Convolutions and products of 8-bit codes whose weights the file holds packed: the bytes that row-major weights give, on
// every backend, and refusal of what cannot be.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "converter/quantize/packed_products.h"
#include "runtime/ops/panel_weights.h"
#include "tests/support/converted_model.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/random_values.h"

namespace pith {
namespace {

using test::refused;
using test::refused_by_session;

struct Geometry {
  Shape x, w;  // [N, spatial.., C], [O, spatial.., C]; or of a product
  std::vector<uint32_t> strides, pads, dilations;
};
const Geometry kGeometries[] = {
    {{1, 9, 8, 16}, {40, 3, 3, 16}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{2, 7, 7, 20}, {33, 1, 1, 20}, {2, 2}, {}, {}},
    {{1, 11, 10, 3}, {8, 3, 3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}},
    {{1, 8, 9, 5},
     {17, 2, 3, 5},
     {1, 2},
     {0, 3, 2, 0},
     {2, 3}},  // the reference's alone: dilated odd channels
    {{3, 20, 6}, {31, 5, 6}, {2}, {4, 0}, {1}},
    {{1, 4, 5, 3, 7}, {9, 3, 2, 2, 7}, {1, 2, 1}, {1, 0, 1, 1, 1, 0}, {1, 1, 2}},
    {{5, 70}, {33, 70}, {}, {}, {}},
};

struct Net {
  GraphMaker maker;
  ir::Node* product = nullptr;
  std::vector<float> x;
};

ir::Value* codes(ir::Graph& g, const char* name, const Shape& shape, DType dtype, test::Random& random) {
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(static_cast<size_t>(shape.count()), &bytes);
  for (size_t i = 0; i < owned.size; ++i)
    bytes[i] = static_cast<uint8_t>(random.integer(-127, 127) + (dtype == DType::u8 ? 128 : 0));
  ir::Value* v = g.add_constant(name, dtype, shape, std::move(owned));
  ir::Quant q;
  q.axis = 0;
  for (int64_t o = 0; o < shape[0]; ++o) {
    q.scales.push_back(random.real(0.001f, 0.01f));
    q.zero_points.push_back(dtype == DType::u8 ? 128 : 0);
  }
  v->quant = q;
  return v;
}

template <class OptionsT>
ir::Node* add_product(GraphMaker& g, OptionsT o, std::vector<ir::Value*> inputs) {
  o.clamp_min = -0.4f;
  schema::OpUnion op;
  op.Set(std::move(o));
  ir::Node* node = g.graph.add_node(g.graph.main, nullptr, "product", std::move(op), std::move(inputs));
  node->out()->dtype = DType::i8;
  node->out()->quant = ir::Quant{{0.03f}, {-9}, -1, 0};
  const Status s = ir::infer_node(*node);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  return node;
}

// Quantize, product over codes, dequantize.
void build(Net& net, const Geometry& geometry, DType weights = DType::i8) {
  test::Random random(9);
  GraphMaker& g = net.maker;
  net.x = random.reals(geometry.x.count());
  ir::Value* x = g.input("x", DType::f32, geometry.x);
  schema::OpUnion quantize;
  schema::QuantizeOptionsT to;
  to.to = static_cast<uint8_t>(weights);  // x has the type of the weights
  quantize.Set(std::move(to));
  ir::Value* xq = g.graph.add_node(g.graph.main, nullptr, "quantize", std::move(quantize), {x})->out();
  xq->dtype = weights;
  xq->quant = ir::Quant{{0.008f}, {5}, -1, 0};
  REQUIRE(ir::infer_node(*xq->producer).is_ok());
  ir::Value* w = codes(g.graph, "w", geometry.w, weights, random);
  const auto values = random.integers<int32_t>(geometry.w[0], -9000, 9000);
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(values.size() * 4, &bytes);
  std::memcpy(bytes, values.data(), owned.size);
  ir::Value* b = g.graph.add_constant("b", DType::i32, {geometry.w[0]}, std::move(owned));
  if (geometry.w.rank() == 2) {
    net.product = add_product(g, schema::FullyConnectedOptionsT{}, {xq, w, b});
  } else {
    schema::ConvOptionsT o;
    o.strides = geometry.strides, o.pads = geometry.pads, o.dilations = geometry.dilations;
    net.product = add_product(g, std::move(o), {xq, w, b});
  }
  g.output("y", g.node("dequantize", schema::DequantizeOptionsT{}, {net.product->out()}));
}

size_t packed_of(ir::Graph& graph, const quantize::NodeFilter& wanted = {}) {
  return quantize::pack_static_products(graph, wanted, quantize::Growth::any).value();
}

void pack(Net& net) {
  REQUIRE(packed_of(net.maker.graph) == 1);
  REQUIRE(net.product->in(1)->layout == Layout::i8c);
}

// The word of the tail plane that holds the scale of output 0.
void set_first_scale(ir::Value* packed, float scale) {
  const PanelMatrix m = panel_matrix_of(packed->layout, 0, packed->shape);
  const uint64_t width = panel_width(m.n, 0);
  uint8_t* bytes = nullptr;
  ir::Bytes copy = ir::new_bytes(packed->constant->size, &bytes);
  std::memcpy(bytes, packed->constant->data, copy.size);
  std::memcpy(bytes + panel_planes(m, width).tail + 4 * width, &scale, 4);
  packed->constant = std::move(copy);
}

}  // namespace

TEST_CASE("packed weights of 8-bit products give the bytes of row-major ones on every backend and kernel") {
  for (const Geometry& geometry : kGeometries)
    for (DType weights : {DType::i8, DType::u8}) {
      CAPTURE(geometry.w.text());
      Net plain, packed;
      build(plain, geometry, weights), build(packed, geometry, weights);
      pack(packed);
      const auto model = packed.maker.open();
      const auto expected = test::run_floats(plain.maker.open(), plain.x, BackendChoice::reference);
      for (BackendChoice backend :
           {BackendChoice::reference, BackendChoice::xnnpack, BackendChoice::automatic})
        CHECK(test::run_floats(model, packed.x, backend).y == expected.y);
      for (Isa level :
           {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512vnni, Isa::neon, Isa::neondot, Isa::i8mm}) {
        if (std::string(name_of(level)) == "foreign") continue;
        CAPTURE(name_of(level));
        const test::IsaCap cap(name_of(level));
        for (size_t threads : {1, 2})
          CHECK(test::run_floats(model, packed.x, BackendChoice::pith, threads).y == expected.y);
      }
    }
}

TEST_CASE("codes that no panel holds, two zero points and unwanted nodes stay row-major") {
  {
    Net net;
    build(net, kGeometries[0]);
    CHECK(packed_of(net.maker.graph, [](const ir::Node&) { return false; }) == 0);
    const_cast<uint8_t*>(net.product->in(1)->constant->data)[17] = 0x80;
    CHECK(packed_of(net.maker.graph) == 0);
  }
  {
    Net net;
    build(net, kGeometries[0], DType::u8);
    net.product->in(1)->quant->zero_points[3] = 0;
    CHECK(packed_of(net.maker.graph) == 0);
  }
}

TEST_CASE("weights that packing would make larger by more than a sixteenth stay row-major") {
  const auto packed = [](const Geometry& geometry) {
    Net net;
    build(net, geometry);
    return quantize::pack_static_products(net.maker.graph).value();
  };
  CHECK(packed({{1, 70}, {64, 70}, {}, {}, {}}) == 0);    // the words of a channel weigh too much
  CHECK(packed({{1, 512}, {33, 512}, {}, {}, {}}) == 0);  // 31 channels of padding
  CHECK(packed({{1, 512}, {64, 512}, {}, {}, {}}) == 1);
}

TEST_CASE("weights that two nodes share are packed once") {
  Net net;
  build(net, kGeometries[6]);
  GraphMaker& g = net.maker;
  ir::Node* again = add_product(g, schema::FullyConnectedOptionsT{},
                                {net.product->in(0), net.product->in(1), net.product->in(2)});
  g.output("z", g.node("dequantize_again", schema::DequantizeOptionsT{}, {again->out()}));
  CHECK(packed_of(g.graph) == 2);
  CHECK(again->in(1) == net.product->in(1));
}

TEST_CASE("packed weights of 8-bit products that cannot be what they claim are refused") {
  const auto packed = [](Net& net) {
    build(net, kGeometries[0]);
    pack(net);
    return net.product->in(1);
  };
  {
    Net net;
    packed(net)->shape = Shape({40, 3, 3, 24});
    refused(net.maker.graph, "needs");
  }
  {
    Net net;
    packed(net)->quant = ir::Quant{{0.1f}, {0}, -1, 0};
    refused(net.maker.graph, "scales of its own");
  }
  for (float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    Net net;
    set_first_scale(packed(net), scale);
    refused_by_session(net.maker.graph, "have scale");
  }
  {  // 4-bit weights are for float inputs
    Net net;
    ir::Value* w = packed(net);
    const PanelMatrix m = panel_matrix_of(Layout::i4s8, 32, w->shape);
    uint8_t* bytes = nullptr;
    w->constant = ir::new_bytes(static_cast<size_t>(panel_matrix_bytes(m)), &bytes);
    w->layout = Layout::i4s8, w->group = 32, w->dtype = DType::i4;
    refused_by_session(net.maker.graph, "layout i8c");
  }
  {
    Net net;
    packed(net);
    net.maker.graph.set_input(net.product, 2, net.maker.graph.add_f32("f", {40}, std::vector<float>(40)));
    refused_by_session(net.maker.graph, "i32");
  }
  {
    Net net;
    packed(net);
    net.product->as<schema::ConvOptionsT>()->groups = 4;
    refused_by_session(net.maker.graph, "one group");
  }
}

}  // namespace pith
