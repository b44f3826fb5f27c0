// Two traced runs an item: the original, and the integer model with every result replaced by the original's.
#include "converter/compile/int8_bias.h"

#include <cmath>
#include <cstring>
#include <map>

#include "converter/eval/traced_values.h"
#include "converter/quantize/bias_correction.h"
#include "converter/quantize/bias_quant.h"

namespace pith {
namespace {

using quantize::ChannelError;

struct Errors {
  ChannelError fit, held_back;
};

bool is_integer_layer(const ir::Node& node) {
  const bool layer = node.is(schema::Op::ConvOptions) || node.is(schema::Op::ConvTransposeOptions) ||
                     node.is(schema::Op::FullyConnectedOptions);
  const ir::Value *x = node.in(0), *w = node.in(1), *bias = node.in(2);
  return layer && x != nullptr && x->dtype == DType::i8 && x->quant && w->is_constant() && w->quant &&
         bias != nullptr && bias->is_constant() && bias->dtype == DType::i32;
}

// Collects each layer's own error, per channel.
class Collector : public TraceSink {
 public:
  Collector(const eval::StepRecorder& original, std::map<std::string, Errors, std::less<>>& errors)
      : original_(original), errors_(errors) {}
  void set_held_back(bool held_back) { held_back_ = held_back; }
  Status status() const { return status_; }

  void on_step(const StepTrace& step) override {
    const NodeView& node = *step.node;
    if (!node.has_out(0) || !eval::has_real_values(node.out(0))) return;
    const std::vector<float>* exact = original_.find(node);
    if (exact == nullptr || exact->size() != static_cast<size_t>(node.out(0).count())) return;
    if (const auto at = errors_.find(node.name); at != errors_.end()) {
      ChannelError& e = held_back_ ? at->second.held_back : at->second.fit;
      if (Status s = e.add(*exact, eval::real_values(node.out(0))); !s.is_ok()) status_ = s;
    }
    eval::store_real_values(node.out(0), *exact);
  }

 private:
  const eval::StepRecorder& original_;
  std::map<std::string, Errors, std::less<>>& errors_;
  bool held_back_ = false;
  Status status_;
};

Status run_traced(Session& session, TraceSink* sink) {
  session.set_trace(sink);
  const Status status = session.run();
  session.set_trace(nullptr);
  return status;
}

// The bias with the correction rounded into its codes, or null when nothing changes or a code would leave its bounds.
ir::Value* corrected(ir::Graph& graph, const ir::Node& node, const std::vector<float>& delta) {
  const auto old = node.in(2)->elements<int32_t>();
  const auto &w = node.in(1)->quant->scales, &x = node.in(0)->quant->scales;
  std::vector<int32_t> codes(old.begin(), old.end());
  bool changed = false;
  for (size_t c = 0; c < codes.size(); ++c) {
    const double step = static_cast<double>(w[w.size() == 1 ? 0 : c]) * static_cast<double>(x[0]);
    const double code = codes[c] + std::nearbyint(static_cast<double>(delta[c]) / step);
    if (!(std::fabs(code) <= quantize::kLargestBiasCode)) continue;
    changed = changed || static_cast<int32_t>(code) != codes[c];
    codes[c] = static_cast<int32_t>(code);
  }
  const ir::Value& w_codes = *node.in(1);
  const auto channels = codes.size();
  const quantize::ChannelView view{{}, 1, channels, w_codes.constant->size / channels};
  if (!changed || !quantize::check_accumulators(w_codes.elements<int8_t>(), view, codes).is_ok())
    return nullptr;
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(codes.size() * sizeof(int32_t), &p);
  std::memcpy(p, codes.data(), bytes.size);
  ir::Value* after = graph.add_constant(graph.unique_name(node.in(2)->name), DType::i32, node.in(2)->shape,
                                        std::move(bytes));
  after->quant = node.in(2)->quant;
  return after;
}

}  // namespace

void BiasShifts::apply(ir::Graph& graph) const {
  for (const BiasShift& s : layers) graph.set_input(s.node, 2, s.after);
}
void BiasShifts::undo(ir::Graph& graph) const {
  for (const BiasShift& s : layers) graph.set_input(s.node, 2, s.before);
}

Result<BiasShifts> measure_bias_shifts(ir::Graph& graph, Session& original, Session& quantized,
                                       const Feed& feed, std::span<const int64_t> fit,
                                       std::span<const int64_t> held_back) {
  std::map<std::string, Errors, std::less<>> errors;
  for (const auto& node : graph.main.nodes)
    if (is_integer_layer(*node)) {
      const auto channels = static_cast<size_t>(node->in(2)->shape.count());
      errors.emplace(node->name, Errors{ChannelError(channels), ChannelError(channels)});
    }
  eval::StepRecorder recorder;
  Collector collector(recorder, errors);
  for (const auto& items : {fit, held_back}) {
    collector.set_held_back(items.data() == held_back.data());
    for (const int64_t item : items) {
      recorder.clear();
      PITH_RETURN_IF_ERROR(feed(item, original));
      PITH_RETURN_IF_ERROR(run_traced(original, &recorder));
      PITH_RETURN_IF_ERROR(feed(item, quantized));
      PITH_RETURN_IF_ERROR(run_traced(quantized, &collector));
    }
  }
  PITH_RETURN_IF_ERROR(collector.status());
  BiasShifts shifts;
  for (const auto& node : graph.main.nodes) {
    const auto at = errors.find(node->name);
    if (at == errors.end() || !is_integer_layer(*node) || at->second.fit.rows() == 0 ||
        at->second.held_back.rows() == 0)
      continue;
    PITH_ASSIGN(const quantize::BiasCorrection c,
                quantize::correct_bias(at->second.fit, at->second.held_back));
    shifts.accepted += c.accepted;
    shifts.rejected += c.rejected;
    ir::Value* after = c.accepted > 0 ? corrected(graph, *node, c.delta) : nullptr;
    if (after != nullptr) shifts.layers.push_back({node.get(), node->in(2), after});
  }
  return shifts;
}

}  // namespace pith
