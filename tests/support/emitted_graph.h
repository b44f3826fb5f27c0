// A graph written to memory and opened again: what the verifier and a session say about it.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/exec/session.h"
#include "tests/support/graph_maker.h"

namespace pith::test {

inline Status open_status(const ir::Graph& graph) {
  Result<ir::Bytes> bytes = emit_memory(graph, {});
  REQUIRE(bytes.is_ok());
  return Model::from_memory({bytes.value().data, bytes.value().size}).status();
}

// The file is refused with a message that holds `part`.
inline void refused(const ir::Graph& graph, const char* part) {
  const Status s = open_status(graph);
  CAPTURE(s.message());
  CHECK_FALSE(s.is_ok());
  CHECK(s.message().find(part) != std::string::npos);
}

// The file opens, but no session can be made of it or get ready.
inline void refused_by_session(const ir::Graph& graph, const char* part) {
  Result<ir::Bytes> bytes = emit_memory(graph, {});
  REQUIRE(bytes.is_ok());
  const auto model = Model::from_memory({bytes.value().data, bytes.value().size});
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  const auto session = Session::create(model.value(), {});
  const Status s = session.is_ok() ? session.value()->prepare() : session.status();
  CAPTURE(s.message());
  CHECK_FALSE(s.is_ok());
  CHECK(s.message().find(part) != std::string::npos);
}

// Output 0 for input 0 = x, and the backend and kernel of the first step.
struct FirstRun {
  std::vector<float> y;
  std::string backend, kernel;
};
inline FirstRun run_floats(const std::shared_ptr<const Model>& model, const std::vector<float>& x,
                           BackendChoice backend, size_t threads = 1) {
  SessionOptions options;
  options.backend = backend;
  options.threads = threads;
  auto session = Session::create(model, options);
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  Session& s = *session.value();
  REQUIRE(s.prepare().is_ok());
  REQUIRE(s.input(0).count() == static_cast<int64_t>(x.size()));
  std::copy(x.begin(), x.end(), s.input(0).as_mutable<float>());
  REQUIRE(s.run().is_ok());
  const float* y = s.output(0).as<float>();
  const Kernel& kernel = s.steps(0)[0].kernel;
  return {{y, y + s.output(0).count()}, kernel.backend, kernel.name};
}

}  // namespace pith::test
