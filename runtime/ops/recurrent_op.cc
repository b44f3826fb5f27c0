// Recurrent: LSTM, GRU, RNN over a sequence, forward, reverse or both; f32. T steps, B rows, I inputs, H
// units, D directions, G gates:
//   X[T,B,I] W[D,G*H,I] R[D,G*H,H] bias[D,2*G*H] lens[B] h0[D,B,H] c0[D,B,H] P[D,3*H] -> Y[T,D,B,H] Yh[D,B,H]
//   Yc[D,B,H]
// batch_first: X[B,T,I] h0[B,D,H] Y[B,T,D,H] Yh[B,D,H]. Steps from a row's length on give 0 in Y and leave
// its state alone; lengths outside [0, T] count as the nearest of these.
#include "kernels/recurrent/recurrent.h"

#include <algorithm>
#include <cstring>

#include "kernels/gemm/fully_connected.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

using kernels::CellActivation;
using kernels::CellFunction;
using schema::CellKind;
using schema::RecurrentOptions;

enum Input : size_t { kX, kW, kR, kBias, kLens, kH0, kC0, kPeephole };

int64_t gates_of(CellKind cell) { return cell == CellKind::lstm ? 4 : cell == CellKind::gru ? 3 : 1; }
uint32_t functions_of(CellKind cell) { return cell == CellKind::lstm ? 3 : cell == CellKind::gru ? 2 : 1; }
int64_t directions_of(const RecurrentOptions& o) {
  return o.direction() == schema::Direction::bidirectional ? 2 : 1;
}

bool function_of(schema::UnaryKind kind, CellFunction* out) {
  using schema::UnaryKind;
  switch (kind) {
    case UnaryKind::sigmoid:
      return *out = CellFunction::sigmoid, true;
    case UnaryKind::tanh:
      return *out = CellFunction::tanh, true;
    case UnaryKind::relu:
      return *out = CellFunction::relu, true;
    case UnaryKind::leaky_relu:
      return *out = CellFunction::leaky_relu, true;
    case UnaryKind::thresholded_relu:
      return *out = CellFunction::thresholded_relu, true;
    case UnaryKind::hard_sigmoid:
      return *out = CellFunction::hard_sigmoid, true;
    case UnaryKind::elu:
      return *out = CellFunction::elu, true;
    case UnaryKind::softsign:
      return *out = CellFunction::softsign, true;
    case UnaryKind::softplus:
      return *out = CellFunction::softplus, true;
    default:
      return false;
  }
}

Status check(const NodeView& node) {
  const auto& o = node.opt<RecurrentOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 8, 0, 3));
  if (static_cast<unsigned>(o.cell()) > static_cast<unsigned>(CellKind::MAX) ||
      static_cast<unsigned>(o.direction()) > static_cast<unsigned>(schema::Direction::MAX))
    return node_error(node, Code::bad_file, "unknown cell or direction");
  if (o.hidden_size() == 0 || o.hidden_size() > (1u << 24))
    return node_error(node, Code::bad_file, format("has %u hidden units", o.hidden_size()));
  if (!(o.clip() > 0)) return node_error(node, Code::bad_file, "the clip must be positive");
  for (size_t i : {kX, kW, kR, kBias, kH0, kC0, kPeephole})
    PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, kLens, {DType::i32}));
  const auto total = functions_of(o.cell()) * static_cast<uint32_t>(directions_of(o));
  const uint32_t given = o.activations() == nullptr ? 0 : o.activations()->size();
  if (given != 0 && given != total)
    return node_error(node, Code::bad_file, format("has %u activations; expected %u", given, total));
  for (uint32_t i = 0; i < given; ++i)
    if (CellFunction unused; !function_of(static_cast<schema::UnaryKind>(o.activations()->Get(i)), &unused))
      return node_error(node, Code::unsupported, format("activation %u is no recurrent activation", i));
  for (const auto* list : {o.alphas(), o.betas()})
    if (list != nullptr && list->size() != 0 && list->size() != given)
      return node_error(node, Code::bad_file, "alphas and betas must match the activations");
  return Status::ok();
}

