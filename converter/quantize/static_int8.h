// Static int8: calibrates the float graph, then rewrites it with Quantize / Dequantize pairs around what runs
// on codes.
//   conv in float:   x ─ Conv(w, b) ─ y
//   afterwards:      x ─ Q ─ DQ ─ Conv(DQ(w_i8), DQ(b_i32)) ─ Q ─ DQ ─ y
// Grids sit in the quantized values themselves (ir::Value::quant), so Q and DQ have one input. The rewritten
// graph is an ordinary float graph that computes what the integer one will, up to rounding of sums; the pass
// fuse_qdq turns DQ-operator-Q into integer operators. Weights: per channel (axis 0), symmetric. Bias: i32,
// scale of input x weights.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/int8_plan.h"
#include "converter/quantize/weight_quant.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct StaticInt8Options {
  CalibrationOptions calibration;
  RangeOptions ranges;
  TournamentRules rules;
  ScaleRule weight_scales = ScaleRule::mse;
  bool per_channel = true;              // false: one scale for a layer's weights
  std::vector<std::string> keep_float;  // node names; an unknown name is refused
  // Tensors of one concat that lose more than this against a grid of their own (dB): the concat stays float.
  double largest_shared_grid_loss_db = 12;
};

struct NodeReport {
  std::string name, op;
  Int8Role role = Int8Role::none;
  bool quantized = false;
  bool is_product = false;    // convolution or matrix product, whether or not int8 takes it
  std::string reason;         // why not
  double weight_sqnr_db = 0;  // products only
  double worst_channel_sqnr_db = 0;
  size_t worst_channel = 0, dead_channels = 0, widened_channels = 0;
};

struct TensorReport {
  std::vector<std::string> names;  // tensors that share the grid
  bool fixed = false;              // not calibrated: the function bounds it
  RangeDecision decision;
};

struct StaticInt8Report {
  std::vector<NodeReport> nodes;
  std::vector<TensorReport> tensors;
  int64_t items = 0;
  bool judged_on_fit = false;
  size_t quantized_products = 0, float_products = 0;
};

// What calibration saw, by the names of tensors: serves every graph that is a copy of the one it was made from.
struct SavedCalibration {
  std::map<std::string, Observation> by_name;
  int64_t items = 0;
  bool judged_on_fit = false;
};
// Observes every tensor that int8 could put on codes. `options.keep_float` does not matter here.
Result<SavedCalibration> save_calibration(ir::Graph& graph, const ItemSource& source,
                                          const StaticInt8Options& options);

// The graph's passes have run (channels-last, folded, fused). On error the graph is as it was. Code::unsupported: no product can be taken.
Result<StaticInt8Report> quantize_static_int8(ir::Graph& graph, const ItemSource& source,
                                              const StaticInt8Options& options);
// The same without running the model: several mixtures of one model cost one calibration. A tensor that was
// never observed is Code::internal.
Result<StaticInt8Report> quantize_static_int8(ir::Graph& graph, const SavedCalibration& seen,
                                              const StaticInt8Options& options);

}  // namespace pith::quantize
