// dataset.json to open sources. The keys are documented, with an example of each source, in docs/datasets.md.
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "converter/data/dataset_parts.h"
#include "converter/data/input_file.h"
#include "converter/data/json_fields.h"

namespace pith::data {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
constexpr uint64_t kMaxJsonBytes = uint64_t{4} << 20;  // class names by the thousand fit
constexpr int64_t kMaxItems = int64_t{1} << 40;
constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

const std::vector<std::string> kDTypeNames = {"f32", "f16", "f64", "i8",  "u8",  "i16",
                                              "u16", "i32", "u32", "i64", "u64", "bool"};
constexpr DType kDTypes[] = {DType::f32, DType::f16, DType::f64, DType::i8,  DType::u8,  DType::i16,
                             DType::u16, DType::i32, DType::u32, DType::i64, DType::u64, DType::boolean};

DType read_dtype(JsonFields& f, const char* key) {
  return f.has(key) ? kDTypes[f.choice(key, kDTypeNames, 0)] : DType::none;
}

Axes read_axes(JsonFields& f, Axes otherwise) {
  constexpr Axes kAxes[] = {Axes::hw, Axes::hwc, Axes::chw};
  return f.has("axes") ? kAxes[f.choice("axes", {"HW", "HWC", "CHW"}, 0)] : otherwise;
}

// Paths of one file: variables expanded, relative ones put under the root.
class PathResolver {
 public:
  PathResolver(std::string root) : root_(std::move(root)) {}
  std::string resolve(JsonFields& f, const std::string& text) const {
    if (text.empty()) return text;
    const Result<std::string> expanded = expand_variables(text, f.where());
    if (!expanded.is_ok()) f.fail(expanded.status().message());
    return expanded.is_ok() ? (fs::path(root_) / expanded.value()).string() : text;
  }
  std::string required(JsonFields& f, const char* key) const { return resolve(f, f.required_text(key)); }
  std::string optional(JsonFields& f, const char* key) const { return resolve(f, f.text(key, "")); }