Status expect_shape(const NodeView& node, size_t i, const char* role, const Shape& wanted) {
  if (!node.has(i) || !node.in(i).shape.has_rank()) return Status::ok();
  const Shape& found = node.in(i).shape;
  bool fits = found.rank() == wanted.rank();
  for (int d = 0; fits && d < wanted.rank(); ++d)
    fits = found[d] < 0 || wanted[d] < 0 || found[d] == wanted[d];
  if (fits) return Status::ok();
  return node_error(
      node, Code::bad_file,
      format("%s must have shape %s, found %s", role, wanted.text().c_str(), found.text().c_str()));
}

Status infer(const NodeView& node) {
  for (size_t i = 0; i < node.outputs.size(); ++i)
    if (node.has_out(i)) node.out(i).dtype = node.in(kX).dtype;
  const auto& o = node.opt<RecurrentOptions>();
  const int64_t directions = directions_of(o), hidden = o.hidden_size(), rows = gates_of(o.cell()) * hidden;
  for (size_t i = 0; i < 3; ++i) set_output(node, i, DType::f32, Shape::unknown_rank());
  const Shape& x = node.in(kX).shape;
  if (x.has_rank() && x.rank() != 3)
    return node_error(node, Code::bad_file, "X must have three dims, found " + x.text());
  const bool known = x.has_rank();
  const int64_t steps = known ? x[o.batch_first() ? 1 : 0] : kUnknownDim;
  const int64_t batch = known ? x[o.batch_first() ? 0 : 1] : kUnknownDim, inputs = known ? x[2] : kUnknownDim;
  const Shape state = o.batch_first() ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  PITH_RETURN_IF_ERROR(expect_shape(node, kW, "W", {directions, rows, inputs}));
  PITH_RETURN_IF_ERROR(expect_shape(node, kR, "R", {directions, rows, hidden}));
  PITH_RETURN_IF_ERROR(expect_shape(node, kBias, "the bias", {directions, 2 * rows}));
  PITH_RETURN_IF_ERROR(expect_shape(node, kLens, "the lengths", {batch}));
  PITH_RETURN_IF_ERROR(expect_shape(node, kH0, "the first h", state));
  PITH_RETURN_IF_ERROR(expect_shape(node, kC0, "the first c", state));
  PITH_RETURN_IF_ERROR(expect_shape(node, kPeephole, "P", {directions, 3 * hidden}));
  set_output(
      node, 0, DType::f32,
      o.batch_first() ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden});
  set_output(node, 1, DType::f32, state);
  set_output(node, 2, DType::f32, state);
  return Status::ok();
}

// Scratch, in floats. x_part: W x + bias of all steps of one direction.
struct Sizes {
  size_t steps, batch, inputs, hidden, rows, directions;
  size_t x_part() const { return steps * batch * rows; }
  size_t total() const { return x_part() + rows + batch * (rows + 3 * hidden); }
};

Sizes sizes_of(const NodeView& node) {
  const auto& o = node.opt<RecurrentOptions>();
  const Shape& x = node.in(kX).shape;
  Sizes s{};
  s.steps = static_cast<size_t>(x[o.batch_first() ? 1 : 0]);
  s.batch = static_cast<size_t>(x[o.batch_first() ? 0 : 1]);
  s.inputs = static_cast<size_t>(x[2]);
  s.hidden = o.hidden_size();
  s.rows = static_cast<size_t>(gates_of(o.cell())) * s.hidden;
  s.directions = static_cast<size_t>(directions_of(o));
  return s;
}

// Everything one direction needs.
struct Pass {
  const NodeView& node;
  RunContext& context;
  const RecurrentOptions& o;
  Sizes s;
  size_t direction;
  bool reverse;
  float *x_part, *bias, *h_part, *h, *c, *reset;
  CellActivation functions[3];

  const float* slice(size_t input, size_t floats) const {
    return node.has(input) ? node.in(input).as<float>() + direction * floats : nullptr;
  }
  size_t length(size_t b) const {
    if (!node.has(kLens)) return s.steps;
    const int64_t n = node.in(kLens).as<int32_t>()[b];
    return static_cast<size_t>(std::clamp<int64_t>(n, 0, static_cast<int64_t>(s.steps)));
  }
  // Offset of row b in a [D, B, H] (or [B, D, H]) tensor.
  size_t state_at(size_t b) const {
    return (o.batch_first() ? b * s.directions + direction : direction * s.batch + b) * s.hidden;
  }
  size_t y_at(size_t t, size_t b) const {
    return (o.batch_first() ? (b * s.steps + t) * s.directions + direction
                            : (t * s.directions + direction) * s.batch + b) *
           s.hidden;
  }
  float* x_row(size_t t, size_t b) const {
    return x_part + (o.batch_first() ? b * s.steps + t : t * s.batch + b) * s.rows;
  }
  float* h_row(size_t b) const { return h_part + b * s.rows; }
};

