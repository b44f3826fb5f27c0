// Source model -> .pith file: import, passes, precision, emit. The file appears whole or not at all.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "converter/compile/calibration_audit.h"
#include "converter/ir/graph.h"
#include "converter/quantize/weight_method.h"
#include "runtime/base/shape.h"
#include "runtime/base/status.h"

namespace pith {

struct Int8FlowReport;  // int8_flow.h

enum class Precision { fp32, fp16, bf16, int8, int8_dynamic, int4, nf4, fp4 };
const char* name_of(Precision precision);
// "fp32", "fp16", "bf16", "int8", "int8-dynamic", "int4", "nf4", "fp4".
Result<Precision> parse_precision(const std::string& text);
bool is_grouped(Precision precision);                        // 4 bits, a scale for every group of weights
size_t default_group(Precision precision);                   // of 4 bits; 0 for others
const quantize::LevelTable& levels_of(Precision precision);  // of nf4 and fp4
// "NAME=1,3,224,224", the dims positive.
Status parse_shape_option(const std::string& text, std::map<std::string, Shape>* shapes);

struct ConvertOptions {
  std::string source, output;
  Precision precision = Precision::fp32;
  size_t group = 0;         // 4 bits: weights per scale, 32, 64 or 128; 0: default_group()
  bool asymmetric = false;  // int4: zero points per group
  quantize::WeightMethod weight_method = quantize::WeightMethod::search;  // of 4 bits
  std::map<std::string, Shape> shapes;
  std::string calibration;  // data set for int8, and for weight methods that need data
  std::string evaluation;   // data set that accuracy will be measured on: must not share items with it
  std::set<CalibrationFault> accepted_faults;
  size_t calibration_items = 256;
  std::string dump_folder;  // the graph as text after every pass
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress;  // of calibration
  std::function<void(int64_t done, int64_t total)>
      weight_progress;  // of weights that are made as the file is written
};

// What convert was doing when it ended: an error in calibrate means unusable data, not a bad model.
enum class ConvertStage { arguments, import, optimize, calibrate, emit, done };

struct ConvertReport {
  ConvertStage stage = ConvertStage::arguments;
  uint64_t source_bytes = 0;  // with external data
  uint64_t file_bytes = 0;
  size_t source_nodes = 0, nodes = 0;
  size_t quantized_products = 0, float_products = 0;  // convolutions and matrix products
  double worst_sqnr_db = 0;  // 4 bits: of the weights of one product, named by worst_product
  std::string worst_product;
  size_t resumed_tensors = 0;  // made by an earlier run that was killed
  int64_t calibration_items = 0;
  std::shared_ptr<const Int8FlowReport> int8;  // int8 only
  std::vector<std::string> warnings;           // what the user should know although it worked
};

Status convert(const ConvertOptions& options, ConvertReport* report);

// The first part of it: all but the writing. Deferred constants of the graph hold on to what they are made from.
struct PreparedModel {
  std::unique_ptr<ir::Graph> graph;
  std::vector<std::pair<std::string, std::string>> metadata;
};
Result<PreparedModel> prepare_model(const ConvertOptions& options, ConvertReport* report);

// What decides the bytes, as metadata of the file and back: `pith verify` makes tensors again by it.
inline constexpr const char* kRecipeKey = "recipe";
inline constexpr const char* kCalibrationDataKey =
    "calibration_data";  // one hash of all items of weight methods
std::string recipe_text(const ConvertOptions& options);
Result<ConvertOptions> parse_recipe_text(const std::string& text);

}  // namespace pith
