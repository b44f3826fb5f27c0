// Layers of two forms of one model are compared like with like, whatever the passes fused.
#include "converter/eval/layer_compare.h"

#include <doctest/doctest.h>

#include "converter/compile/load_model.h"
#include "converter/data/npy.h"
#include "converter/passes/pass.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::eval;
using namespace pith::testing;

namespace {

// fc1 -> relu -> fc2 -> relu -> fc3. `source_names`: tensors are called as an importer would call them.
void relu_net(TinyGraph& g, bool source_names) {
  ir::Value* x = g.input("x", {1, 16});
  for (const std::string layer : {"fc1", "fc2"}) {
    x = g.dense(layer, x, 16, 16);
    if (source_names) x->name = layer + "_before";
    x = g.unary(layer + "_relu", schema::UnaryKind::relu, x);
    if (source_names) x->name = layer + "_after";
  }
  g.output(g.dense("fc3", x, 16, 4));
}

struct Runnable {
  LoadedModel model;
  std::unique_ptr<Session> session;
};

Runnable runnable(const ir::Graph& graph) {
  auto model = compile_in_memory(graph);
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  Runnable r{std::move(model).value(), nullptr};
  auto session = Session::create(r.model.model, {});
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  r.session = std::move(session).value();
  return r;
}

data::Dataset noise(const test::TempFolder& folder) {
  const auto values = normals(5 * 16, 0, 1, 7);
  const std::vector<int64_t> shape = {5, 16};
  REQUIRE(data::write_npy(folder / "inputs.npy", DType::f32, shape, values.data()).is_ok());
  auto set = data::Dataset::open(folder / "inputs.npy");
  REQUIRE_MESSAGE(set.is_ok(), set.status().message());
  return std::move(set).value();
}

void scale_bias(TinyGraph& g, const char* layer) {
  ir::Node* node = g.node(layer);
  std::vector<float> bias(node->in(2)->elements<float>().begin(), node->in(2)->elements<float>().end());
  for (float& b : bias) b += 0.5f;
  g.graph.set_input(node, 2, g.graph.add_f32("moved", node->in(2)->shape, bias));
}

}  // namespace

TEST_CASE(
    "compare: a layer with its Relu fused is compared with the Relu's result, by tensor or by node name") {
  for (const bool source_names : {true, false}) {
    CAPTURE(source_names);
    const test::TempFolder folder;
    TinyGraph original, fused;
    relu_net(original, source_names);
    relu_net(fused, source_names);
    REQUIRE(run_passes(fused.graph, {}).is_ok());
    REQUIRE(fused.node("fc1_relu") == nullptr);
    const Runnable a = runnable(original.graph), b = runnable(fused.graph);
    const auto r = compare_layers(noise(folder), *a.session, *b.session, {});
    REQUIRE_MESSAGE(r.is_ok(), r.status().message());
    CHECK(r.value().items == 5);
    CHECK(r.value().unmatched == 0);
    REQUIRE(r.value().layers.size() == 3);
    for (const LayerError& layer : r.value().layers) {
      CAPTURE(layer.node);
      CHECK(layer.local.fidelity() == Fidelity::identical);
      CHECK(layer.cumulative.fidelity() == Fidelity::identical);
    }
    CHECK(r.value().culprit() == static_cast<size_t>(-1));
  }
}

TEST_CASE("compare: the layer that was changed is the culprit, those behind it are innocent") {
  const test::TempFolder folder;
  TinyGraph original, changed;
  relu_net(original, true);
  relu_net(changed, true);
  scale_bias(changed, "fc2");
  REQUIRE(run_passes(changed.graph, {}).is_ok());
  const Runnable a = runnable(original.graph), b = runnable(changed.graph);
  const auto r = compare_layers(noise(folder), *a.session, *b.session, {});
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  const auto& layers = r.value().layers;
  REQUIRE(layers.size() == 3);
  REQUIRE(r.value().culprit() == 1);
  CHECK(layers[1].node == "fc2");
  CHECK(layers[0].local.fidelity() == Fidelity::identical);
  CHECK(layers[2].local.fidelity() == Fidelity::identical);
  CHECK(layers[2].cumulative.fidelity() == Fidelity::normal);
}