// y[m, n] = x[m, k] . w[n, k] + bias, in parallel where it pays.
void multiply(const Pass& p, const float* x, const float* w, const float* bias, float* y, size_t m, size_t n,
              size_t k) {
  constexpr float kAll = std::numeric_limits<float>::infinity();
  const kernels::FullyConnectedArgs a{m, n, k, x, w, bias, y, -kAll, kAll};
  constexpr size_t kColumns = kernels::kFullyConnectedColumns;
  const size_t work = std::max<size_t>(1, m * k * kColumns), grain = std::max<size_t>(1, 32768 / work);
  parallel_for(p.context.pool, (n + kColumns - 1) / kColumns, grain,
               [&](Range blocks) { kernels::fully_connected_ref<float>(a, blocks); });
}

void read_functions(Pass& p) {
  constexpr CellFunction kDefaults[3][3] = {{CellFunction::sigmoid, CellFunction::tanh, CellFunction::tanh},
                                            {CellFunction::sigmoid, CellFunction::tanh, CellFunction::tanh},
                                            {CellFunction::tanh, CellFunction::tanh, CellFunction::tanh}};
  const uint32_t count = functions_of(p.o.cell());
  const auto number = [](const flatbuffers::Vector<float>* list, uint32_t i) {
    return list == nullptr || list->size() == 0 ? 0.0f : list->Get(i);
  };
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t at = static_cast<uint32_t>(p.direction) * count + i;
    p.functions[i] = {kDefaults[static_cast<size_t>(p.o.cell())][i], number(p.o.alphas(), at),
                      number(p.o.betas(), at)};
    if (p.o.activations() != nullptr && p.o.activations()->size() != 0)
      function_of(static_cast<schema::UnaryKind>(p.o.activations()->Get(at)), &p.functions[i].function);
  }
}

// x_part of all steps. Both biases join it, but for the one that a linear GRU adds before its reset gate.
void project_inputs(Pass& p) {
  const float* both = p.slice(kBias, 2 * p.s.rows);
  const bool linear = p.o.cell() == CellKind::gru && p.o.linear_before_reset();
  for (size_t i = 0; i < p.s.rows; ++i) {
    const bool apart = linear && i >= 2 * p.s.hidden;
    p.bias[i] = both == nullptr ? 0.0f : both[i] + (apart ? 0.0f : both[p.s.rows + i]);
  }
  multiply(p, p.node.in(kX).as<float>(), p.slice(kW, p.s.rows * p.s.inputs), p.bias, p.x_part,
           p.s.steps * p.s.batch, p.s.rows, p.s.inputs);
}

void load_state(const Pass& p, size_t input, float* state) {
  for (size_t b = 0; b < p.s.batch; ++b) {
    float* row = state + b * p.s.hidden;
    if (p.node.has(input))
      std::memcpy(row, p.node.in(input).as<float>() + p.state_at(b), p.s.hidden * sizeof(float));
    else
      std::fill(row, row + p.s.hidden, 0.0f);
  }
}

void step_lstm(const Pass& p, size_t t, size_t b) {
  const size_t n = p.s.hidden;
  kernels::lstm_cell_ref({n, p.x_row(t, b), p.h_row(b), p.slice(kPeephole, 3 * n), p.c + b * n, p.h + b * n,
                          p.functions[0], p.functions[1], p.functions[2], p.o.clip(), p.o.input_forget()});
}

kernels::GruCell gru_cell(const Pass& p, size_t t, size_t b) {
  const float* both = p.slice(kBias, 2 * p.s.rows);
  return {p.s.hidden,     p.x_row(t, b),
          p.h_row(b),     p.h + b * p.s.hidden,
          p.functions[0], p.functions[1],
          p.o.clip(),     both == nullptr ? nullptr : both + p.s.rows + 2 * p.s.hidden};
}

