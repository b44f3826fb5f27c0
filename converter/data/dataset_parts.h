// What a Dataset is made of, and the two ways to make it: from a folder of .npy files, from dataset.json.
#pragma once
#include <string>
#include <vector>

#include "converter/data/data_source.h"
#include "converter/data/dataset.h"
#include "converter/data/preprocess.h"

namespace pith::data {

struct DatasetInput {
  std::string name;
  SourcePtr source;
  Preprocess preprocess;
};

struct DatasetParts {
  std::string path;
  std::vector<DatasetInput> inputs;
  std::vector<InputInfo> infos;  // the same order
  bool has_labels = false;
  std::vector<int64_t> labels;  // of all source items; empty: ask label_source
  SourcePtr label_source;
  std::vector<std::string> class_names;
  int64_t offset = 0, stride = 1, count = 0;                          // which source items are in the set ...
  int64_t exclude_offset = 0, exclude_stride = 0, exclude_count = 0;  // ... less these; stride 0: none
};

// inputs.npy, or one <input>.npy per input ("%2F" stands for '/'), and labels.npy if there are labels.
Result<DatasetParts> open_npy_folder(const std::string& folder);
Result<DatasetParts> open_dataset_json(const std::string& path, const DatasetOptions& options);

// The common end of both: all inputs and labels count the same items; fills infos and count.
Status complete_parts(DatasetParts* parts);

struct LabelConfig {
  enum class Kind : uint8_t { npy, idx, raw, csv } kind = Kind::npy;
  std::string file;
  DType dtype = DType::u8;  // raw
  uint64_t skip_bytes = 0;  // raw
  int column = 0;           // csv
  std::string column_name;  // csv; instead of the number, implies a header
  bool header = false;      // csv
  char delimiter = ',';     // csv
};
// All labels of a file: class indices from 0.
Result<std::vector<int64_t>> read_labels(const LabelConfig& config);

}  // namespace pith::data
