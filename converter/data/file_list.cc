// Folder walking, list files and their labels.
#include "converter/data/file_list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>

#include "converter/data/input_file.h"

namespace pith::data {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxListBytes = uint64_t{256} << 20;

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool has_extension(const fs::path& path, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), lower(path.extension().string())) != wanted.end();
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

// Paths below the folder, relative to it, sorted; hidden files and folders are passed over.
Result<std::vector<std::string>> walk(const FileListConfig& config) {
  std::error_code error;
  fs::recursive_directory_iterator it(config.folder, fs::directory_options::none, error), end;
  std::vector<std::string> found;
  while (!error && it != end) {
    const bool hidden = is_hidden(it->path());
    if (hidden) it.disable_recursion_pending();
    if (!hidden && it->is_regular_file(error) && !error && has_extension(it->path(), config.extensions))
      found.push_back(it->path().lexically_relative(config.folder).generic_string());
    if (!error) it.increment(error);
  }
  if (error)
    return Status(Code::io,
                  format("cannot read the folder '%s': %s", config.folder.c_str(), error.message().c_str()));
  std::sort(found.begin(), found.end());
  if (!found.empty()) return found;
  std::string kinds;
  for (const std::string& e : config.extensions) kinds += " " + e;
  return Status(Code::bad_file, format("the folder '%s' holds no%s files", config.folder.c_str(),
                                       kinds.empty() ? "" : kinds.c_str()));
}

std::string class_of(const std::string& relative) {
  const size_t slash = relative.find('/');
  return slash == std::string::npos ? "" : relative.substr(0, slash);
}

Status label_by_folder(const FileListConfig& config, const std::vector<std::string>& relative,
                       FileList* out) {
  out->class_names = config.classes;
  if (out->class_names.empty()) {  // sorted already, since the paths are; but "a-b/x" sorts before "a/x"
    for (const std::string& path : relative) out->class_names.push_back(class_of(path));
    std::sort(out->class_names.begin(), out->class_names.end());
    out->class_names.erase(std::unique(out->class_names.begin(), out->class_names.end()),
                           out->class_names.end());
  }
  std::map<std::string, int64_t> index;
  for (size_t i = 0; i < out->class_names.size(); ++i)
    index.emplace(out->class_names[i], static_cast<int64_t>(i));
  for (const std::string& path : relative) {
    const std::string name = class_of(path);
    PITH_REQUIRE(!name.empty(),
                 "'%s/%s': labels come from sub-folders, this file is in none; move it into the folder "
                 "of its class",
                 config.folder.c_str(), path.c_str());
    const auto at = index.find(name);
    PITH_REQUIRE(at != index.end(),
                 "'%s/%s': its folder '%s' is not in the list \"classes\"; add it or remove the "
                 "folder",
                 config.folder.c_str(), path.c_str(), name.c_str());
    out->labels.push_back(at->second);
  }
  return Status::ok();
}

Status label_by_filename(const std::vector<std::string>& paths, FileList* out) {
  for (const std::string& path : paths) {
    const std::string name = fs::path(path).filename().string();
    const std::string digits = name.substr(0, name.find_first_not_of("0123456789"));
    PITH_REQUIRE(!digits.empty(), "'%s': labels come from file names, this one does not begin with digits",
                 path.c_str());
    PITH_ASSIGN(const int64_t label, parse_label(digits, "'" + path + "'"));
    out->labels.push_back(label);
  }
  return Status::ok();
}

// Names in a list are relative to the folder, or without one to the place of the list.
fs::path base_of(const FileListConfig& config) {
  return config.folder.empty() ? fs::path(config.list).parent_path() : fs::path(config.folder);
}

Status read_list(const FileListConfig& config, FileList* out) {
  PITH_ASSIGN(const std::vector<std::string> lines, read_lines(config.list));
  const fs::path base = base_of(config);
  for (size_t i = config.header ? 1 : 0; i < lines.size(); ++i) {
    const std::string where = format("'%s' line %zu", config.list.c_str(), i + 1);
    const std::vector<std::string> fields = split_fields(lines[i], config.delimiter);
    const auto file = static_cast<size_t>(config.file_column),
               label = static_cast<size_t>(config.label_column);
    PITH_REQUIRE(file < fields.size() && !fields[file].empty(), "%s: no file name in column %zu of %zu",
                 where.c_str(), file, fields.size());
    out->paths.push_back((base / fields[file]).string());
    if (config.label_from != LabelFrom::list) continue;
    PITH_REQUIRE(label < fields.size(), "%s: no label in column %zu of %zu", where.c_str(), label,
                 fields.size());
    PITH_ASSIGN(const int64_t value, parse_label(fields[label], where));
    out->labels.push_back(value);
  }
  PITH_REQUIRE(!out->paths.empty(), "'%s': the list names no files", config.list.c_str());
  return Status::ok();
}

}  // namespace

Result<FileList> list_files(const FileListConfig& config) {
  FileList out;
  std::vector<std::string> relative;
  if (!config.list.empty()) {
    PITH_RETURN_IF_ERROR(read_list(config, &out));
    if (config.label_from == LabelFrom::folder)
      for (const std::string& path : out.paths)
        relative.push_back(fs::path(path).lexically_relative(base_of(config)).generic_string());
  } else {
    if (config.label_from == LabelFrom::list)
      return Status(Code::bad_argument, "labels are to come from a list, but no \"list\" is named");
    PITH_ASSIGN(relative, walk(config));
    for (const std::string& path : relative) out.paths.push_back((fs::path(config.folder) / path).string());
  }
  if (config.label_from == LabelFrom::folder) PITH_RETURN_IF_ERROR(label_by_folder(config, relative, &out));
  if (config.label_from == LabelFrom::filename) PITH_RETURN_IF_ERROR(label_by_filename(out.paths, &out));
  if (out.class_names.empty()) out.class_names = config.classes;
  return out;
}

std::vector<std::string> split_fields(const std::string& line, char delimiter) {
  const bool blanks = delimiter == ' ';
  const auto separates = [&](char c) { return blanks ? c == ' ' || c == '\t' : c == delimiter; };
  std::vector<std::string> fields(1);
  bool quoted = false, any = false;  // any: the present field was begun, so it counts even if it is empty
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
      any = true;
    } else if (!quoted && separates(c)) {
      if (!blanks || any) fields.emplace_back();
      any = false;
    } else {
      fields.back() += c;
      any = true;
    }
  }
  if (blanks && !any && fields.size() > 1) fields.pop_back();
  return fields;
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  PITH_ASSIGN(const std::string text, read_text_file(path, kMaxListBytes));
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    if (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    start = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

Result<int64_t> parse_label(const std::string& text, const std::string& where) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  const std::string trimmed = first == std::string::npos ? "" : text.substr(first, last - first + 1);
  int64_t value = -1;
  const auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  PITH_REQUIRE(error == std::errc() && end == trimmed.data() + trimmed.size() && value >= 0 &&
                   value <= std::numeric_limits<int32_t>::max(),
               "%s: '%s' is not a label; expected a class index, a whole number from 0", where.c_str(),
               trimmed.substr(0, 40).c_str());
  return value;
}

}  // namespace pith::data
