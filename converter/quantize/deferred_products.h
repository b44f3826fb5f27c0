// Packed weights that are made when the file is written, one product at a time: for weights in a data file of the source,
// which may be larger than memory, and for methods that wait for the moments of each product's input.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "converter/ir/deferred.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/weight_method.h"

namespace pith::quantize {

struct DeferredRecipe {
  Layout layout = Layout::i4s8;  // a 4-bit layout, or f16_panel with group 0
  size_t group = 32;
  const LevelTable* levels = &nf4_table();  // of layouts with a table
  WeightMethod method = WeightMethod::search;
  // The moments of the named product's padded rows; set when the method needs data. Asked in execution order.
  std::function<Result<Moments>(const std::string& node)> moments;
  std::string data;  // names the calibration: part of what decides the bytes
};

// f32 or f16 constants as float rows, every kernel row of a convolution padded (padded_rows). Mapped pages are dropped.
Result<std::vector<float>> float_rows(const ir::Value& weights, ThreadPool* pool);

// True when the weights of the node are to be made later by this recipe: streamed ones, or all if it needs data.
bool is_deferrable(const ir::Node& node, const DeferredRecipe& recipe);

struct DeferredProducts {
  size_t packed = 0, float_products = 0;
  std::vector<std::string> kept_float;  // why
};
// Replaces weights and bias of every deferrable product. Weights that several nodes share are made once.
DeferredProducts defer_products(ir::Graph& graph, const DeferredRecipe& recipe);

}  // namespace pith::quantize
