// CachedAttention: refusals and shapes; what it computes over several runs is in tests/runtime/cached_attention_session_test.cc.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;

namespace {

schema::CachedAttentionOptionsT options(schema::CacheType cache) {
  schema::CachedAttentionOptionsT o;
  o.q_heads = 4, o.kv_heads = 2, o.context = 100, o.cache = cache;
  return o;
}

std::string refusal(const schema::CachedAttentionOptionsT& o, const std::vector<TestTensor>& inputs) {
  const OpResult r = run_op(o, inputs);
  CHECK(!r.status.is_ok());
  return r.status.message();
}

}  // namespace

TEST_CASE("cached attention: one token sees only itself, so its value comes back") {
  test::Random random(1);
  const auto q = random.reals(4 * 8), k = random.reals(2 * 8), v = random.reals(2 * 5);
  for (auto cache : {schema::CacheType::f16, schema::CacheType::i8}) {
    const OpResult r = run_op(options(cache), {tensor<float>({1, 1, 32}, q), tensor<float>({1, 1, 16}, k),
                                               tensor<float>({1, 1, 10}, v)});
    REQUIRE(r.status.is_ok());
    CHECK(!r.overrun);
    CHECK(r.out[0].shape == Shape({1, 1, 20}));
    const auto y = r.out[0].values<float>();
    // f16: half an ulp of it; i8: half a step of 1/127 of the largest value.
    const float bound = cache == schema::CacheType::i8 ? 1.01f / 254 : 0x1p-11f;
    for (size_t i = 0; i < y.size(); ++i) CHECK(std::fabs(y[i] - v[i / 10 * 5 + i % 5]) <= bound);
  }
}

TEST_CASE("cached attention refuses what it cannot hold or does not know") {
  const TestTensor q = tensor<float>({1, 1, 32}, std::vector<float>(32)),
                   k = tensor<float>({1, 1, 16}, std::vector<float>(16));
  const TestTensor two = tensor<float>({1, 2, 16}, std::vector<float>(32));
  auto o = options(schema::CacheType::i8);
  CHECK(refusal(o, {q, two, two}).find("as many keys as queries") != std::string::npos);
  o.context = 0;
  CHECK(refusal(o, {q, k, k}).find("context must be 1 to") != std::string::npos);
  o = options(static_cast<schema::CacheType>(7));
  CHECK(refusal(o, {q, k, k}).find("kind of cache") != std::string::npos);
  o = options(schema::CacheType::i8), o.kv_heads = 3;
  CHECK(refusal(o, {q, k, k}).find("heads") != std::string::npos);
  o = options(schema::CacheType::i8), o.has_scale = true, o.scale = NAN;
  CHECK(refusal(o, {q, k, k}).find("scale") != std::string::npos);
  o = options(schema::CacheType::i8), o.q_heads = 1, o.kv_heads = 1;
  const TestTensor deep = tensor<float>({1, 1, 5000}, std::vector<float>(5000));
  CHECK(refusal(o, {deep, deep, deep}).find("depth of a head") != std::string::npos);
}
