// Small graphs with Quantize and Dequantize nodes around their operators, as quantized sources have them.
//   QdqGraph g;
//   g.output("y", g.through(g.unary(schema::UnaryKind::relu, g.image())));
#pragma once
#include <cstring>

#include "tests/support/graph_maker.h"
#include "tests/support/random_values.h"

namespace pith {

// The grid of most tensors here; its steps are the tolerance of the comparisons.
inline constexpr float kStep = 0.125f;

struct QdqGraph : GraphMaker {
  ir::Value* quantize(ir::Value* x, float scale = kStep, DType to = DType::i8, int zero = 0) {
    schema::QuantizeOptionsT o;
    o.to = static_cast<uint8_t>(to);
    return node(graph.unique_name("q"), o, {x, f32({}, {scale}), zero_point(to, zero)});
  }
  ir::Value* dequantize(ir::Value* q, float scale = kStep, int zero = 0) {
    return node(graph.unique_name("dq"), schema::DequantizeOptionsT{},
                {q, f32({}, {scale}), zero_point(q->dtype, zero)});
  }
  ir::Value* through(ir::Value* x, float scale = kStep, DType to = DType::i8, int zero = 0) {
    return dequantize(quantize(x, scale, to, zero), scale, zero);
  }
  ir::Value* zero_point(DType type, int zero) {
    uint8_t* p = nullptr;
    ir::Bytes bytes = ir::new_bytes(1, &p);
    *p = static_cast<uint8_t>(zero);
    return graph.add_constant(graph.unique_name("zero"), type, Shape{}, std::move(bytes));
  }
  ir::Value* codes(const Shape& shape, int64_t seed) {
    uint8_t* p = nullptr;
    const auto n = static_cast<size_t>(shape.count());
    ir::Bytes bytes = ir::new_bytes(n, &p);
    const auto values = test::Random(static_cast<uint64_t>(seed)).integers<int8_t>(shape.count(), -127, 127);
    std::memcpy(p, values.data(), n);
    return graph.add_constant(graph.unique_name("w"), DType::i8, shape, std::move(bytes));
  }
  ir::Value* image() { return through(input("x", DType::f32, {1, 4, 4, 2}), 0.015625f); }
  // Operators left that work on f32, besides the Quantize and Dequantize at the ends.
  size_t left_in_float() const {
    size_t n = 0;
    for (const ir::Node* node : graph.in_order())
      n += node->out()->dtype == DType::f32 && !node->is(schema::Op::DequantizeOptions);
    return n;
  }
};

}  // namespace pith
