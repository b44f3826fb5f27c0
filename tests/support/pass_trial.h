// Runs one pass over a small graph and checks what holds for every pass: the graph stays valid, the model's results
// stay what they were, and a second run changes nothing (the emitted file is the same byte for byte).
//   GraphMaker g; ...
//   CHECK(try_pass(g, fuse_activation) == 1);       // times it fired
//   CHECK(ops_of(g) == "Conv Add");                  // what is left, in execution order
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "converter/ir/verify.h"
#include "converter/passes/pass.h"
#include "runtime/exec/session.h"
#include "tests/support/graph_maker.h"
#include "tests/support/random_values.h"

namespace pith {

inline std::string ops_of(const GraphMaker& g) {
  std::string all;
  for (const ir::Node* node : g.graph.in_order()) {
    const std::string name = schema::EnumNameOp(node->op.type);
    all += (all.empty() ? "" : " ") + name.substr(0, name.rfind("Options"));
  }
  return all;
}

inline void fill_input(const TensorView& t, test::Random& random) {
  const int64_t n = t.count();
  if (t.dtype == DType::f32) {
    const auto values = random.reals(n, -2, 2);
    std::memcpy(t.data, values.data(), values.size() * sizeof(float));
  } else if (t.dtype == DType::boolean) {
    const auto values = random.integers<uint8_t>(n, 0, 1);
    std::memcpy(t.data, values.data(), values.size());
  } else if (t.dtype == DType::i64) {  // indices of small tensors
    const auto values = random.integers<int64_t>(n, 0, 1);
    std::memcpy(t.data, values.data(), values.size() * sizeof(int64_t));
  } else {
    const auto values = random.integers<uint8_t>(static_cast<int64_t>(t.byte_size()), 0, 255);
    std::memcpy(t.data, values.data(), values.size());
  }
}

// All outputs of the model on made inputs, as numbers.
inline std::vector<std::vector<double>> results_of(const std::shared_ptr<const Model>& model, uint64_t seed) {
  auto session = Session::create(model, {});
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  Session& s = *session.value();
  for (size_t i = 0; i < s.input_count(); ++i)
    if (!s.input(i).shape.is_known()) {
      Shape shape = s.input(i).shape;
      for (int d = 0; d < shape.rank(); ++d)
        if (shape[d] < 0) shape[d] = 2;
      REQUIRE(s.set_input_shape(i, shape).is_ok());
    }
  const Status prepared = s.prepare();
  REQUIRE_MESSAGE(prepared.is_ok(), prepared.message());
  test::Random random(seed);
  for (size_t i = 0; i < s.input_count(); ++i) fill_input(s.input(i), random);
  const Status ran = s.run();
  REQUIRE_MESSAGE(ran.is_ok(), ran.message());
  std::vector<std::vector<double>> all;
  for (size_t i = 0; i < s.output_count(); ++i) {
    const TensorView& t = s.output(i);
    std::vector<double> values(static_cast<size_t>(t.count()));
    for (size_t k = 0; k < values.size(); ++k) {
      if (t.dtype == DType::f32) values[k] = static_cast<double>(t.as<float>()[k]);
      if (t.dtype == DType::i64) values[k] = static_cast<double>(t.as<int64_t>()[k]);
      if (t.dtype == DType::i32) values[k] = t.as<int32_t>()[k];
      if (t.dtype == DType::i8) values[k] = t.as<int8_t>()[k];
      if (t.dtype == DType::u8 || t.dtype == DType::boolean) values[k] = t.as<uint8_t>()[k];
    }
    all.push_back(std::move(values));
  }
  return all;
}

inline std::string bytes_of(const ir::Graph& graph) {
  Result<ir::Bytes> bytes = emit_memory(graph, {});
  REQUIRE_MESSAGE(bytes.is_ok(), bytes.status().message());
  return {reinterpret_cast<const char*>(bytes.value().data), bytes.value().size};
}

inline size_t run_once(ir::Graph& graph, PassFn pass) {
  PassReport report;
  const Status s = pass(graph, report);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  const Status valid = ir::verify(graph, "the pass");
  REQUIRE_MESSAGE(valid.is_ok(), valid.message());
  return report.count();
}

// Times the pass fired. `tolerance`: how far a result may move, in units of max(1, |result|).
inline size_t try_pass(GraphMaker& g, PassFn pass, double tolerance = 2e-6) {
  const auto before = results_of(g.open(), 7);
  const size_t fired = run_once(g.graph, pass);
  const std::string once = bytes_of(g.graph);
  const auto after = results_of(g.open(), 7);
  REQUIRE(after.size() == before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    REQUIRE(after[i].size() == before[i].size());
    double worst = 0;
    for (size_t k = 0; k < after[i].size(); ++k) {
      if (std::isnan(after[i][k]) && std::isnan(before[i][k])) continue;
      worst =
          std::fmax(worst, std::fabs(after[i][k] - before[i][k]) / std::fmax(1.0, std::fabs(before[i][k])));
    }
    CAPTURE(i);
    CHECK(worst <= tolerance);
  }
  CHECK(run_once(g.graph, pass) == 0);
  CHECK_MESSAGE(bytes_of(g.graph) == once, "the second run changed the graph:\n" << ir::print(g.graph));
  return fired;
}

}  // namespace pith
