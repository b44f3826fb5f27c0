// A session with memory: tokens given in several runs attend to all before them, as one attention over everything would.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "runtime/exec/session.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/file_maker.h"
#include "tests/support/random_values.h"

using namespace pith;

namespace {

constexpr int64_t kHeads = 6, kKvHeads = 2, kDepth = 20, kValueDepth = 12;
constexpr size_t kQ = kHeads * kDepth, kK = kKvHeads * kDepth, kV = kKvHeads * kValueDepth,
                 kY = kHeads * kValueDepth;

struct Tokens {  // row by row
  std::vector<float> q, k, v;
  explicit Tokens(size_t n, uint64_t seed) {
    test::Random r(seed);
    const auto count = [&](size_t width) { return static_cast<int64_t>(n * width); };
    q = r.reals(count(kQ), -2, 2), k = r.reals(count(kK), -2, 2), v = r.reals(count(kV), -2, 2);
  }
};

// One node: q, k, v -> y, any number of tokens of one sequence. The file's bytes must outlive the model.
struct OneNode {
  std::unique_ptr<uint8_t, decltype(&std::free)> bytes{nullptr, &std::free};
  std::shared_ptr<const Model> model;

  OneNode(schema::CacheType cache, uint32_t window, uint32_t context) {
    schema::ProgramT program;
    const auto tensor = [&](const char* name, int64_t width) {
      auto t = std::make_unique<schema::TensorT>();
      t->name = name, t->dtype = schema::DType::f32, t->dims = {1, -1, width};
      program.tensors.push_back(std::move(t));
    };
    tensor("q", kQ), tensor("k", kK), tensor("v", kV), tensor("y", kY);
    schema::CachedAttentionOptionsT options;
    options.q_heads = kHeads, options.kv_heads = kKvHeads;
    options.cache = cache, options.window = window, options.context = context;
    auto op = std::make_unique<schema::OperatorT>();
    op->name = "attention", op->inputs = {0, 1, 2}, op->outputs = {3};
    op->options.Set(std::move(options));
    program.blocks.push_back(std::make_unique<schema::BlockT>());
    program.blocks[0]->operators.push_back(std::move(op));
    auto entry = std::make_unique<schema::EntryPointT>();
    entry->name = "main", entry->inputs = {0, 1, 2}, entry->outputs = {3};
    program.entry_points.push_back(std::move(entry));
    const std::vector<uint8_t> weights(256);
    const test::FileHead head(program, weights.size(), hash64(weights.data(), weights.size()));
    const auto size = static_cast<size_t>(head.header.file_bytes);
    bytes.reset(static_cast<uint8_t*>(std::aligned_alloc(128, (size + 127) / 128 * 128)));
    std::memset(bytes.get(), 0, size);
    std::memcpy(bytes.get(), head.bytes.data(), head.bytes.size());
    auto opened = Model::from_memory({bytes.get(), size});
    REQUIRE_MESSAGE(opened.is_ok(), opened.status().message());
    model = opened.value();
  }
};

std::unique_ptr<Session> open_session(const std::shared_ptr<const Model>& model, size_t threads) {
  SessionOptions options;
  options.threads = threads;
  auto s = Session::create(model, options);
  REQUIRE_MESSAGE(s.is_ok(), s.status().message());
  return std::move(s).value();
}

Status give(Session& s, const Tokens& t, size_t first, size_t count, std::vector<float>* y) {
  const size_t widths[3] = {kQ, kK, kV};
  for (size_t i = 0; i < 3; ++i)
    REQUIRE(s.set_input_shape(i, {1, static_cast<int64_t>(count), static_cast<int64_t>(widths[i])}).is_ok());
  PITH_RETURN_IF_ERROR(s.prepare());
  const std::vector<float>* from[3] = {&t.q, &t.k, &t.v};
  for (size_t i = 0; i < 3; ++i)
    std::memcpy(s.input(i).data, from[i]->data() + first * widths[i], count * widths[i] * sizeof(float));
  PITH_RETURN_IF_ERROR(s.run());
  const auto* out = s.output(0).as<float>();
  if (y != nullptr) y->insert(y->end(), out, out + count * kY);
  return Status::ok();
}

// Exact attention over the tokens as they were given.
double exact(const Tokens& t, size_t token, size_t h, size_t e, size_t window) {
  const size_t g = h / (kHeads / kKvHeads);
  const size_t begin = window > 0 && token + 1 > window ? token + 1 - window : 0;
  double sum = 0, y = 0;
  for (size_t j = begin; j <= token; ++j) {
    double s = 0;
    for (size_t d = 0; d < kDepth; ++d)
      s += double{t.q[token * kQ + h * kDepth + d]} * t.k[j * kK + g * kDepth + d];
    const double p = std::exp(s / std::sqrt(static_cast<double>(kDepth)));
    sum += p, y += p * t.v[j * kV + g * kValueDepth + e];
  }
  return y / sum;
}

}  // namespace

