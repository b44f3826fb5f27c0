// Sessions: planning in stages, memory sharing, branches, and runs that do not allocate.
#include "runtime/exec/session.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/support/alloc_guard.h"
#include "tests/support/graph_maker.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

std::unique_ptr<Session> start(const std::shared_ptr<const Model>& model, SessionOptions options = {}) {
  auto session = Session::create(model, options);
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  return std::move(session).value();
}

template <class T>
void write(Session& s, size_t input, const std::vector<T>& values) {
  REQUIRE(s.input(input).byte_size() == values.size() * sizeof(T));
  std::memcpy(s.input(input).data, values.data(), values.size() * sizeof(T));
}

std::vector<float> read(const Session& s, size_t output) {
  const TensorView& t = s.output(output);
  return {t.as<float>(), t.as<float>() + t.count()};
}

void run(Session& s) {
  const Status status = s.run();
  REQUIRE_MESSAGE(status.is_ok(), status.message());
}

}  // namespace

TEST_CASE("session: a chain of operators runs and the second run does not allocate") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 3});
  ir::Value* t = g.transpose(g.unary(UnaryKind::neg, x), {1, 0});
  g.output("y", g.unary(UnaryKind::relu, t));
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  write<float>(*s, 0, {1, -2, 3, -4, 5, -6});
  run(*s);
  CHECK(read(*s, 0) == std::vector<float>{0, 4, 2, 0, 0, 6});
  AllocCounter counter;
  run(*s);
  if (kCountsAllocations) CHECK(counter.count() == 0);
  CHECK(read(*s, 0) == std::vector<float>{0, 4, 2, 0, 0, 6});
}

TEST_CASE("session: activations that are never alive together share bytes") {
  GraphMaker g;
  ir::Value* v = g.input("x", DType::f32, {1024});
  for (int i = 0; i < 10; ++i)
    v = g.node("rev" + std::to_string(i),
               [&] {
                 schema::TransposeOptionsT o;
                 o.perm = {0};
                 return o;
               }(),
               {v});
  g.output("y", v);
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  CHECK(s->memory().arena_bytes <= 4 * 4096);  // input, output and two in flight, not eleven
}

TEST_CASE("session: a shape that is computed from an input cuts the plan, and a new value plans again") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {6});
  ir::Value* shape = g.input("shape", DType::i64, {2});
  ir::Value* r = g.node("reshape", schema::ReshapeOptionsT{}, {x, shape});
  g.output("y", g.unary(UnaryKind::neg, r));
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  write<float>(*s, 0, {1, 2, 3, 4, 5, 6});
  write<int64_t>(*s, 1, {2, 3});
  run(*s);
  CHECK(s->stage_count() == 2);
  CHECK(s->output(0).shape == Shape{2, 3});
  AllocCounter counter;
  run(*s);
  if (kCountsAllocations) CHECK(counter.count() == 0);
  write<int64_t>(*s, 1, {3, -1});
  run(*s);
  CHECK(s->output(0).shape == Shape{3, 2});
  CHECK(read(*s, 0) == std::vector<float>{-1, -2, -3, -4, -5, -6});
  write<int64_t>(*s, 1, {4, 4});
  const Status bad = s->run();
  CHECK(bad.code() == Code::bad_file);
  CHECK(bad.message().find("reshape") != std::string::npos);
  REQUIRE(s->prepare().is_ok());  // and it recovers
  write<float>(*s, 0, {1, 2, 3, 4, 5, 6});
  write<int64_t>(*s, 1, {1, 6});
  run(*s);
  CHECK(s->output(0).shape == Shape{1, 6});
}

TEST_CASE("session: If follows its condition, run by run") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2});
  ir::Value* condition = g.input("condition", DType::boolean, {});
  schema::OpUnion op;
  op.Set(schema::IfOptionsT{});
  ir::Node* node = g.graph.add_node(g.graph.main, nullptr, "if", std::move(op), {condition});
  ir::Block* then_block = g.graph.add_block(node);
  ir::Block* else_block = g.graph.add_block(node);
  then_block->outputs = {g.unary(UnaryKind::neg, x, then_block)};
  else_block->outputs = {g.unary(UnaryKind::abs, g.unary(UnaryKind::neg, x, else_block), else_block)};
  REQUIRE(ir::infer_node(*node).is_ok());
  g.output("y", g.unary(UnaryKind::neg, node->out()));
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  write<float>(*s, 0, {1, -2});
  for (uint8_t c : {1, 0, 0, 1}) {
    write<uint8_t>(*s, 1, {c});
    run(*s);
    CHECK(read(*s, 0) == (c != 0 ? std::vector<float>{1, -2} : std::vector<float>{-1, -2}));
  }
}

