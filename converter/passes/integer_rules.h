// Which operators have an integer form, and what their integer operands are.
#pragma once
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

struct IntegerOperand {
  ir::Value* real;   // as the float node reads it; null: omitted
  ir::Value* codes;  // the codes behind its Dequantize, or null
};
using IntegerOperands = std::vector<IntegerOperand>;

// Moves constant scales and zero points of Quantize and Dequantize into their tensors, turns u8 codes into i8
// (code - 128), and moves Transposes of dequantized constants onto the codes.
void attach_quantization(ir::Graph& graph);

// True for operators that only move elements (or pick the largest) and may do so with codes of one grid.
bool moves_codes(const ir::Node& node);

// True for a linear Resize, which computes on codes when both sides share one grid (rounding once more).
bool resamples_codes(const ir::Node& node);

// True when the same numbers can be had as codes of the result's grid by a table: 8-bit codes of one type, a scale each.
bool can_regrid(const ir::Value& codes, const ir::Value& result);
// The codes on that grid, by a node in front of `before`; themselves where they are on it already.
ir::Value* regridded(ir::Graph& graph, ir::Node* before, ir::Value* codes, const ir::Quant& grid);

// Fills the inputs of the integer form of `node` with result tensor `result`, which may take further nodes in front of it; false
// when there is none, and then nothing has changed.
bool integer_inputs(ir::Graph& graph, ir::Node* node, const IntegerOperands& operands,
                    const ir::Value& result, std::vector<ir::Value*>* inputs);

}  // namespace pith
