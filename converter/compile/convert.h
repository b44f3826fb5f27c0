// Source model -> .pith file: import, passes, precision, emit. The file appears whole or not at all.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/shape.h"
#include "runtime/base/status.h"

namespace pith {

enum class Precision { fp32, fp16, int8, int8_dynamic };
const char* name_of(Precision precision);
// "fp32", "fp16", "int8", "int8-dynamic"; unsupported for precisions planned but not in this build.
Result<Precision> parse_precision(const std::string& text);
// "NAME=1,3,224,224", the dims positive.
Status parse_shape_option(const std::string& text, std::map<std::string, Shape>* shapes);

struct ConvertOptions {
  std::string source, output;
  Precision precision = Precision::fp32;
  std::map<std::string, Shape> shapes;
  std::string calibration;  // data set for int8
  size_t calibration_items = 256;
  std::string dump_folder;  // the graph as text after every pass
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress;  // of calibration
};

// What convert was doing when it ended: an error in calibrate means unusable data, not a bad model.
enum class ConvertStage { arguments, import, optimize, calibrate, emit, done };

struct ConvertReport {
  ConvertStage stage = ConvertStage::arguments;
  uint64_t source_bytes = 0;  // with external data
  uint64_t file_bytes = 0;
  size_t source_nodes = 0, nodes = 0;
  size_t quantized_products = 0, float_products = 0;  // int8: convolutions and matrix products
  int64_t calibration_items = 0;
  std::vector<std::string> warnings;  // what the user should know although it worked
};

Status convert(const ConvertOptions& options, ConvertReport* report);

}  // namespace pith
