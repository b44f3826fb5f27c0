// Walks folders and names files; the layouts are in model_tests.h.
#include "converter/eval/model_tests.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/data/input_file.h"
#include "converter/data/npy.h"
#include "converter/import/onnx/onnx_importer.h"

namespace pith {
namespace {

namespace fs = std::filesystem;

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

// prefix0.ext, prefix1.ext ... as long as they exist.
std::vector<std::string> numbered(const fs::path& folder, const std::string& prefix, const char* extension) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (size_t i = 0;; ++i) {
    const fs::path file = folder / (prefix + std::to_string(i) + extension);
    if (!fs::exists(file, ignored)) return files;
    files.push_back(file.string());
  }
}

Status read_names(const fs::path& folder, ModelTestCase* test) {
  const std::string path = (folder / "names.json").string();
  PITH_ASSIGN(const std::string text, data::read_text_file(path, uint64_t{1} << 20));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Status(Code::bad_file, "'" + path + "' is not a JSON object");
  const auto names = [&](const char* key, std::vector<std::string>* out) {
    const auto list = json.find(key);
    if (list == json.end() || !list->is_array()) return;
    for (const auto& name : *list)
      if (name.is_string()) out->push_back(name.get<std::string>());
  };
  names("inputs", &test->input_names);
  names("outputs", &test->output_names);
  return Status::ok();
}

Status add_case(const fs::path& folder, const char* extension, ModelTest* test) {
  ModelTestCase c;
  c.name = folder.filename().string();
  c.input_files = numbered(folder, "input_", extension);
  c.output_files = numbered(folder, "output_", extension);
  if (c.output_files.empty()) return Status::ok();
  std::error_code ignored;
  if (fs::exists(folder / "names.json", ignored)) PITH_RETURN_IF_ERROR(read_names(folder, &c));
  test->cases.push_back(std::move(c));
  return Status::ok();
}

Status add_cases(const fs::path& model, bool alone, ModelTest* test) {
  const fs::path folder = model.parent_path();
  const std::string stem = model.stem().string();
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& f : folders) {
    const std::string name = f.filename().string();
    if (starts_with(name, "test_data_set_") && (alone || stem == "model"))
      PITH_RETURN_IF_ERROR(add_case(f, ".pb", test));
    else if (name == "ref_" + stem || (alone && (name == "ref" || starts_with(name, "ref_"))))
      PITH_RETURN_IF_ERROR(add_case(f, ".npy", test));
  }
  if (ModelTestCase light; test->cases.empty()) {
    light.output_files = numbered(folder, stem + "_output_", ".pb");
    light.made_inputs = true;
    light.name = light.output_files.empty() ? "" : "light";
    test->cases.push_back(std::move(light));
  }
  return Status::ok();
}

}  // namespace

Result<std::vector<ModelTest>> find_model_tests(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return Status(Code::io,
                  "'" + folder + "' is not a folder that can be read; expected a folder with .onnx files");
  std::vector<fs::path> models;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error))
    if (it->path().extension() == ".onnx") models.push_back(it->path());
  if (error) return Status(Code::io, "cannot list '" + folder + "': " + error.message());
  std::sort(models.begin(), models.end());
  std::vector<ModelTest> tests;
  for (size_t i = 0; i < models.size(); ++i) {
    const fs::path parent = models[i].parent_path();
    const bool alone = (i == 0 || models[i - 1].parent_path() != parent) &&
                       (i + 1 == models.size() || models[i + 1].parent_path() != parent);
    ModelTest test;
    test.model_path = models[i].string();
    const fs::path relative = models[i].lexically_relative(folder);
    test.name = (alone && relative.has_parent_path() ? relative.parent_path() : relative).generic_string();
    test.backend_test = starts_with(parent.filename().string(), "test_");
    PITH_RETURN_IF_ERROR(add_cases(models[i], alone, &test));
    tests.push_back(std::move(test));
  }
  if (tests.empty()) return Status(Code::io, "no .onnx file below '" + folder + "'");
  return tests;
}

Result<data::HostTensor> read_test_tensor(const std::string& path) {
  if (fs::path(path).extension() == ".npy") return data::read_npy(path);
  PITH_ASSIGN(const SourceTensor source, read_onnx_tensor_file(path));
  data::HostTensor tensor;
  tensor.dtype = source.dtype;
  tensor.shape.assign(source.shape.dims().begin(), source.shape.dims().end());
  tensor.bytes.resize(source.bytes.size);
  if (source.bytes.size > 0) std::memcpy(tensor.bytes.data(), source.bytes.data, source.bytes.size);
  return tensor;
}

data::HostTensor made_input(DType dtype, std::vector<int64_t> shape) {
  data::HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  const auto count = static_cast<size_t>(tensor.count());
  tensor.bytes.resize((count * bits_of(dtype) + 7) / 8);
  if (bits_of(dtype) < 8) return tensor;
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) / static_cast<double>(count);
  data::from_doubles(dtype, values.data(), count, tensor.bytes.data());
  return tensor;
}

}  // namespace pith
