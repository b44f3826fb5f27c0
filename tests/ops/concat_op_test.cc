// Concat and Split: pieces along an axis, and that one undoes the other.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
schema::ConcatOptionsT concat(int axis) {
  schema::ConcatOptionsT options;
  options.axis = axis;
  return options;
}
}  // namespace

TEST_CASE("concat: inputs follow each other along the axis") {
  const OpResult r = run_op(concat(-1), {tensor<float>({2, 1}, {1, 4}), tensor<float>({2, 0}, {}),
                                         tensor<float>({2, 2}, {2, 3, 5, 6})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[0].values<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("concat: other dims and element types must agree") {
  CHECK(run_op(concat(0), {tensor<float>({1, 2}, {1, 2}), tensor<float>({1, 1}, {1})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(concat(0), {tensor<float>({1}, {1}), tensor<int32_t>({1}, {1})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(concat(2), {tensor<float>({1}, {1})}).status.code() == Code::bad_file);
  CHECK(run_op(concat(0), {}).status.code() == Code::bad_file);
}

TEST_CASE("concat: quantized inputs need the quantization of the output") {
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({}, {}).quantized(0.5f, 3)};
  const TestTensor same = tensor<int8_t>({1}, {1}).quantized(0.5f, 3);
  const TestTensor other = tensor<int8_t>({1}, {1}).quantized(0.25f, 3);
  CHECK(run_op(concat(0), {same, same}, settings).out[0].values<int8_t>() == std::vector<int8_t>{1, 1});
  CHECK(run_op(concat(0), {same, other}, settings).status.code() == Code::bad_file);
}

TEST_CASE("concat: unknown dims in the converter stay unknown unless another input knows them") {
  TestTensor a = tensor<float>({2, kUnknownDim}, {}), b = tensor<float>({3, 4}, {});
  TensorView va = op_runner_detail::view_of(a, "a"), vb = op_runner_detail::view_of(b, "b"), vy;
  TensorView* inputs[] = {&va, &vb};
  TensorView* outputs[] = {&vy};
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::CreateConcatOptions(builder, 0));
  NodeView node{"node", schema::Op::ConcatOptions,
                flatbuffers::GetRoot<schema::ConcatOptions>(builder.GetBufferPointer()), inputs, outputs};
  REQUIRE(find_op(node.op)->infer(node).is_ok());
  CHECK(vy.shape == Shape{5, 4});
  va.shape = Shape::unknown_rank();
  REQUIRE(find_op(node.op)->infer(node).is_ok());
  CHECK(vy.shape == Shape{kUnknownDim, 4});
}
