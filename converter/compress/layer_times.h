// How long layers take in each format on the device a model is meant for, as `pith tune --layer-times` measured them there. One
// file for each precision of the model, all from one device:
//   {"pith_layer_times": 1, "cpu": "Cortex-A76 x 4", "threads": 1, "ms": 12.5,          ms: of the whole model
//    "layers": [{"name": "conv1", "format": "int8", "ms": 0.41}]}                       nodes with weights
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/compress/layer_format.h"
#include "converter/compress/units.h"

namespace pith::compress {

struct LayerTime {
  std::string name;
  LayerFormat format;
  double ms = 0;
};

struct MeasuredModel {
  std::string cpu;
  size_t threads = 1;
  double ms = 0;
  std::vector<LayerTime> layers;
};

std::string layer_times_json(const MeasuredModel& model);

class LayerTimes {
 public:
  // Strict: the files may be hostile. All must be of one processor and number of threads; of a layer that several files have in one
  // format, the least time counts.
  static Result<LayerTimes> read(const std::vector<std::string>& paths);

  // "Cortex-A76 x 4, 1 thread".
  const std::string& device() const { return device_; }

  // Every layer needs its time in float, and in one smaller format at least.
  Status check(const std::vector<Unit>& units) const;

  // Of all nodes of the unit; none where one was not measured in that format. fp32 and fp16 weights are computed with alike:
  // one stands in for the other.
  std::optional<double> unit_ms(const Unit& unit, const LayerFormat& format) const;

  // An estimate for a mixture: its layers' times, and for all that has no weights the rest of the uniform models' times, each by the
  // share of layers in its format. Layers that the plan does not name are float.
  double model_ms(const std::vector<Unit>& units, const PrecisionPlan& plan) const;

 private:
  void add(const MeasuredModel& model);
  double rest_ms(const LayerFormat& format) const;

  std::string device_;
  std::map<std::string, std::map<LayerFormat, double>> ms_;  // by node
  std::map<LayerFormat, double> rest_;                       // by the format that most layers of a file have
};

}  // namespace pith::compress
