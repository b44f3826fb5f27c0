// Pooling and means of 8-bit codes by our kernels: the reference's bytes on every instruction set and number of threads.
#include <doctest/doctest.h>

#include "tests/support/converted_model.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/random_values.h"

namespace pith {
namespace {

struct Net {
  GraphMaker maker;
  std::vector<float> x;
};

ir::Value* add_codes(GraphMaker& g, schema::OpUnion op, std::vector<ir::Value*> inputs, DType dtype,
                     const ir::Quant& quant) {
  ir::Node* node =
      g.graph.add_node(g.graph.main, nullptr, g.graph.unique_name("n"), std::move(op), std::move(inputs));
  node->out()->dtype = dtype;
  node->out()->quant = quant;
  const Status s = ir::infer_node(*node);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  return node->out();
}

// Quantize, the node, dequantize.
template <class OptionsT>
void build(Net& net, const Shape& shape, DType dtype, OptionsT options, bool other_grid,
           std::vector<int64_t> axes = {}) {
  GraphMaker& g = net.maker;
  net.x = test::Random(7).reals(shape.count());
  const int32_t shift = dtype == DType::u8 ? 128 : 0;
  const ir::Quant grid{{0.01f}, {7 + shift}, -1, 0}, other{{0.006f}, {-31 + shift}, -1, 0};
  schema::OpUnion quantize, op;
  schema::QuantizeOptionsT to;
  to.to = static_cast<uint8_t>(dtype);
  quantize.Set(std::move(to));
  op.Set(std::move(options));
  ir::Value* x = add_codes(g, std::move(quantize), {g.input("x", DType::f32, shape)}, dtype, grid);
  std::vector<ir::Value*> inputs{x};
  if (!axes.empty()) inputs.push_back(g.graph.add_i64("axes", axes));
  ir::Value* y = add_codes(g, std::move(op), inputs, dtype, other_grid ? other : grid);
  g.output("y", g.node("dequantize", schema::DequantizeOptionsT{}, {y}));
}

void check(Net& net, bool taken) {
  const auto model = net.maker.open();
  const auto expected = test::run_floats(model, net.x, BackendChoice::reference);
  for (Isa level : {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512vnni, Isa::neon}) {
    if (std::string(name_of(level)) == "foreign") continue;
    CAPTURE(name_of(level));
    const test::IsaCap cap(name_of(level));
    for (size_t threads : {1, 2})
      CHECK(test::run_floats(model, net.x, BackendChoice::pith, threads).y == expected.y);
    const auto session = Session::create(model, {});
    REQUIRE(session.is_ok());
    REQUIRE(session.value()->prepare().is_ok());
    CHECK((session.value()->steps(0)[1].kernel.backend == std::string("pith")) == taken);
  }
}

}  // namespace

TEST_CASE("pooling of codes equals the reference for windows of every kind") {
  struct Case {
    Shape x;
    std::vector<uint32_t> kernel, strides, pads, dilations;
    bool ceil_mode, count_padding, taken;
  };
  const Case cases[] = {
      {{2, 6, 8, 5}, {2, 2}, {2, 2}, {}, {}, false, false, true},
      {{1, 7, 9, 70}, {3, 3}, {2, 2}, {1, 1, 1, 1}, {}, true, true, true},
      {{1, 8, 6, 33}, {3, 3}, {1, 2}, {0, 1, 2, 0}, {2, 1}, false, false, true},
      {{2, 15, 600}, {3}, {2}, {1, 1}, {}, false, true, true},
      {{1, 4, 5, 6, 3}, {2, 3, 2}, {1, 2, 2}, {}, {}, false, false, true},
      {{1, 40, 40, 2}, {40, 40}, {1, 1}, {}, {}, false, false, false},  // more than 1024 pixels
  };
  for (const Case& c : cases)
    for (DType dtype : {DType::i8, DType::u8})
      for (schema::PoolKind kind : {schema::PoolKind::max, schema::PoolKind::average}) {
        CAPTURE(c.x.text());
        schema::PoolOptionsT o;
        o.kind = kind;
        o.kernel = c.kernel, o.strides = c.strides, o.pads = c.pads, o.dilations = c.dilations;
        o.ceil_mode = c.ceil_mode, o.count_include_pad = c.count_padding;
        Net net;
        build(net, c.x, dtype, o, kind == schema::PoolKind::average);
        check(net, c.taken);
      }
}

TEST_CASE("means over the pixels of pictures equal the reference, other means are left to it") {
  struct Case {
    Shape x;
    std::vector<int64_t> axes;
    bool taken;
  };
  for (const Case& c :
       {Case{{1, 7, 7, 1280}, {1, 2}, true}, Case{{3, 5, 4, 33}, {1, 2}, true}, Case{{2, 30, 7}, {1}, true},
        Case{{2, 4, 4, 8}, {3}, false}, Case{{2, 4, 4, 8}, {1}, true}, Case{{1, 40, 40, 8}, {1, 2}, false}})
    for (DType dtype : {DType::i8, DType::u8}) {
      CAPTURE(c.x.text());
      schema::ReduceOptionsT o;
      o.kind = schema::ReduceKind::mean;
      Net net;
      build(net, c.x, dtype, o, true, c.axes);
      check(net, c.taken);
    }
}

}  // namespace pith
