// fuse_rotary: spelled-out rotary position embedding.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

constexpr int64_t B = 2, H = 3, S = 4, D = 6;

struct RotaryGraph : GraphMaker {
  ir::Value* x = nullptr;
  explicit RotaryGraph(int64_t batch = B) { x = input("x", DType::f32, {batch, H, S, D}); }
  ir::Value* slice(ir::Value* v, int64_t from, int64_t to) {
    return node(graph.unique_name("slice"), schema::SliceOptionsT{},
                {v, graph.add_i64("from", {from}), graph.add_i64("to", {to}), graph.add_i64("axes", {3})});
  }
  ir::Value* concat(ir::Value* a, ir::Value* b) {
    schema::ConcatOptionsT o;
    o.axis = -1;
    return node(graph.unique_name("concat"), o, {a, b});
  }
  ir::Value* turned(ir::Value* v) {
    return concat(unary(UnaryKind::neg, slice(v, D / 2, INT64_MAX)), slice(v, 0, D / 2));
  }
  ir::Value* rotated(ir::Value* v, ir::Value* cosines, ir::Value* sines) {
    return binary(BinaryKind::add, binary(BinaryKind::mul, v, cosines),
                  binary(BinaryKind::mul, turned(v), sines));
  }
  // [S, D] whose halves are equal.
  ir::Value* table(uint64_t seed, bool equal = true) {
    std::vector<float> values;
    test::Random random(seed);
    for (int64_t s = 0; s < S; ++s) {
      const auto half = random.reals(D / 2), other = random.reals(D / 2);
      values.insert(values.end(), half.begin(), half.end());
      values.insert(values.end(), (equal ? half : other).begin(), (equal ? half : other).end());
    }
    return f32({S, D}, values);
  }
};

size_t settle(GraphMaker& g) {
  const size_t fired = try_pass(g, fuse_rotary, 1e-5);
  run_once(g.graph, remove_dead_code);
  return fired;
}

}  // namespace

TEST_CASE("fuse_rotary: constant tables, spread over a known batch") {
  RotaryGraph g;
  g.output("y", g.rotated(g.x, g.table(1), g.table(2)));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "RotaryEmbedding");
  CHECK(g.graph.in_order()[0]->in(1)->shape == Shape{B, S, D / 2});
}

TEST_CASE("fuse_rotary: cos and sin of concatenated frequencies of the run, as Llama exports them") {
  RotaryGraph g;
  ir::Value* f = g.input("f", DType::f32, {B, S, D / 2});
  ir::Value* angles = g.concat(f, f);
  const auto table = [&](UnaryKind kind) {
    return g.node(g.graph.unique_name("heads"), schema::UnsqueezeOptionsT{},
                  {g.unary(kind, angles), g.graph.add_i64("axes", {1})});
  };
  ir::Value *c = table(UnaryKind::cos), *s = table(UnaryKind::sin);
  g.output("y", g.rotated(g.x, c, s));
  g.output("z", g.rotated(g.unary(UnaryKind::abs, g.x), c, s));  // queries and keys share the tables
  CHECK(settle(g) == 2);
  CHECK(ops_of(g).find("Concat") == std::string::npos);
  CHECK(ops_of(g).find("Slice") == std::string::npos);
}

TEST_CASE("fuse_rotary: rows of constant tables gathered by position") {
  RotaryGraph g;
  ir::Value* positions = g.input("positions", DType::i64, {B, S});
  const auto table = [&](uint64_t seed) {
    ir::Value* rows =
        g.node(g.graph.unique_name("rows"), schema::GatherOptionsT{}, {g.table(seed), positions});
    return g.node(g.graph.unique_name("heads"), schema::UnsqueezeOptionsT{},
                  {rows, g.graph.add_i64("axes", {1})});
  };
  g.output("y", g.rotated(g.x, table(1), table(2)));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g).find("RotaryEmbedding") != std::string::npos);
}

TEST_CASE("fuse_rotary: halves cut by Split") {
  RotaryGraph g;
  schema::SplitOptionsT o;
  o.axis = 3;
  schema::OpUnion op;
  op.Set(o);
  ir::Node* split = g.graph.add_node(g.graph.main, nullptr, "split", op, {g.x}, 2);
  REQUIRE(ir::infer_node(*split).is_ok());
  ir::Value* turned = g.concat(g.unary(UnaryKind::neg, split->out(1)), split->out(0));
  g.output("y", g.binary(BinaryKind::add, g.binary(BinaryKind::mul, turned, g.table(2)),
                         g.binary(BinaryKind::mul, g.table(1), g.x)));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "RotaryEmbedding");
}

TEST_CASE("fuse_rotary: does not fire when the halves of a table differ or are not seen to be equal") {
  RotaryGraph differ;
  differ.output("y", differ.rotated(differ.x, differ.table(1), differ.table(2, false)));
  CHECK(settle(differ) == 0);
  RotaryGraph unseen;
  unseen.output("y", unseen.rotated(unseen.x, unseen.input("cos", DType::f32, {S, D}), unseen.table(2)));
  CHECK(settle(unseen) == 0);
}

TEST_CASE("fuse_rotary: does not fire on a turn the other way, another cut, or another tensor") {
  RotaryGraph way;  // concat(x2, -x1)
  ir::Value* turned =
      way.concat(way.slice(way.x, D / 2, D), way.unary(UnaryKind::neg, way.slice(way.x, 0, D / 2)));
  way.output("y", way.binary(BinaryKind::add, way.binary(BinaryKind::mul, way.x, way.table(1)),
                             way.binary(BinaryKind::mul, turned, way.table(2))));
  CHECK(settle(way) == 0);
  RotaryGraph cut;
  turned = cut.concat(cut.unary(UnaryKind::neg, cut.slice(cut.x, 2, D)), cut.slice(cut.x, 0, 2));
  cut.output("y", cut.binary(BinaryKind::add, cut.binary(BinaryKind::mul, cut.x, cut.table(1)),
                             cut.binary(BinaryKind::mul, turned, cut.table(2))));
  CHECK(settle(cut) == 0);
  RotaryGraph other;
  ir::Value* z = other.input("z", DType::f32, {B, H, S, D});
  other.output("y", other.binary(BinaryKind::add, other.binary(BinaryKind::mul, z, other.table(1)),
                                 other.binary(BinaryKind::mul, other.turned(other.x), other.table(2))));
  CHECK(settle(other) == 0);
}

TEST_CASE("fuse_rotary: does not fire when a part is read elsewhere, or the batch is unknown") {
  RotaryGraph part;
  ir::Value* turned = part.turned(part.x);
  part.output("y", part.binary(BinaryKind::add, part.binary(BinaryKind::mul, part.x, part.table(1)),
                               part.binary(BinaryKind::mul, turned, part.table(2))));
  part.output("turned", turned);
  CHECK(settle(part) == 0);
  RotaryGraph batch(kUnknownDim);
  batch.output("y", batch.rotated(batch.x, batch.table(1), batch.table(2)));
  CHECK(settle(batch) == 0);
}
