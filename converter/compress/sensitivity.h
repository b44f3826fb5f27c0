// What each unit costs and damages in each format, everything else left in float: one candidate model per (unit, format),
// run on the same items as the original.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "converter/compress/layer_times.h"
#include "converter/compress/mixed_model.h"
#include "converter/compress/units.h"
#include "converter/eval/reference_outputs.h"

namespace pith::compress {

struct FormatMeasure {
  LayerFormat format;
  std::string failure;            // not empty: cannot be had, and why; the rest means nothing then
  eval::OutputDistance distance;  // of the model's outputs from the original's
  uint64_t bytes = 0;             // of the unit's part of the file
  double ms = 0;                  // of the unit's nodes in a model that has this format wherever possible
};

struct UnitMeasure {
  std::vector<FormatMeasure> formats;  // as Unit::formats
};

struct SensitivityOptions {
  size_t threads = 1;
  const LayerTimes* times = nullptr;  // of the device, instead of measuring here
  std::function<void(int64_t done, int64_t total)> progress;
};

// `exact` holds the answers of the float model; `feed_one` puts an item into a session for timing.
Result<std::vector<UnitMeasure>> measure_sensitivity(const MixedModel& maker, const std::vector<Unit>& units,
                                                     const eval::ReferenceOutputs& exact,
                                                     const std::function<Status(Session&)>& feed_one,
                                                     const SensitivityOptions& options);

// Every unit in `format` where it can be, else in the first of its formats that `fallback` names, else fp32.
PrecisionPlan uniform_plan(const std::vector<Unit>& units, const LayerFormat& format,
                           const std::vector<LayerFormat>& fallback);

// Bytes of a graph's constants as the file stores them.
uint64_t constant_bytes(const ir::Graph& graph);

}  // namespace pith::compress
