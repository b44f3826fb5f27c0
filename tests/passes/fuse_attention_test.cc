// fuse_attention: spelled-out attention in the forms exporters write.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;

namespace {

constexpr int64_t B = 2, H = 3, S = 4, T = 5, D = 6;

struct AttentionGraph : GraphMaker {
  ir::Value* q = nullptr;
  ir::Value* k = nullptr;
  ir::Value* v = nullptr;
  explicit AttentionGraph(int64_t batch = B, int64_t kv_heads = H) {
    q = input("q", DType::f32, {batch, H, S, D});
    k = input("k", DType::f32, {batch, kv_heads, T, D});
    v = input("v", DType::f32, {batch, kv_heads, T, D});
  }
  ir::Value* matmul(ir::Value* a, ir::Value* b) {
    return node(graph.unique_name("matmul"), schema::MatMulOptionsT{}, {a, b});
  }
  ir::Value* times(ir::Value* x, float factor) { return binary(BinaryKind::mul, x, f32({}, {factor})); }
  ir::Value* turned(ir::Value* x) { return transpose(x, {0, 1, 3, 2}); }
  ir::Value* softmax(ir::Value* x, int axis = -1) {
    schema::SoftmaxOptionsT o;
    o.axis = axis;
    return node(graph.unique_name("softmax"), o, {x});
  }
  ir::Value* condition(const Shape& shape, std::vector<uint8_t> flags) {
    uint8_t* p = nullptr;
    ir::Bytes bytes = ir::new_bytes(flags.size(), &p);
    std::memcpy(p, flags.data(), flags.size());
    return graph.add_constant("condition", DType::boolean, shape, std::move(bytes));
  }
  ir::Value* where(ir::Value* c, ir::Value* a, ir::Value* b) {
    return node("where", schema::WhereOptionsT{}, {c, a, b});
  }
};

size_t settle(GraphMaker& g) { return try_pass(g, fuse_attention, 1e-5); }

// Row i sees columns up to i + 1.
std::vector<uint8_t> causal(bool hidden) {
  std::vector<uint8_t> flags;
  for (int64_t i = 0; i < S; ++i)
    for (int64_t j = 0; j < T; ++j) flags.push_back((j <= i + 1) != hidden);
  return flags;
}

}  // namespace

TEST_CASE("fuse_attention: product, division by the root, softmax and product become Attention") {
  AttentionGraph g;
  ir::Value* s = g.binary(BinaryKind::div, g.matmul(g.q, g.turned(g.k)), g.f32({}, {2.4494897f}));
  g.output("y", g.matmul(g.softmax(s), g.v));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Attention");
  CHECK(g.graph.in_order()[0]->as<schema::AttentionOptionsT>()->scale == doctest::Approx(0.40824829));
}

TEST_CASE(
    "fuse_attention: the scale split over Q and K, as PyTorch's scaled_dot_product_attention exports it") {
  AttentionGraph g;
  ir::Value* s = g.matmul(g.times(g.q, 0.6f), g.times(g.turned(g.k), 0.6f));
  ir::Value* mask = g.input("mask", DType::f32, {B, 1, 1, T});
  g.output("y", g.matmul(g.softmax(g.binary(BinaryKind::add, s, mask)), g.v));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Attention");
  CHECK(g.graph.in_order()[0]->inputs.size() == 4);
  CHECK(g.graph.in_order()[0]->as<schema::AttentionOptionsT>()->scale == doctest::Approx(0.36));
}

TEST_CASE("fuse_attention: K straight from its projection, turned in one Transpose with the heads") {
  GraphMaker base;
  AttentionGraph g;
  ir::Value* packed = g.input("packed", DType::f32, {B, T, H, D});
  ir::Value* s = g.matmul(g.q, g.transpose(packed, {0, 2, 3, 1}));
  g.output("y", g.matmul(g.softmax(s, 3), g.v));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Transpose Attention");
}

TEST_CASE("fuse_attention: a product that turns K itself") {
  AttentionGraph g;
  schema::MatMulOptionsT o;
  o.transpose_b = true;
  g.output("y", g.matmul(g.softmax(g.node("qk", o, {g.q, g.k})), g.v));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Attention");
}

TEST_CASE("fuse_attention: three dims, heads merged into the batch, with a mask of the batch") {
  GraphMaker g;
  ir::Value* q = g.input("q", DType::f32, {B, S, D});
  ir::Value *k = g.input("k", DType::f32, {B, T, D}), *v = g.input("v", DType::f32, {B, T, D});
  ir::Value* s = g.node("qk", schema::MatMulOptionsT{}, {q, g.transpose(k, {0, 2, 1})});
  s = g.binary(BinaryKind::add, g.input("mask", DType::f32, {B, S, T}), s);
  ir::Value* p = g.node("softmax", schema::SoftmaxOptionsT{}, {s});
  g.output("y", g.node("pv", schema::MatMulOptionsT{}, {p, v}));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Unsqueeze Attention");
}

TEST_CASE("fuse_attention: a constant condition becomes a mask of booleans, in both orders of Where") {
  for (const bool hidden : {false, true}) {
    AttentionGraph g;
    ir::Value* s = g.matmul(g.q, g.turned(g.k));
    ir::Value *c = g.condition({S, T}, causal(hidden)), *fill = g.f32({}, {-3e38f});
    g.output("y", g.matmul(g.softmax(hidden ? g.where(c, fill, s) : g.where(c, s, fill)), g.v));
    CHECK(settle(g) == 1);
    CHECK(ops_of(g) == "Attention");
  }
}