TEST_CASE("a session with memory: pieces of a sequence give what attention over all of it gives") {
  const Tokens t(700, 5);
  for (auto cache : {schema::CacheType::f16, schema::CacheType::i8})
    for (uint32_t window : {0u, 100u}) {
      const OneNode node(cache, window, 700);
      std::vector<float> y;
      const auto s = open_session(node.model, 1);
      for (size_t at = 0, step = 1; at < 700; at += step, step = step * 2 + 1)
        REQUIRE(give(*s, t, at, std::min(step, 700 - at), &y).is_ok());
      CHECK(s->remembered() == 700);
      double worst = 0;
      for (size_t token : {0, 1, 5, 99, 100, 101, 512, 699})
        for (size_t h = 0; h < kHeads; ++h)
          for (size_t e = 0; e < kValueDepth; ++e)
            worst = std::max(worst,
                             std::fabs(y[token * kY + h * kValueDepth + e] - exact(t, token, h, e, window)));
      // Values are below 2. f16 rounds keys and values by 2^-12 of them: scores by sqrt(20) * 4 * 2^-12, so 2 (2 * 0.0044) +
      // 2^-11. i8: queries and keys by 2 / 254 each: scores by at most 2 * sqrt(20) * 2 * 2 / 254 = 0.14; values and
      // probabilities by 2 / 254 each.
      CHECK(worst <= (cache == schema::CacheType::i8 ? 2 * std::expm1(2 * 0.14) + 0.02 : 0.02));
      CHECK(worst > 0);
    }
}

TEST_CASE("a session with memory gives the same bytes for any threads and any cut of the sequence") {
  const Tokens t(1100, 6);
  for (auto cache : {schema::CacheType::f16, schema::CacheType::i8}) {
    const OneNode node(cache, 0, 1200);
    std::vector<float> at_once, by_threes;
    REQUIRE(give(*open_session(node.model, 1), t, 0, 1100, &at_once).is_ok());
    const auto s = open_session(node.model, 3);
    REQUIRE(give(*s, t, 0, 600, &by_threes).is_ok());
    for (size_t at = 600; at < 1100; at += 20) REQUIRE(give(*s, t, at, 20, &by_threes).is_ok());
    CHECK(std::memcmp(at_once.data(), by_threes.data(), at_once.size() * sizeof(float)) == 0);
    // Back to an earlier place, and the same tokens again.
    REQUIRE(s->rewind(700).is_ok());
    std::vector<float> again;
    REQUIRE(give(*s, t, 700, 20, &again).is_ok());
    CHECK(std::memcmp(again.data(), &at_once[700 * kY], again.size() * sizeof(float)) == 0);
    CHECK(s->remembered() == 720);
    CHECK(!s->rewind(721).is_ok());
  }
}

TEST_CASE("a session with memory refuses tokens that do not fit, and keeps what it had") {
  const Tokens t(10, 7);
  const OneNode node(schema::CacheType::i8, 0, 8);
  const auto s = open_session(node.model, 1);
  REQUIRE(give(*s, t, 0, 6, nullptr).is_ok());
  const Status refused = give(*s, t, 6, 3, nullptr);
  CHECK(refused.code() == Code::bad_argument);
  CHECK(refused.message().find("3 more tokens do not fit: 6 of 8 are held") != std::string::npos);
  CHECK(s->remembered() == 6);
  CHECK(give(*s, t, 6, 2, nullptr).is_ok());
  REQUIRE(s->rewind(0).is_ok());
  CHECK(give(*s, t, 0, 8, nullptr).is_ok());
}

TEST_CASE("a session with memory does not allocate while tokens come one by one") {
  const Tokens t(300, 8);
  const OneNode node(schema::CacheType::i8, 0, 300);
  const auto s = open_session(node.model, 1);
  REQUIRE(give(*s, t, 0, 1, nullptr).is_ok());
  for (size_t at = 1; at < 300; ++at) {
    std::memcpy(s->input(0).data, &t.q[at * kQ], kQ * sizeof(float));
    const AllocCounter allocations;
    const Status ran = s->run();
    CHECK((!kCountsAllocations || allocations.count() == 0));
    REQUIRE(ran.is_ok());
  }
  CHECK(s->remembered() == 300);
}