 private:
  std::string root_;
};

char read_delimiter(JsonFields& f, char otherwise) {
  const std::string text = f.text("delimiter", std::string(1, otherwise));
  if (text.size() != 1) f.fail("\"delimiter\": expected one character");
  return text.empty() ? otherwise : text[0];
}

FileListConfig read_file_list(JsonFields& f, const PathResolver& paths) {
  FileListConfig config;
  config.folder = paths.optional(f, "folder");
  config.list = paths.optional(f, "list");
  if (config.folder.empty() && config.list.empty()) f.fail("\"folder\" or \"list\" is missing");
  const bool csv = config.list.ends_with(".csv");
  config.delimiter = read_delimiter(f, csv ? ',' : ' ');
  config.file_column = static_cast<int>(f.integer("file_column", 0, 0, 1000));
  config.label_column = static_cast<int>(f.integer("label_column", 1, 0, 1000));
  config.header = f.flag("header", false);
  constexpr LabelFrom kFrom[] = {LabelFrom::none, LabelFrom::folder, LabelFrom::filename, LabelFrom::list};
  config.label_from =
      kFrom[f.choice("label", {"none", "folder", "filename", "list"}, config.list.empty() ? 0 : 3)];
  config.classes = f.texts("classes");
  return config;
}

Result<SourcePtr> read_npy(JsonFields& f, const PathResolver& paths) {
  const NpyConfig config{paths.required(f, "file"), read_axes(f, Axes::plain)};
  PITH_RETURN_IF_ERROR(f.finish());
  return open_npy_source(config);
}

Result<SourcePtr> read_raw(JsonFields& f, const PathResolver& paths) {
  RawConfig config;
  config.file = paths.optional(f, "file");
  if (config.file.empty()) config.files = read_file_list(f, paths);
  config.skip_bytes = static_cast<uint64_t>(f.integer("skip_bytes", 0, 0, int64_t{1} << 40));
  config.dtype = read_dtype(f, "dtype");
  config.shape = f.integers("shape", 1, int64_t{1} << 30);
  if (!f.has("dtype") || !f.has("shape")) f.fail("a raw source needs \"dtype\" and \"shape\"");
  config.axes = read_axes(f, Axes::plain);
  PITH_RETURN_IF_ERROR(f.finish());
  return open_raw_source(config);
}

Result<SourcePtr> read_idx(JsonFields& f, const PathResolver& paths) {
  const std::string file = paths.required(f, "file");
  PITH_RETURN_IF_ERROR(f.finish());
  return open_idx_source(file);
}

Result<SourcePtr> read_cifar10(JsonFields& f, const PathResolver& paths) {
  std::vector<std::string> files = f.texts("file");
  for (std::string& file : files) file = paths.resolve(f, file);
  if (files.empty()) f.fail("\"file\" is missing; expected a name or a list of names");
  PITH_RETURN_IF_ERROR(f.finish());
  return open_cifar10_source(files);
}

Result<SourcePtr> read_images(JsonFields& f, const PathResolver& paths) {
  ImageConfig config;
  config.files = read_file_list(f, paths);
  config.channels = static_cast<int>(f.integer("channels", 3, 1, 3));
  PITH_RETURN_IF_ERROR(f.finish());
  return open_image_source(config);
}

Result<SourcePtr> read_wav(JsonFields& f, const PathResolver& paths) {
  WavConfig config;
  config.files = read_file_list(f, paths);
  config.sample_rate = f.integer("sample_rate", 0, 1, kMaxInt);
  config.window = f.integer("window", 0, 1, kMaxInt);
  config.hop = f.integer("hop", 0, 1, kMaxInt);
  config.pad = f.flag("pad", false);
  PITH_RETURN_IF_ERROR(f.finish());
  return open_wav_source(config);
}

using ReadSource = Result<SourcePtr> (*)(JsonFields&, const PathResolver&);
struct SourceKind {
  const char* name;
  ReadSource read;
};
constexpr SourceKind kSources[] = {{"npy", read_npy},         {"raw", read_raw},       {"idx", read_idx},
                                   {"cifar10", read_cifar10}, {"images", read_images}, {"wav", read_wav}};

Result<PreprocessConfig> read_preprocess(const Json* object, const std::string& where) {
  PreprocessConfig config;
  if (object == nullptr) return config;
  JsonFields f(*object, where);
  config.resize = f.integers("resize", 1, 16384);
  config.mirror_pad = f.integer("mirror_pad", 0, 0, 16384);
  config.filter = static_cast<Filter>(f.choice("filter", {"bilinear", "bicubic", "lanczos"}, 0));
  config.antialias = f.flag("antialias", true);
  config.center_crop = f.integers("center_crop", 1, 16384);
  config.channel_order = static_cast<ChannelOrder>(f.choice("channel_order", {"RGB", "BGR"}, 0));
  config.zero_point = f.number("zero_point", 0);
  config.scale = f.number("scale", 1);
  config.mean = f.numbers("mean");
  config.std = f.numbers("std");
  config.has_arithmetic = f.has("zero_point") || f.has("scale") || f.has("mean") || f.has("std");
  if (f.has("layout")) config.layout = f.choice("layout", {"NCHW", "NHWC"}, 0) == 0 ? Axes::chw : Axes::hwc;
  config.reshape = f.integers("reshape", -1, int64_t{1} << 30);
  config.dtype = read_dtype(f, "dtype");
  PITH_RETURN_IF_ERROR(f.finish());
  return config;
}

Result<DatasetInput> read_input(const Json& object, const std::string& name, const std::string& where,
                                const PathResolver& paths) {
  JsonFields f(object, where);
  std::vector<std::string> names;
  for (const SourceKind& kind : kSources) names.emplace_back(kind.name);
  if (!f.has("source")) f.fail("\"source\" is missing: npy, raw, idx, cifar10, images or wav");
  const SourceKind& kind = kSources[f.choice("source", names, 0)];
  PITH_ASSIGN(const PreprocessConfig config, read_preprocess(f.child("preprocess"), where + ".preprocess"));
  DatasetInput input;
  input.name = name;
  PITH_ASSIGN(input.source, kind.read(f, paths));
  Result<Preprocess> preprocess = Preprocess::plan(config, input.source->spec());
  if (!preprocess.is_ok()) return Status(preprocess.status()).with_context(where + ".preprocess: ");
  input.preprocess = std::move(preprocess).value();
  return input;
}

Status read_inputs(JsonFields& f, const PathResolver& paths, DatasetParts* parts) {
  const Json *one = f.child("input"), *many = f.child("inputs");
  if ((one == nullptr) == (many == nullptr))
    f.fail("expected \"input\": {...} or \"inputs\": {\"name\": {...}, ...}");
  if (many != nullptr && (!many->is_object() || many->empty()))
    f.fail("\"inputs\": expected an object with one entry per model input");
  PITH_RETURN_IF_ERROR(f.finish());
  if (one != nullptr) {
    PITH_ASSIGN(DatasetInput input, read_input(*one, "", f.where() + " input", paths));
    parts->inputs.push_back(std::move(input));
    return Status::ok();
  }
  for (const auto& [name, object] : many->items()) {
    PITH_ASSIGN(DatasetInput input, read_input(object, name, f.where() + " inputs." + name, paths));
    parts->inputs.push_back(std::move(input));
  }
  return Status::ok();
}

Status read_label_entry(const Json& object, const std::string& where, const PathResolver& paths,
                        DatasetParts* parts) {
  JsonFields f(object, where);
  LabelConfig config;
  if (!f.has("source")) f.fail("\"source\" is missing: npy, idx, raw or csv");
  config.kind = static_cast<LabelConfig::Kind>(f.choice("source", {"npy", "idx", "raw", "csv"}, 0));
  config.file = paths.required(f, "file");
  if (config.kind == LabelConfig::Kind::raw) {
    config.dtype = f.has("dtype") ? read_dtype(f, "dtype") : DType::u8;
    config.skip_bytes = static_cast<uint64_t>(f.integer("skip_bytes", 0, 0, int64_t{1} << 40));
  } else if (config.kind == LabelConfig::Kind::csv) {
    const Json* column = f.child("column");
    if (column != nullptr && column->is_string())
      config.column_name = column->get<std::string>();
    else
      config.column = static_cast<int>(f.integer("column", 0, 0, 10000));
    config.header = f.flag("header", false);
    config.delimiter = read_delimiter(f, ',');
  }
  PITH_RETURN_IF_ERROR(f.finish());
  PITH_ASSIGN(parts->labels, read_labels(config));
  parts->has_labels = true;
  return Status::ok();
}

// {"offset", "stride", "limit"} of "select" and "exclude".
Status read_selection(const Json& object, const std::string& where, int64_t* offset, int64_t* stride,
                      int64_t* limit) {
  JsonFields f(object, where);
  *offset = f.integer("offset", 0, 0, kMaxItems);
  *stride = f.integer("stride", 1, 1, kMaxItems);
  *limit = f.integer("limit", kMaxItems, 1, kMaxItems);
  return f.finish();
}

}  // namespace

