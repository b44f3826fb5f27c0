// Import rules of elementwise operators, reductions, normalizations and quantization: old and new forms of each operator.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/folded_node.h"

namespace pith::test {
namespace {

const TestTensor kX = tensor<float>({1, 2, 2}, {-2, -1, 1, 3});

void near(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("import of Clip: bounds as attributes, as constants, as integers") {
  FoldedNode old("Clip", 6);
  old.input(kX).real("min", -1.5f).real("max", 2);
  REQUIRE(old.run().message() == "");
  CHECK(old.values<float>() == std::vector<float>{-1.5f, -1, 1, 2});
  FoldedNode now("Clip", 13);
  now.input(kX).omitted().input(tensor<float>({}, {0}));
  REQUIRE(now.run().message() == "");
  CHECK(now.values<float>() == std::vector<float>{-2, -1, 0, 0});
  FoldedNode integers("Clip", 13);
  integers.input(tensor<int64_t>({2}, {INT64_MAX, -5})).input(tensor<int64_t>({}, {-4}));
  REQUIRE(integers.run().message() == "");
  CHECK(integers.values<int64_t>() == std::vector<int64_t>{INT64_MAX, -4});
  FoldedNode missing("Clip", 13);
  missing.omitted().input(tensor<float>({}, {0}));
  CHECK(missing.run().code() == Code::bad_file);
}

TEST_CASE("import of Add before opset 7: the second operand starts at an axis") {
  FoldedNode f("Add", 6);
  f.input(kX).input(tensor<float>({2}, {10, 20})).integer("broadcast", 1).integer("axis", 1);
  REQUIRE(f.run().message() == "");
  CHECK(f.values<float>() == std::vector<float>{8, 9, 21, 23});
  FoldedNode bad("Add", 6);
  bad.input(kX).input(tensor<float>({2}, {10, 20})).integer("broadcast", 1).integer("axis", INT64_MIN);
  CHECK(bad.run().code() == Code::bad_file);
}

TEST_CASE("import of operators of any number of operands") {
  FoldedNode mean("Mean", 13);
  mean.input(tensor<float>({2}, {1, 2})).input(tensor<float>({1}, {3})).input(tensor<float>({2}, {5, 7}));
  REQUIRE(mean.run().message() == "");
  CHECK(mean.values<float>() == std::vector<float>{3, 4});
  FoldedNode none("Max", 13);
  CHECK(none.run().code() == Code::bad_file);
}

TEST_CASE("import of PRelu before opset 7: one slope for each channel") {
  FoldedNode f("PRelu", 6);
  f.input(tensor<float>({1, 2, 2}, {-2, -1, -1, 3})).input(tensor<float>({2}, {0.5f, 10}));
  REQUIRE(f.run().message() == "");
  CHECK(f.values<float>() == std::vector<float>{-1, -0.5f, -10, 3});
}

TEST_CASE("import of BitShift refuses an unknown direction") {
  FoldedNode f("BitShift", 11);
  f.input(tensor<uint8_t>({1}, {1})).input(tensor<uint8_t>({1}, {1})).text("direction", "UP");
  CHECK(f.run().code() == Code::bad_file);
}

TEST_CASE("import of Softmax before opset 13 works on all dims from the axis on") {
  FoldedNode f("Softmax", 11);
  f.input(tensor<float>({1, 2, 2}, {0, 0, 0, 0}));
  REQUIRE(f.run().message() == "");
  CHECK(f.out().shape == Shape{1, 2, 2});
  CHECK(f.values<float>() == std::vector<float>(4, 0.25f));
}

TEST_CASE("import of reductions with axes as attribute and as input, and of TopK with k as attribute") {
  FoldedNode old("ReduceSum", 11);
  old.input(kX).integers("axes", {-1}).integer("keepdims", 0);
  REQUIRE(old.run().message() == "");
  CHECK(old.values<float>() == std::vector<float>{-3, 4});
  FoldedNode now("ReduceL1", 18);
  now.input(kX).input(tensor<int64_t>({1}, {1}));
  REQUIRE(now.run().message() == "");
  CHECK(now.values<float>() == std::vector<float>{3, 4});
  FoldedNode top("TopK", 1);
  top.outputs(2).input(kX).integer("k", 1);
  REQUIRE(top.run().message() == "");
  CHECK(top.values<float>() == std::vector<float>{-1, 3});
  CHECK(top.values<int64_t>(1) == std::vector<int64_t>{1, 1});
  FoldedNode without("TopK", 1);
  without.outputs(2).input(kX);
  CHECK(without.run().code() == Code::bad_file);
}

TEST_CASE("import of GroupNormalization: scale for each group, and since opset 21 for each channel") {
  const TestTensor x = tensor<float>({1, 4, 1, 2}, {1, 3, 1, 3, 2, 6, 2, 6});
  FoldedNode groups("GroupNormalization", 18);
  groups.input(x).input(tensor<float>({2}, {1, 2})).input(tensor<float>({2}, {0, 1}));
  groups.integer("num_groups", 2).real("epsilon", 0);
  REQUIRE(groups.run().message() == "");
  near(groups.values<float>(), {-1, 1, -1, 1, -1, 3, -1, 3});
  FoldedNode channels("GroupNormalization", 21);
  channels.input(x).input(tensor<float>({4}, {1, 2, 3, 4})).input(tensor<float>({4}, {0, 0, 0, 1}));
  channels.integer("num_groups", 2).real("epsilon", 0);
  REQUIRE(channels.run().message() == "");
  near(channels.values<float>(), {-1, 1, -2, 2, -3, 3, -3, 5});
}

TEST_CASE("import of BatchNormalization becomes a scale and an offset; training is refused") {
  auto batch = [](FoldedNode& f) -> FoldedNode& {
    f.input(kX).input(tensor<float>({2}, {2, 1})).input(tensor<float>({2}, {0, 5}));
    return f.input(tensor<float>({2}, {1, 2})).input(tensor<float>({2}, {4, 1})).real("epsilon", 0);
  };
  FoldedNode f("BatchNormalization", 15);
  REQUIRE(batch(f).run().message() == "");
  near(f.values<float>(), {-3, -2, 4, 6});
  FoldedNode training("BatchNormalization", 15);
  CHECK(batch(training).integer("training_mode", 1).run().code() == Code::unsupported);
}

TEST_CASE("import of MeanVarianceNormalization and of normalizations with a skip connection") {
  FoldedNode mvn("MeanVarianceNormalization", 13);
  mvn.input(tensor<float>({1, 1, 2}, {3, 7})).integers("axes", {2});
  REQUIRE(mvn.run().message() == "");
  near(mvn.values<float>(), {-1, 1});
  FoldedNode skip("SkipLayerNormalization", 17, "com.microsoft");
  skip.input(tensor<float>({1, 1, 2}, {1, 4})).input(tensor<float>({1, 1, 2}, {2, 3}));
  skip.input(tensor<float>({2}, {1, 2})).input(tensor<float>({2}, {0, 1})).real("epsilon", 0);
  REQUIRE(skip.run().message() == "");
  near(skip.values<float>(), {-1, 3});
}

TEST_CASE("import of LayerNormalization expands a scale that does not cover the normalized dims") {
  FoldedNode f("LayerNormalization", 17);
  f.input(tensor<float>({1, 2, 2}, {1, 3, 1, 3})).input(tensor<float>({2}, {1, 2})).integer("axis", 1);
  f.real("epsilon", 0);
  REQUIRE(f.run().message() == "");
  near(f.values<float>(), {-1, 2, -1, 2});
}

TEST_CASE("import of QuantizeLinear: the type comes from the zero point, from an attribute, or is u8") {
  const TestTensor x = tensor<float>({2}, {-1, 1});
  FoldedNode zero("QuantizeLinear", 13);
  zero.input(x).input(tensor<float>({}, {0.5f})).input(tensor<int8_t>({}, {1}));
  REQUIRE(zero.run().message() == "");
  CHECK(zero.values<int8_t>() == std::vector<int8_t>{-1, 3});
  FoldedNode attribute("QuantizeLinear", 21);
  attribute.input(x).input(tensor<float>({}, {0.5f})).integer("output_dtype", 5);
  REQUIRE(attribute.run().message() == "");
  CHECK(attribute.values<int16_t>() == std::vector<int16_t>{-2, 2});
  FoldedNode plain("QuantizeLinear", 13);
  plain.input(x).input(tensor<float>({}, {0.5f}));
  REQUIRE(plain.run().message() == "");
  CHECK(plain.values<uint8_t>() == std::vector<uint8_t>{0, 2});
  FoldedNode small("QuantizeLinear", 21);
  small.input(x).input(tensor<float>({}, {0.5f})).integer("output_dtype", 22);
  CHECK(small.run().code() == Code::unsupported);
}

TEST_CASE("import of Cast refuses types that Pith does not have, by name") {
  FoldedNode f("Cast", 19);
  f.input(kX).integer("to", 17);
  const Status s = f.run();
  CHECK(s.code() == Code::unsupported);
  CHECK(s.message().find("float8e4m3fn") != std::string::npos);
}

}  // namespace pith::test
