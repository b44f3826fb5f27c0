// XNNPACK's products and softmax as attention, against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

constexpr int64_t B = 2, H = 3, D = 8, E = 5;

double difference(const schema::AttentionOptionsT& o, const std::vector<TestTensor>& inputs,
                  size_t threads = 1) {
  OpRunSettings settings;
  settings.threads = threads;
  const Compared c = compare_backends(o, inputs, settings);
  REQUIRE(c.taken);
  return c.max_error;
}

std::vector<TestTensor> operands(RandomTensors& random, int64_t queries, int64_t keys) {
  return {random.floats({B, H, queries, D}), random.floats({B, H, keys, D}), random.floats({B, H, keys, E})};
}

}  // namespace

TEST_CASE("xnnpack attention agrees with the reference: default and given scale, causal, threads") {
  RandomTensors random(31);
  for (const int64_t queries : {4, 9, 64})
    for (const int64_t keys : {1, 7, 80}) {
      CAPTURE(queries);
      CAPTURE(keys);
      schema::AttentionOptionsT o;
      CHECK(difference(o, operands(random, queries, keys)) <= 1e-5);
      o.has_scale = true;
      o.scale = 1.5f;
      o.causal = true;
      CHECK(difference(o, operands(random, queries, keys), 2) <= 1e-5);
    }
}

TEST_CASE("xnnpack attention: masks of numbers and booleans broadcast; a short one hides the rest") {
  RandomTensors random(32);
  const schema::AttentionOptionsT o;
  for (const Shape& shape :
       {Shape{7}, Shape{6, 7}, Shape{B, 1, 1, 7}, Shape{H, 6, 1}, Shape{B, H, 6, 7}, Shape{6, 4}}) {
    CAPTURE(shape.text());
    auto inputs = operands(random, 6, 7);
    inputs.push_back(random.floats(shape, -3, 3));
    CHECK(difference(o, inputs) <= 1e-5);
    inputs[3] = random.integers<uint8_t>(shape, 0, 1);
    inputs[3].dtype = DType::boolean;
    CHECK(difference(o, inputs) <= 1e-5);
  }
}

TEST_CASE("xnnpack attention: a row that sees no key gives zero, not NaN") {
  RandomTensors random(33);
  auto inputs = operands(random, 4, 5);
  std::vector<uint8_t> shown(20, 1);
  std::fill(shown.begin() + 5, shown.begin() + 10, uint8_t{0});
  inputs.push_back(tensor<uint8_t>({4, 5}, shown, DType::boolean));
  const Compared c = compare_backends(schema::AttentionOptionsT{}, inputs);
  REQUIRE(c.taken);
  CHECK(c.max_error <= 1e-5);
  CHECK(c.xnnpack.out[0].values<float>()[E] == 0.0f);
}

TEST_CASE("xnnpack attention leaves soft caps, shared heads, past keys and few queries to the reference") {
  RandomTensors random(34);
  schema::AttentionOptionsT capped;
  capped.softcap = 2;
  CHECK_FALSE(compare_backends(capped, operands(random, 6, 7)).taken);
  const schema::AttentionOptionsT o;
  CHECK_FALSE(compare_backends(o, operands(random, 1, 7)).taken);
  auto shared = operands(random, 6, 7);
  shared[1] = random.floats({B, 1, 7, D});
  shared[2] = random.floats({B, 1, 7, E});
  CHECK_FALSE(compare_backends(o, shared).taken);
  auto past = operands(random, 6, 7);
  past.push_back(omitted());
  past.push_back(random.floats({B, H, 2, D}));
  past.push_back(random.floats({B, H, 2, E}));
  CHECK_FALSE(compare_backends(o, past).taken);
}

}  // namespace pith
