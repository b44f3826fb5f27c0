// Weights in data files: views that are checked, made only when needed, and dropped from memory.
#include <limits>

#include "converter/import/onnx/onnx_importer.h"
#include "converter/ir/deferred.h"
#include "converter/passes/pass.h"
#include "tests/support/external_model.h"
#include "tests/support/temp_folder.h"

namespace pith::test {
namespace {

Result<std::unique_ptr<ir::Graph>> imported(const ExternalModel& model, const TempFolder& folder) {
  model.write(folder.path());
  return import_onnx(folder / "model.onnx", {});
}

const ir::Value* constant_called(const ir::Graph& graph, const std::string& name) {
  for (const auto& v : graph.values())
    if (v->name == name && v->is_constant()) return v.get();
  return nullptr;
}

}  // namespace

TEST_CASE("external weights are views into one mapping of their file") {
  TempFolder folder;
  const auto graph = imported({}, folder);
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  const ir::Value *w0 = constant_called(*graph.value(), "w0"), *w1 = constant_called(*graph.value(), "w1");
  REQUIRE((w0 != nullptr && w1 != nullptr));
  CHECK(w0->constant->mapped);
  CHECK(w1->constant->data - w0->constant->data == 64 * 96 * 2);
  CHECK(w0->constant->owner == w1->constant->owner);
}

TEST_CASE("a product with external halves keeps them as halves, transposed only when somebody asks") {
  TempFolder folder;
  auto graph = imported({}, folder);
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  REQUIRE(run_passes(*graph.value(), {}).is_ok());
  size_t products = 0;
  for (const ir::Node* node : graph.value()->in_order()) {
    if (!node->is(schema::Op::FullyConnectedOptions)) continue;
    const ir::Value& w = *node->in(1);
    CHECK(w.dtype == DType::f16);
    REQUIRE(w.constant->deferred != nullptr);
    CHECK(w.constant->data == nullptr);
    const auto* source = reinterpret_cast<const f16*>(w.constant->deferred->sources[0].data);
    const auto turned = w.elements<f16>();
    const auto n = static_cast<size_t>(w.shape[0]), k = static_cast<size_t>(w.shape[1]);
    bool equal = true;
    for (size_t i = 0; i < n * k; ++i) equal = equal && turned[i].bits == source[i % k * n + i / k].bits;
    CHECK(equal);
    ++products;
  }
  CHECK(products == 4);
}

TEST_CASE("views that are not aligned are made when needed, small ones at once") {
  TempFolder folder;
  ExternalModel model;
  model.alignment = 1;
  model.widths = {256, 256, 16};
  const auto graph = imported(model, folder);
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  const ir::Value *large = constant_called(*graph.value(), "w0"),
                  *small = constant_called(*graph.value(), "w1");
  REQUIRE((large != nullptr && small != nullptr));
  CHECK(large->constant->deferred != nullptr);
  CHECK_FALSE(small->constant->streamed());
  const auto expected = testing::normals(256 * 256, 0, 0.1, 1);
  CHECK(large->elements<f16>()[777].bits == to_f16(expected[777]).bits);
}

TEST_CASE(
    "external data outside of the file, of another length, or overflowing are refused with the tensor's "
    "name") {
  const std::string huge = std::to_string(std::numeric_limits<uint64_t>::max() - 100);
  struct Case {
    std::string offset, length, told;
  };
  for (const Case& c : {Case{"1000000", "", "leaves the file"}, Case{huge, "", "leaves the file"},
                        Case{"", "10", "its shape needs 12288"}, Case{"", huge, "its shape needs"},
                        Case{"-1", "", "bad number"}, Case{"18446744073709551616", "", "bad number"}}) {
    CAPTURE(c.offset);
    CAPTURE(c.length);
    TempFolder folder;
    ExternalModel model;
    model.offset = c.offset, model.length = c.length;
    const auto graph = imported(model, folder);
    REQUIRE_FALSE(graph.is_ok());
    CHECK(graph.status().message().find("'w0'") != std::string::npos);
    CHECK(graph.status().message().find(c.told) != std::string::npos);
  }
  TempFolder folder;
  ExternalModel{}.write(folder.path());
  std::filesystem::resize_file(folder / "model.data", 1000);
  CHECK(import_onnx(folder / "model.onnx", {}).status().message().find("leaves the file") !=
        std::string::npos);
}

}  // namespace pith::test