Result<DatasetParts> open_dataset_json(const std::string& path, const DatasetOptions& options) {
  PITH_ASSIGN(const std::string text, read_text_file(path, kMaxJsonBytes));
  Json document;
  PITH_RETURN_IF_ERROR(parse_json(text, path, &document));
  DatasetParts parts;
  parts.path = path;
  const std::string where = "'" + path + "'";
  JsonFields f(document, where + ":");
  const std::string folder = fs::path(path).parent_path().string();
  std::string root = f.text("root", "");
  root = options.root.empty() ? PathResolver(folder).resolve(f, root) : options.root;
  const PathResolver paths(root.empty() ? folder : root);
  const Json *labels = f.child("labels"), *select = f.child("select"), *exclude = f.child("exclude");
  parts.class_names = f.texts("class_names");
  parts.count = kMaxItems;
  if (select != nullptr)
    PITH_RETURN_IF_ERROR(
        read_selection(*select, where + ": select", &parts.offset, &parts.stride, &parts.count));
  if (exclude != nullptr)
    PITH_RETURN_IF_ERROR(read_selection(*exclude, where + ": exclude", &parts.exclude_offset,
                                        &parts.exclude_stride, &parts.exclude_count));
  PITH_RETURN_IF_ERROR(read_inputs(f, paths, &parts));
  if (labels != nullptr && labels->is_array()) {
    parts.labels = f.integers("labels", 0, kMaxInt);
    parts.has_labels = true;
    PITH_RETURN_IF_ERROR(f.finish());
  } else if (labels != nullptr) {
    PITH_RETURN_IF_ERROR(read_label_entry(*labels, where + ": labels", paths, &parts));
  }
  PITH_RETURN_IF_ERROR(complete_parts(&parts));
  return parts;
}

}  // namespace pith::data
