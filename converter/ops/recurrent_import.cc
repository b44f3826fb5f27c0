// Import of LSTM, GRU and RNN.
#include "converter/ops/import.h"

namespace pith {
namespace {

using schema::CellKind;
using schema::UnaryKind;

// A function of the ONNX recurrent operators; alpha and beta are its defaults.
struct Function {
  const char* name;
  UnaryKind kind;
  bool has_alpha, has_beta;
  float alpha, beta;
};
constexpr Function kFunctions[] = {{"Sigmoid", UnaryKind::sigmoid, false, false, 0, 0},
                                   {"Tanh", UnaryKind::tanh, false, false, 0, 0},
                                   {"Relu", UnaryKind::relu, false, false, 0, 0},
                                   {"LeakyRelu", UnaryKind::leaky_relu, true, false, 0.01f, 0},
                                   {"ThresholdedRelu", UnaryKind::thresholded_relu, true, false, 1, 0},
                                   {"HardSigmoid", UnaryKind::hard_sigmoid, true, true, 0.2f, 0.5f},
                                   {"Elu", UnaryKind::elu, true, false, 1, 0},
                                   {"Softsign", UnaryKind::softsign, false, false, 0, 0},
                                   {"Softplus", UnaryKind::softplus, false, false, 0, 0}};

// activation_alpha and activation_beta hold numbers only for the functions that take them, in order.
Status read_activations(ImportContext& c, schema::RecurrentOptionsT* o) {
  const std::vector<float> alphas = c.attr_floats("activation_alpha"),
                           betas = c.attr_floats("activation_beta");
  size_t alpha = 0, beta = 0;
  for (const std::string& name : c.attr_strings("activations")) {
    const Function* found = nullptr;
    for (const Function& f : kFunctions)
      if (name == f.name) found = &f;
    if (found == nullptr)
      return c.unsupported("activation '" + name + "' is not supported in a recurrent layer");
    o->activations.push_back(found->kind);
    o->alphas.push_back(found->has_alpha && alpha < alphas.size() ? alphas[alpha++] : found->alpha);
    o->betas.push_back(found->has_beta && beta < betas.size() ? betas[beta++] : found->beta);
  }
  return Status::ok();
}

Status import_recurrent(ImportContext& c, CellKind cell) {
  schema::RecurrentOptionsT o;
  o.cell = cell;
  const std::string direction = c.attr_string("direction", "forward");
  if (direction == "reverse")
    o.direction = schema::Direction::reverse;
  else if (direction == "bidirectional")
    o.direction = schema::Direction::bidirectional;
  else if (direction != "forward")
    return c.malformed("direction is '" + direction + "'");
  const int64_t from_r = c.has(2) && c.in(2)->shape.rank() == 3 ? c.in(2)->shape[2] : 0;
  const int64_t hidden = c.attr_int("hidden_size", from_r);
  if (hidden < 1 || hidden > (1 << 24)) return c.malformed("hidden_size is out of range");
  o.hidden_size = static_cast<uint32_t>(hidden);
  PITH_RETURN_IF_ERROR(read_activations(c, &o));
  if (c.has_attr("clip")) o.clip = c.attr_float("clip", 0);
  o.linear_before_reset = c.attr_int("linear_before_reset", 0) != 0;
  o.input_forget = c.attr_int("input_forget", 0) != 0;
  o.batch_first = c.attr_int("layout", 0) != 0;
  std::vector<ir::Value*> inputs;
  for (size_t i = 0; i < c.in_count(); ++i) inputs.push_back(c.in(i));
  size_t outputs = 1;
  for (size_t i = 0; i < 3; ++i)
    if (c.wants_out(i)) outputs = i + 1;
  const auto y = c.emit_n(std::move(o), std::move(inputs), outputs);
  for (size_t i = 0; i < outputs; ++i) c.set_out(i, y[i]);
  return Status::ok();
}

Status import_lstm(ImportContext& c) { return import_recurrent(c, CellKind::lstm); }
Status import_gru(ImportContext& c) { return import_recurrent(c, CellKind::gru); }
Status import_rnn(ImportContext& c) { return import_recurrent(c, CellKind::rnn); }

}  // namespace

std::span<const ImportRule> recurrent_imports() {
  static constexpr ImportRule kRules[] = {
      {"GRU", import_gru, 3}, {"LSTM", import_lstm, 3}, {"RNN", import_rnn, 3}};
  return kRules;
}

}  // namespace pith
