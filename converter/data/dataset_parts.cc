// Folders of .npy files, and the checks that bring inputs and labels together.
#include "converter/data/dataset_parts.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

namespace pith::data {
namespace {

namespace fs = std::filesystem;
using ll = long long;

// Input names may hold '/', file names may not.
std::string input_name(std::string stem) {
  for (size_t at = stem.find("%2F"); at != std::string::npos; at = stem.find("%2F", at + 1))
    stem.replace(at, 3, "/");
  return stem;
}

Status add_npy(const fs::path& file, const std::string& name, DatasetParts* parts) {
  DatasetInput input;
  input.name = name;
  PITH_ASSIGN(input.source, open_npy_source({file.string(), Axes::plain}));
  PITH_ASSIGN(input.preprocess, Preprocess::plan({}, input.source->spec()));
  parts->inputs.push_back(std::move(input));
  return Status::ok();
}

}  // namespace

Result<DatasetParts> open_npy_folder(const std::string& folder) {
  DatasetParts parts;
  parts.path = folder;
  parts.count = std::numeric_limits<int64_t>::max();
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".npy") files.push_back(it->path());
  if (error)
    return Status(Code::io,
                  format("cannot read the folder '%s': %s", folder.c_str(), error.message().c_str()));
  std::sort(files.begin(), files.end());
  bool labels = false;
  const bool single =
      std::any_of(files.begin(), files.end(), [](const fs::path& f) { return f.stem() == "inputs"; });
  for (const fs::path& file : files) {
    if (file.stem() == "labels")
      labels = true;
    else if (single && file.stem() != "inputs")
      return Status(Code::bad_argument,
                    format("'%s': found inputs.npy and '%s'; name the files after the model's inputs, "
                           "or keep only inputs.npy and labels.npy",
                           folder.c_str(), file.filename().c_str()));
    else
      PITH_RETURN_IF_ERROR(add_npy(file, single ? "" : input_name(file.stem().string()), &parts));
  }
  PITH_REQUIRE(!parts.inputs.empty(),
               "'%s' is no data set: expected dataset.json, or inputs.npy, or one .npy file per "
               "model input (and labels.npy)",
               folder.c_str());
  if (labels) {
    LabelConfig config;
    config.file = (fs::path(folder) / "labels.npy").string();
    PITH_ASSIGN(parts.labels, read_labels(config));
    parts.has_labels = true;
  }
  PITH_RETURN_IF_ERROR(complete_parts(&parts));
  return parts;
}

Status complete_parts(DatasetParts* parts) {
  const int64_t total = parts->inputs[0].source->spec().count;
  for (const DatasetInput& input : parts->inputs) {
    const SourceSpec& spec = input.source->spec();
    PITH_REQUIRE(spec.count == total,
                 "'%s': input '%s' has %lld items, input '%s' has %lld; expected as many",
                 parts->path.c_str(), input.name.c_str(), static_cast<ll>(spec.count),
                 parts->inputs[0].name.c_str(), static_cast<ll>(total));
    parts->infos.push_back({input.name, input.preprocess.dtype(), input.preprocess.shape()});
    if (!parts->has_labels && spec.has_labels && parts->label_source == nullptr)
      parts->label_source = input.source;
    if (parts->class_names.empty()) parts->class_names = spec.class_names;
  }
  PITH_REQUIRE(!parts->has_labels || static_cast<int64_t>(parts->labels.size()) == total,
               "'%s': %zu labels for %lld items; expected as many", parts->path.c_str(), parts->labels.size(),
               static_cast<ll>(total));
  parts->has_labels = parts->has_labels || parts->label_source != nullptr;
  PITH_REQUIRE(parts->offset < total, "'%s': %lld items, \"offset\" skips %lld: none are left",
               parts->path.c_str(), static_cast<ll>(total), static_cast<ll>(parts->offset));
  parts->count = std::min(parts->count, (total - parts->offset + parts->stride - 1) / parts->stride);
  return Status::ok();
}

}  // namespace pith::data
