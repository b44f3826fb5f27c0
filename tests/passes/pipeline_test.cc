// The whole list of passes on real models: running it on its own result changes nothing, and every pass of the list
// has its test file.
#include <filesystem>
#include <fstream>

#include "converter/compile/load_model.h"
#include "converter/import/onnx/onnx_importer.h"
#include "tests/support/pass_trial.h"
#include "tests/support/shared_data.h"

using namespace pith;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> real_models(const std::string& root) {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(root + "/data/models-onnx"))
    if (is_onnx_path(entry.path().string())) all.push_back(entry.path().string());
  std::sort(all.begin(), all.end());
  return all;
}

// The first line that differs.
std::string difference(const std::string& a, const std::string& b) {
  size_t at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
  const auto line = [&](const std::string& s) {
    const size_t from = s.rfind('\n', at) + 1;
    return s.substr(from, s.find('\n', at) - from);
  };
  return line(a) + "\n  became\n" + line(b);
}

}  // namespace

TEST_CASE("passes: the list run on its own result changes not a byte of any real model") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  size_t checked = 0;
  for (const std::string& path : real_models(root)) {
    CAPTURE(path);
    auto graph = import_onnx(path, {});
    if (!graph.is_ok()) {
      CHECK(graph.status().code() == Code::unsupported);  // candy-style's experimental operators
      continue;
    }
    ir::Graph& g = *graph.value();
    REQUIRE(run_passes(g, {}).is_ok());
    const std::string once = bytes_of(g), text = ir::print(g);
    REQUIRE(run_passes(g, {}).is_ok());
    const bool same = bytes_of(g) == once;
    CHECK_MESSAGE(same, difference(text, ir::print(g)));
    ++checked;
  }
  CHECK(checked >= 20);
}

TEST_CASE("passes: every pass of the list has its own file and its own test") {
  std::vector<std::string> missing;
#define PASS(name)                                                                             \
  for (const char* path : {"converter/passes/" #name ".cc", "tests/passes/" #name "_test.cc"}) \
    if (!fs::exists(test::project_file(path))) missing.push_back(path);
#include "converter/passes/pass_list.inc"
#undef PASS
  CHECK(missing.empty());
  for (const std::string& path : missing) MESSAGE(path);
}
