// Integer forms of operators: convolutions and fully-connected layers with i32 bias, arithmetic, pooling,
// tables.
#include "converter/passes/integer_rules.h"

#include <cmath>
#include <cstring>

#include "converter/ops/import.h"
#include "converter/passes/match.h"

namespace pith {
namespace {

using enum schema::Op;

bool is_code8(const ir::Value* v) {
  return v != nullptr && (v->dtype == DType::i8 || v->dtype == DType::u8) && v->quant.has_value();
}
bool is_activation(const ir::Value* v) { return is_code8(v) && v->quant->per_tensor(); }

// Constant i8 weights, symmetric, one scale or one per output channel (dim 0).
bool is_integer_weight(const ir::Value* v) {
  if (!is_code8(v) || !v->is_constant() || v->dtype != DType::i8 || v->quant->group != 0) return false;
  if (v->quant->scales.size() > 1 && v->quant->axis != 0) return false;
  for (int32_t zero : v->quant->zero_points)
    if (zero != 0) return false;
  return true;
}

// Bias in units of x scale * w scale; an existing i32 bias must already be in them. Null when a channel does
// not fit i32.
ir::Value* integer_bias(ir::Graph& graph, const IntegerOperand& bias, const ir::Quant& x,
                        const ir::Value& w) {
  const int64_t channels = w.shape[0];
  const auto scale_of = [&](size_t c) {
    return static_cast<double>(x.scales[0]) *
           static_cast<double>(w.quant->scales[w.quant->scales.size() == 1 ? 0 : c]);
  };
  std::vector<double> real(static_cast<size_t>(channels));
  if (bias.codes != nullptr && bias.codes->is_constant() && bias.codes->dtype == DType::i32 &&
      bias.codes->quant) {
    const auto codes = bias.codes->elements<int32_t>();
    const auto& q = *bias.codes->quant;
    for (size_t c = 0; c < real.size(); ++c)
      real[c] = (static_cast<double>(codes[c]) - q.zero_points[q.scales.size() == 1 ? 0 : c]) *
                static_cast<double>(q.scales[q.scales.size() == 1 ? 0 : c]);
  } else if (bias.real->is_constant() && bias.real->dtype == DType::f32) {
    for (size_t c = 0; c < real.size(); ++c) real[c] = static_cast<double>(bias.real->elements<float>()[c]);
  } else {
    return nullptr;
  }
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(real.size() * sizeof(int32_t), &p);
  for (size_t c = 0; c < real.size(); ++c) {
    const double code = std::nearbyint(real[c] / scale_of(c));
    if (!(std::fabs(code) < 2147483647.0)) return nullptr;  // quantize/ widens such channels beforehand
    const auto narrow = static_cast<int32_t>(code);
    std::memcpy(p + c * sizeof narrow, &narrow, sizeof narrow);
  }
  return graph.add_constant(graph.unique_name(w.name + "/bias"), DType::i32, Shape{channels},
                            std::move(bytes));
}

bool layer_inputs(ir::Graph& graph, const IntegerOperands& o, const ir::Value& result,
                  std::vector<ir::Value*>* inputs) {
  if (o.size() < 2 || !is_activation(o[0].codes) || !is_integer_weight(o[1].codes)) return false;
  if (result.dtype != o[0].codes->dtype || !result.quant->per_tensor() || result.dtype != DType::i8)
    return false;
  *inputs = {o[0].codes, o[1].codes};
  if (o.size() < 3 || o[2].real == nullptr) return true;
  ir::Value* bias = integer_bias(graph, o[2], *o[0].codes->quant, *o[1].codes);
  if (bias == nullptr) return false;
  inputs->push_back(bias);
  return true;
}

bool has_integer_arithmetic(const ir::Node& node) {
  const auto* o = node.as<schema::BinaryOptionsT>();
  return o != nullptr && (o->kind == schema::BinaryKind::add || o->kind == schema::BinaryKind::sub ||
                          o->kind == schema::BinaryKind::mul);
}

// A float constant operand gets the tightest symmetric grid of its own.
ir::Value* quantized_constant(ir::Graph& graph, const ir::Value& v) {
  if (!v.is_constant() || v.dtype != DType::f32) return nullptr;
  float largest = 0;
  for (float x : v.elements<float>()) largest = std::max(largest, std::fabs(x));
  if (!std::isfinite(largest) || largest == 0) return nullptr;
  const float scale = largest / 127.0f;
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(v.elements<float>().size(), &p);
  for (size_t i = 0; i < v.elements<float>().size(); ++i)
    p[i] = static_cast<uint8_t>(static_cast<int8_t>(std::nearbyint(v.elements<float>()[i] / scale)));
  ir::Value* codes =
      graph.add_constant(graph.unique_name(v.name + "/codes"), DType::i8, v.shape, std::move(bytes));
  codes->quant = ir::Quant{{scale}, {0}, -1, 0};
  return codes;
}

bool arithmetic_inputs(ir::Graph& graph, const IntegerOperands& o, const ir::Value& result,
                       std::vector<ir::Value*>* inputs) {
  if (o.size() != 2 || !result.quant->per_tensor()) return false;
  for (const IntegerOperand& operand : o) {
    ir::Value* codes = operand.codes != nullptr ? operand.codes : quantized_constant(graph, *operand.real);
    if (!is_activation(codes) || codes->dtype != result.dtype) return false;
    inputs->push_back(codes);
  }
  return true;
}

// One tensor in, one out, both per tensor; further inputs (axes ...) stay.
bool single_inputs(const IntegerOperands& o, const ir::Value& result, std::vector<ir::Value*>* inputs) {
  if (o.empty() || !is_activation(o[0].codes) || o[0].codes->dtype != result.dtype ||
      !result.quant->per_tensor())
    return false;
  inputs->push_back(o[0].codes);
  for (size_t i = 1; i < o.size(); ++i) inputs->push_back(o[i].real);
  return true;
}

bool concat_inputs(ir::Graph& graph, ir::Node* node, const IntegerOperands& o, const ir::Value& result,
                   std::vector<ir::Value*>* inputs) {
  for (const IntegerOperand& operand : o)
    if (operand.codes == nullptr || !can_regrid(*operand.codes, result)) return false;
  for (const IntegerOperand& operand : o)
    inputs->push_back(regridded(graph, node, operand.codes, *result.quant));
  return true;
}

bool is_mean(const ir::Node& node) {
  const auto* o = node.as<schema::ReduceOptionsT>();
  return o != nullptr && o->kind == schema::ReduceKind::mean;
}

}  // namespace

bool can_regrid(const ir::Value& codes, const ir::Value& result) {
  return is_activation(&codes) && is_activation(&result) && codes.dtype == result.dtype;
}

ir::Value* regridded(ir::Graph& graph, ir::Node* before, ir::Value* codes, const ir::Quant& grid) {
  if (codes->quant == grid) return codes;
  schema::UnaryOptionsT same;  // of unbounded range: any function of one code is a table
  same.kind = schema::UnaryKind::clip;
  same.alpha = -INFINITY, same.beta = INFINITY;
  ir::Value* y =
      graph.insert_before(before, graph.unique_name(codes->name + "/requantize"), same, {codes})->out();
  y->dtype = codes->dtype;
  y->shape = codes->shape;
  y->quant = grid;
  return y;
}

bool moves_codes(const ir::Node& node) {
  switch (node.op.type) {
    case ReshapeOptions:
    case SqueezeOptions:
    case UnsqueezeOptions:
    case FlattenOptions:
    case TransposeOptions:
    case SliceOptions:
    case SplitOptions:
    case GatherOptions:
    case ExpandOptions:
    case TileOptions:
      return true;
    case PadOptions:  // an explicit value would need a code of its own; an omitted one is the zero point
      return node.as<schema::PadOptionsT>()->mode != schema::PadMode::constant || node.in(2) == nullptr;
    case PoolOptions:
      return node.as<schema::PoolOptionsT>()->kind == schema::PoolKind::max;
    case ResizeOptions:
      return node.as<schema::ResizeOptionsT>()->mode == schema::ResizeMode::nearest;
    default:
      return false;
  }
}

bool resamples_codes(const ir::Node& node) {
  const auto* o = node.as<schema::ResizeOptionsT>();
  return o != nullptr && o->mode == schema::ResizeMode::linear &&
         o->coordinates != schema::ResizeCoordinates::tf_crop_and_resize;  // fills with a real number
}

bool integer_inputs(ir::Graph& graph, ir::Node* at, const IntegerOperands& operands, const ir::Value& result,
                    std::vector<ir::Value*>* inputs) {
  const ir::Node& node = *at;
  if (!is_code8(&result) || node.outputs.size() != 1) return false;
  switch (node.op.type) {
    case ConvOptions:
    case ConvTransposeOptions:
    case FullyConnectedOptions:
      return layer_inputs(graph, operands, result, inputs);
    case BinaryOptions:
      return has_integer_arithmetic(node) && arithmetic_inputs(graph, operands, result, inputs);
    case ConcatOptions:
      return concat_inputs(graph, at, operands, result, inputs);
    case UnaryOptions:
      return single_inputs(operands, result, inputs);
    case SoftmaxOptions:
      return node.as<schema::SoftmaxOptionsT>()->kind != schema::SoftmaxKind::hardmax &&
             single_inputs(operands, result, inputs);
    case PoolOptions:
      return node.as<schema::PoolOptionsT>()->kind == schema::PoolKind::average &&
             single_inputs(operands, result, inputs);
    case ResizeOptions:
      return resamples_codes(node) && single_inputs(operands, result, inputs) &&
             operands[0].codes->quant == result.quant;
    case ReduceOptions:
      return is_mean(node) && single_inputs(operands, result, inputs);
    default:
      return false;
  }
}

}  // namespace pith
