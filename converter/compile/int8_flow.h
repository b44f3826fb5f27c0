// Static int8 from the calibration data to the integer graph, each optional step kept only if it lowers the error of
// the model's outputs on calibration items that took no part in making it:
//   1. audit of the data                     calibration_audit.h
//   2. ranges by tournament, int8 graph       quantize/static_int8.h
//   3. the same on the equalized float graph  quantize/equalize.h      kept if better than 2
//   4. bias correction                        int8_bias.h              kept if better still
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "converter/compile/calibration_audit.h"
#include "converter/compile/guarded_bias.h"
#include "converter/quantize/equalize.h"
#include "converter/quantize/static_int8.h"

namespace pith {

struct Int8FlowOptions {
  std::string calibration, evaluation;  // data sets; the second may be empty
  int64_t max_items = 256;
  size_t threads = 1;
  std::set<CalibrationFault> accepted;
  bool equalize = true, correct_bias = true;
  std::string dump_folder;
  std::function<void(int64_t done, int64_t total)> progress;
};

struct Int8FlowReport {
  CalibrationAudit audit;
  quantize::StaticInt8Report ranges;
  quantize::EqualizeReport equalize;
  GuardedStep equalized, bias_corrected;
  size_t bias_channels = 0, bias_layers = 0;  // corrected
  int64_t judging_items = 0;
  double output_sqnr_db = 0;  // of the result
};

// `source`: imported, passes run. Returns the integer graph, its passes run.
Result<std::unique_ptr<ir::Graph>> run_int8_flow(const ir::Graph& source, const Int8FlowOptions& options,
                                                 Int8FlowReport* report);

}  // namespace pith
