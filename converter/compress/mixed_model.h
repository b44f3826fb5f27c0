// Turns a float graph and a choice of precision per layer into the graph that will be shipped.
//   PITH_ASSIGN(MixedModel maker, MixedModel::create(*float_graph, calibration source, options));
//   PITH_ASSIGN(auto graph, maker.make({{"conv1", {Precision::int8}}, {"fc", {Precision::int4, 32}}}));
// One calibration serves every choice. Conversions between layers of different precision are inserted where they meet.
#pragma once
#include <memory>

#include "converter/compress/layer_format.h"
#include "converter/compress/weight_ladder.h"
#include "converter/ir/graph.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/static_int8.h"

namespace pith::compress {

class MixedModel {
 public:
  // `graph`: float, its passes run, every node with a name of its own (name_all_nodes). A source without items: int8
  // is not available.
  static Result<MixedModel> create(std::unique_ptr<ir::Graph> graph, const quantize::ItemSource& source,
                                   const quantize::StaticInt8Options& int8);
  // Code::unsupported when a layer cannot take its format; the message names it.
  Result<std::unique_ptr<ir::Graph>> make(const PrecisionPlan& plan) const;
  // The same before pack(): int8 codes still stand row by row beside their biases. `int8`: told what static int8 decided; may
  // be null.
  Result<std::unique_ptr<ir::Graph>> make_unpacked(const PrecisionPlan& plan,
                                                   quantize::StaticInt8Report* int8 = nullptr) const;
  // Brings int8 and half weights to the form that our kernels read in place.
  static Status pack(ir::Graph& graph);
  // Codes for 4-bit layers; a layer without any is searched (GroupMethod::search) when it is made.
  void set_ladders(Ladders ladders) { ladders_ = std::move(ladders); }
  const Ladders& ladders() const { return ladders_; }
  // Codes of static int8 layers instead of the nearest, by node.
  void set_int8_codes(std::map<std::string, std::vector<int8_t>> codes) { int8_codes_ = std::move(codes); }
  // Added to the biases of the float layers, by node, one for each output, before anything is quantized.
  void set_bias_shifts(std::map<std::string, std::vector<float>> shifts) { bias_shifts_ = std::move(shifts); }
  ir::Graph& float_graph() { return *graph_; }  // not to be changed
  const ir::Graph& float_graph() const { return *graph_; }
  bool has_calibration() const { return seen_.items > 0; }

 private:
  Status make_static_int8(ir::Graph& graph, const PrecisionPlan& plan,
                          quantize::StaticInt8Report* report) const;
  void shift_biases(ir::Graph& graph) const;
  void store_int8_codes(ir::Graph& graph) const;
  Status make_packed(ir::Graph& graph, const PrecisionPlan& plan, const LayerFormat& format) const;
  Status pack_winners(ir::Graph& graph, const quantize::NodeFilter& wanted, const LayerFormat& format) const;
  std::unique_ptr<ir::Graph> graph_;
  quantize::SavedCalibration seen_;
  Ladders ladders_;
  quantize::StaticInt8Options int8_;
  std::map<std::string, std::vector<float>> bias_shifts_;
  std::map<std::string, std::vector<int8_t>> int8_codes_;
};

}  // namespace pith::compress
