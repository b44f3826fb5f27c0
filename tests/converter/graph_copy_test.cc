// Graph::copy: the same graph, and neither changes the other.
#include <doctest/doctest.h>

#include "converter/emit/emit.h"
#include "converter/import/onnx/onnx_importer.h"
#include "converter/ir/graph.h"
#include "converter/ir/verify.h"
#include "converter/passes/pass.h"
#include "tests/support/shared_data.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::testing;

namespace {

std::string bytes_of(const ir::Graph& graph) {
  const auto file = emit_memory(graph, {});
  REQUIRE_MESSAGE(file.is_ok(), file.status().message());
  return {reinterpret_cast<const char*>(file.value().data), file.value().size};
}

}  // namespace

TEST_CASE("graph copy: emits the same bytes, outlives the original and does not see its changes") {
  std::unique_ptr<ir::Graph> copy;
  std::string before;
  {
    TinyGraph g;
    g.output(g.softmax("p", g.dense("fc", g.input("x", {1, 8}), 8, 4)));
    before = bytes_of(g.graph);
    copy = g.graph.copy();
    g.graph.set_input(g.node("fc"), 1, g.graph.add_f32("other", Shape{4, 8}, std::vector<float>(32, 1.0f)));
    CHECK(bytes_of(g.graph) != before);
  }
  CHECK(ir::verify(*copy, "copy").is_ok());
  CHECK(bytes_of(*copy) == before);
  REQUIRE(run_passes(*copy, {}).is_ok());
}

TEST_CASE("graph copy: branches of If and everything else of a real model") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  for (const char* name : {"silero-vad-16k", "yolox-nano-416"}) {
    CAPTURE(name);
    auto graph = import_onnx(root + "/data/models-onnx/" + name + "/model.onnx", {});
    REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
    const auto copy = graph.value()->copy();
    CHECK(bytes_of(*copy) == bytes_of(*graph.value()));
    REQUIRE(run_passes(*copy, {}).is_ok());
    REQUIRE(run_passes(*graph.value(), {}).is_ok());
    CHECK(bytes_of(*copy) == bytes_of(*graph.value()));
  }
}