TEST_CASE("session: an If hands out several results") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2});
  ir::Value* condition = g.input("condition", DType::boolean, {});
  schema::OpUnion op;
  op.Set(schema::IfOptionsT{});
  ir::Node* node = g.graph.add_node(g.graph.main, nullptr, "if", std::move(op), {condition}, 2);
  ir::Block* then_block = g.graph.add_block(node);
  ir::Block* else_block = g.graph.add_block(node);
  then_block->outputs = {g.unary(UnaryKind::neg, x, then_block), g.unary(UnaryKind::abs, x, then_block)};
  else_block->outputs = {g.unary(UnaryKind::abs, x, else_block), g.unary(UnaryKind::neg, x, else_block)};
  REQUIRE(ir::infer_node(*node).is_ok());
  // Results whose shape the file leaves open have none until the branch has run.
  for (ir::Value* v : node->outputs) v->shape = Shape::unknown_rank();
  g.output("a", node->out(0));
  g.output("b", node->out(1));
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  write<float>(*s, 0, {1, -2});
  for (uint8_t c : {1, 0, 1}) {
    write<uint8_t>(*s, 1, {c});
    run(*s);
    CHECK(read(*s, 0) == (c != 0 ? std::vector<float>{-1, 2} : std::vector<float>{1, 2}));
    CHECK(read(*s, 1) == (c != 0 ? std::vector<float>{1, 2} : std::vector<float>{-1, 2}));
  }
}

TEST_CASE("ir: the transpose of a value of unknown rank has its type, and the rank of the permutation") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::i32, {2, 3});
  x->shape = Shape::unknown_rank();
  const ir::Value* y = g.transpose(x, {1, 0});
  CHECK(y->dtype == DType::i32);
  CHECK(y->shape == Shape{kUnknownDim, kUnknownDim});
}

TEST_CASE("session: an open dim takes any size, one session after the other shape") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {kUnknownDim, 2});
  g.output("y", g.unary(UnaryKind::neg, x));
  auto s = start(g.open());
  CHECK(s->prepare().code() == Code::bad_argument);  // not set yet
  for (int64_t n : {1, 5, 2}) {
    REQUIRE(s->set_input_shape(0, Shape{n, 2}).is_ok());
    REQUIRE(s->prepare().is_ok());
    write<float>(*s, 0, std::vector<float>(static_cast<size_t>(2 * n), 3.0f));
    run(*s);
    CHECK(s->output(0).shape == Shape{n, 2});
    CHECK(read(*s, 0) == std::vector<float>(static_cast<size_t>(2 * n), -3.0f));
  }
  const Status bad = s->set_input_shape(0, Shape{1, 3});
  CHECK(bad.code() == Code::bad_argument);
  CHECK(bad.message().find("[?, 2]") != std::string::npos);
}

TEST_CASE("session: inputs, constants and repeated outputs come out under their own names") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2});
  ir::Value* y = g.unary(UnaryKind::neg, x);
  g.output("same", x);
  g.output("twice", y);
  g.output("again", y);
  g.output("fixed", g.f32(Shape{2}, {7, 8}));
  auto s = start(g.open());
  REQUIRE(s->prepare().is_ok());
  write<float>(*s, 0, {1, 2});
  run(*s);
  CHECK(std::string(s->output(2).name) == "again");
  CHECK(read(*s, 0) == std::vector<float>{1, 2});
  CHECK(read(*s, 1) == std::vector<float>{-1, -2});
  CHECK(read(*s, 2) == std::vector<float>{-1, -2});
  CHECK(read(*s, 3) == std::vector<float>{7, 8});
}

TEST_CASE("session: two sessions share one model and give what one alone gives") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {4});
  g.output("y", g.binary(BinaryKind::mul, x, g.f32(Shape{4}, {1, 2, 3, 4})));
  const auto model = g.open();
  auto a = start(model), b = start(model);
  REQUIRE((a->prepare().is_ok() && b->prepare().is_ok()));
  write<float>(*a, 0, {1, 1, 1, 1});
  write<float>(*b, 0, {2, 2, 2, 2});
  run(*a);
  run(*b);
  CHECK(read(*a, 0) == std::vector<float>{1, 2, 3, 4});
  CHECK(read(*b, 0) == std::vector<float>{2, 4, 6, 8});
}

TEST_CASE("session: a plan above the memory limit is refused") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {kUnknownDim});
  g.output("y", g.unary(UnaryKind::neg, x));
  SessionOptions options;
  options.max_arena_bytes = 1 << 20;
  auto s = start(g.open(), options);
  REQUIRE(s->set_input_shape(0, Shape{int64_t{1} << 40}).is_ok());
  CHECK(s->prepare().code() == Code::no_memory);
  REQUIRE(s->set_input_shape(0, Shape{16}).is_ok());
  CHECK(s->prepare().is_ok());
}