TEST_CASE("fuse_attention: one key head shared by all query heads") {
  AttentionGraph g;
  ir::Value* k = g.input("k1", DType::f32, {B, 1, T, D});
  g.output("y", g.matmul(g.softmax(g.matmul(g.q, g.turned(k))), g.v));
  CHECK(settle(g) == 0);  // V has all heads: Attention wants the number of K
}

TEST_CASE("fuse_attention: unknown dims are followed through the projections' reshapes") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {kUnknownDim, kUnknownDim, 6});
  x->dim_names = {"batch", "sequence", ""};
  ir::Value* mask = g.input("mask", DType::f32, {kUnknownDim, 1, 1, kUnknownDim});
  mask->dim_names = {"batch", "", "", "sequence"};
  test::Random random(1);
  const auto heads = [&](const char* name) {
    ir::Value* y = g.node(name, schema::FullyConnectedOptionsT{}, {x, g.f32({6, 6}, random.reals(36))});
    y = g.node(g.graph.unique_name(name), schema::ReshapeOptionsT{},
               {y, g.graph.add_i64("split", {0, -1, 2, 3})});
    return g.transpose(y, {0, 2, 1, 3});
  };
  ir::Value* q = heads("q");
  ir::Value* k = g.transpose(heads("k"), {0, 1, 3, 2});
  ir::Value* s = g.binary(BinaryKind::add, g.node("qk", schema::MatMulOptionsT{}, {q, k}), mask);
  ir::Value* p = g.node("softmax", schema::SoftmaxOptionsT{}, {s});
  g.output("y", g.node("pv", schema::MatMulOptionsT{}, {p, heads("v")}));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g).find("Softmax") == std::string::npos);
}

TEST_CASE("fuse_attention: does not fire where dims may differ and the product would broadcast") {
  AttentionGraph batch(1);
  ir::Value* more = batch.input("more", DType::f32, {B, H, T, D});
  batch.output("y", batch.matmul(batch.softmax(batch.matmul(batch.q, batch.turned(more))), batch.v));
  CHECK(settle(batch) == 0);
  AttentionGraph mask(1);
  ir::Value* wide = mask.input("mask", DType::f32, {B, 1, S, T});  // makes the scores larger
  ir::Value* s = mask.binary(BinaryKind::add, mask.matmul(mask.q, mask.turned(mask.k)), wide);
  mask.output("y", mask.matmul(mask.softmax(s), mask.v));
  CHECK(settle(mask) == 0);
  AttentionGraph unknown(kUnknownDim);  // q, k and v: unknown batches without a common name
  unknown.output(
      "y", unknown.matmul(unknown.softmax(unknown.matmul(unknown.q, unknown.turned(unknown.k))), unknown.v));
  CHECK(settle(unknown) == 0);
}

TEST_CASE("fuse_attention: does not fire when scores or weights are read elsewhere or are outputs") {
  for (const bool weights : {false, true}) {
    AttentionGraph g;
    ir::Value* s = g.matmul(g.q, g.turned(g.k));
    ir::Value* p = g.softmax(s);
    g.output("y", g.matmul(p, g.v));
    g.output("z", weights ? p : s);
    CHECK(settle(g) == 0);
  }
}

TEST_CASE(
    "fuse_attention: does not fire over another axis, on a scale after the mask or on a tensor as scale") {
  AttentionGraph axis;
  axis.output("y", axis.matmul(axis.softmax(axis.matmul(axis.q, axis.turned(axis.k)), 2), axis.v));
  CHECK(settle(axis) == 0);
  AttentionGraph late;
  ir::Value* mask = late.input("mask", DType::f32, {S, T});
  ir::Value* s = late.binary(BinaryKind::add, late.matmul(late.q, late.turned(late.k)), mask);
  late.output("y", late.matmul(late.softmax(late.times(s, 0.5f)), late.v));
  CHECK(settle(late) == 0);
  AttentionGraph tensor;
  ir::Value* t = tensor.binary(BinaryKind::mul, tensor.matmul(tensor.q, tensor.turned(tensor.k)),
                               tensor.f32({H, 1, 1}, {1, 2, 3}));
  tensor.output("y", tensor.matmul(tensor.softmax(t), tensor.v));
  CHECK(settle(tensor) == 0);
}

TEST_CASE(
    "fuse_attention: does not fire on a condition that hides a whole row, or fills with a mild number") {
  for (const float fill : {-3e38f, -100.0f}) {
    AttentionGraph g;
    std::vector<uint8_t> flags = causal(false);
    if (fill < -1e30f) std::fill(flags.begin(), flags.begin() + T, uint8_t{0});
    ir::Value* s = g.matmul(g.q, g.turned(g.k));
    g.output("y", g.matmul(g.softmax(g.where(g.condition({S, T}, flags), s, g.f32({}, {fill}))), g.v));
    CHECK(settle(g) == 0);
  }
}

TEST_CASE("fuse_attention: does not fire when K is not turned by a Transpose") {
  AttentionGraph g;
  ir::Value* stored = g.input("kt", DType::f32, {B, H, D, T});
  g.output("y", g.matmul(g.softmax(g.matmul(g.q, stored)), g.v));
  CHECK(settle(g) == 0);
}