// step[b]: the time of row b in this round, or SIZE_MAX when its sequence has ended.
template <class TimeOf>
void round_of(const Pass& p, TimeOf&& time_of) {
  const size_t n = p.s.hidden;
  const float* r = p.slice(kR, p.s.rows * n);
  const bool gru = p.o.cell() == CellKind::gru, linear = p.o.linear_before_reset();
  multiply(p, p.h, r, nullptr, p.h_part, p.s.batch, p.s.rows, n);
  for (size_t b = 0; b < p.s.batch; ++b) {
    const size_t t = time_of(b);
    if (gru) std::fill(p.reset + b * n, p.reset + (b + 1) * n, 0.0f);
    if (t == SIZE_MAX) continue;
    if (p.o.cell() == CellKind::lstm)
      step_lstm(p, t, b);
    else if (gru)
      kernels::gru_gates_ref(gru_cell(p, t, b), linear ? nullptr : p.reset + b * n);
    else
      kernels::rnn_cell_ref(n, p.x_row(t, b), p.h_row(b), p.h + b * n, p.functions[0], p.o.clip());
  }
  if (!gru) return;
  for (size_t b = 0; b < p.s.batch; ++b) {
    const size_t t = time_of(b);
    if (t == SIZE_MAX) continue;
    if (!linear) multiply(p, p.reset + b * n, r + 2 * n * n, nullptr, p.h_row(b) + 2 * n, 1, n, n);
    kernels::gru_finish_ref(gru_cell(p, t, b), linear);
  }
}

void run_direction(Pass& p) {
  const size_t n = p.s.hidden;
  read_functions(p);
  project_inputs(p);
  load_state(p, kH0, p.h);
  load_state(p, kC0, p.c);
  float* y = p.node.has_out(0) ? p.node.out(0).as_mutable<float>() : nullptr;
  for (size_t round = 0; round < p.s.steps; ++round) {
    const auto time_of = [&](size_t b) {
      const size_t length = p.length(b);
      return round >= length ? SIZE_MAX : p.reverse ? length - 1 - round : round;
    };
    round_of(p, time_of);
    for (size_t b = 0; y != nullptr && b < p.s.batch; ++b) {
      const size_t t = time_of(b);
      float* row = y + p.y_at(t == SIZE_MAX ? round : t, b);
      if (t == SIZE_MAX)
        std::fill(row, row + n, 0.0f);
      else
        std::memcpy(row, p.h + b * n, n * sizeof(float));
    }
  }
  for (size_t b = 0; b < p.s.batch; ++b) {
    if (p.node.has_out(1))
      std::memcpy(p.node.out(1).as_mutable<float>() + p.state_at(b), p.h + b * n, n * sizeof(float));
    if (p.node.has_out(2))
      std::memcpy(p.node.out(2).as_mutable<float>() + p.state_at(b), p.c + b * n, n * sizeof(float));
  }
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const Sizes s = sizes_of(node);
  const auto steps = static_cast<int64_t>(s.steps), batch = static_cast<int64_t>(s.batch);
  // Every count of Sizes::total() is at most 4 of these products.
  const int64_t largest = dim_mul(dim_mul(steps + 4, batch + 1), static_cast<int64_t>(s.rows + 1));
  if (largest < 0 || largest > INT64_MAX / 64)
    return node_error(node, Code::no_memory, "the sequence is too long for this memory");
  context.request_scratch(s.total() * sizeof(float));
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const auto& o = node.opt<RecurrentOptions>();
  const Sizes s = sizes_of(node);
  if (s.batch == 0) return;
  auto* scratch = static_cast<float*>(context.scratch);
  for (size_t d = 0; d < s.directions; ++d) {
    Pass p{node, context, o,  s,  d, d == 1 || o.direction() == schema::Direction::reverse, {}, {},
           {},   {},      {}, {}, {}};
    p.x_part = scratch;
    p.bias = p.x_part + s.x_part();
    p.h_part = p.bias + s.rows;
    p.h = p.h_part + s.batch * s.rows;
    p.c = p.h + s.batch * s.hidden;
    p.reset = p.c + s.batch * s.hidden;
    run_direction(p);
  }
}

}  // namespace

extern const OpDef kRecurrentOp{
    schema::Op::RecurrentOptions, "recurrent", kNoFlags, check, infer, prepare, run};

}  // namespace pith
