// Which files make up a folder source, in which order, and what their labels are.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith::data {

enum class LabelFrom : uint8_t {
  none,
  folder,    // the first sub-folder's name is the class
  filename,  // the leading decimal digits of the file's name are the label: 0001_n01443537.jpg is 1
  list,      // the list file says it
};

struct FileListConfig {
  std::string folder;  // searched with its sub-folders; names in `list` are relative to it
  std::string list;    // lines "file label" or "file"; or CSV; empty: all files of the folder, sorted by path
  char delimiter = ' ';  // ' ': any run of blanks or tabs; else a character such as ','
  int file_column = 0;
  int label_column = 1;
  bool header = false;  // the first line of the list is not an item
  LabelFrom label_from = LabelFrom::none;
  std::vector<std::string> classes;     // label = position; empty: the sub-folders, sorted
  std::vector<std::string> extensions;  // lower case with the dot; empty: every file
};

struct FileList {
  std::vector<std::string> paths;
  std::vector<int64_t> labels;  // as many as paths, or none
  std::vector<std::string> class_names;
};
Result<FileList> list_files(const FileListConfig& config);

// The fields of a line of a delimited text. Quotes "a,b" protect the delimiter, "" is a quote inside of them;
// with delimiter ' ' runs of blanks and tabs separate.
std::vector<std::string> split_fields(const std::string& line, char delimiter);
// The lines of a text file without their ends (\n or \r\n), empty lines at the end left out.
Result<std::vector<std::string>> read_lines(const std::string& path);
// A label: a decimal class index between 0 and 2^31 - 1; `where` begins the message.
Result<int64_t> parse_label(const std::string& text, const std::string& where);

}  // namespace pith::data
