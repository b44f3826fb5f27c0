// One pass over the calibration items for the moments of all layers, then layer by layer.
#include "converter/compress/learned_rounding.h"

#include <algorithm>
#include <map>

#include "converter/compile/runnable.h"
#include "converter/quantize/adaround.h"
#include "converter/quantize/bias_quant.h"
#include "converter/quantize/collect_moments.h"
#include "converter/quantize/product_rows.h"

namespace pith::compress {
namespace {

constexpr double kNeeds = 1e-4;   // share of the product's power
constexpr double kWork = 4e9;     // multiply-adds that Adam may take for a layer: seconds
constexpr int kFewestSteps = 60;  // below, Adam has not settled: only the descent over codes

// The codes of one layer and what decodes them.
struct Target {
  bool packed = false;  // 4 bits: kernel rows are padded
  quantize::RoundingGrid grid;
  std::vector<int8_t> codes;
  std::vector<float> decoded() const {
    std::vector<float> w(codes.size());
    const size_t groups = (grid.k + grid.group - 1) / grid.group;
    for (size_t i = 0; i < w.size(); ++i) {
      const size_t at = i / grid.k * groups + i % grid.k / grid.group;
      w[i] = static_cast<float>(grid.step[at] * (codes[i] - grid.zero[at]));
    }
    return w;
  }
};

class Rounder {
 public:
  Rounder(const RoundingInput& in, std::unique_ptr<ir::Graph>* model) : in_(in), model_(*model) {}

  Result<RoundingReport> run() {
    std::vector<ir::Node*> nodes;
    for (const auto& node : in_.maker.float_graph().main.nodes)
      if (find_target(*node)) nodes.push_back(node.get());
    if (nodes.empty()) return std::move(report_);
    pool_ = ThreadPool::create(in_.threads);
    quantize::MomentsOptions moments;
    moments.max_items = in_.max_items;
    moments.threads = in_.threads;
    moments.progress = in_.progress;
    const quantize::MomentsFn round = [this](std::span<ir::Node* const> sharing,
                                             const quantize::ProductMoments& m) -> Status {
      for (const ir::Node* node : sharing) PITH_RETURN_IF_ERROR(round_layer(*node, m));
      return Status::ok();
    };
    PITH_RETURN_IF_ERROR(
        quantize::collect_moments(in_.maker.float_graph(), nodes, in_.source, moments, round));
    PITH_RETURN_IF_ERROR(judge());
    return std::move(report_);
  }

 private:
  const LayerFormat* format_of(const ir::Node& node) const {
    const auto at = in_.plan.find(node.name);
    return at == in_.plan.end() ? nullptr : &at->second;
  }

  bool find_target(const ir::Node& node) {
    const LayerFormat* format = format_of(node);
    if (format == nullptr || (format->precision != Precision::int8 && format->precision != Precision::int4))
      return false;
    LayerRounding layer;
    layer.node = node.name;
    Target target;
    Status fits = fits_memory(node);
    if (fits.is_ok())
      fits =
          format->precision == Precision::int8 ? read_int8(node, &target) : read_int4(node, *format, &target);
    if (fits.is_ok()) targets_.emplace(node.name, std::move(target));
    layer.note = fits.message();
    report_.layers.push_back(std::move(layer));
    return fits.is_ok();
  }

  static Status fits_memory(const ir::Node& node) {
    PITH_ASSIGN(const quantize::ProductMatrix matrix, quantize::product_matrix(node));
    const quantize::MomentsOptions options;
    if (quantize::moments_bytes(matrix.columns, options) <= options.max_bytes) return Status::ok();
    return Status(Code::unsupported,
                  format("the moments of its %zu inputs take too much memory", matrix.columns));
  }

  Status read_int8(const ir::Node& node, Target* target) const {
    const ir::Node* made = node_called(*model_, node.name);
    const ir::Value* w = made == nullptr ? nullptr : made->in(1);
    if (w == nullptr || !w->is_constant() || w->dtype != DType::i8 || w->layout != Layout::row_major ||
        !w->quant || w->shape.dims().size() != node.in(1)->shape.dims().size() ||
        !std::equal(w->shape.dims().begin(), w->shape.dims().end(), node.in(1)->shape.dims().begin()))
      return Status(Code::unsupported, "its codes are not where the source's weights were");
    const auto n = static_cast<size_t>(w->shape[0]);
    quantize::QuantizedWeights q;
    const auto codes = w->elements<int8_t>();
    target->codes.assign(codes.begin(), codes.end());
    q.scales.assign(w->quant->scales.begin(), w->quant->scales.end());
    if (q.scales.size() != 1 && q.scales.size() != n)
      return Status(Code::unsupported, "its scales are not one for each output");
    target->grid = quantize::rounding_grid(q, n, codes.size() / n);
    return Status::ok();
  }

  Status read_int4(const ir::Node& node, const LayerFormat& format, Target* target) const {
    const auto found = in_.maker.ladders().find(node.name);
    if (found == in_.maker.ladders().end() || found->second.count(format) == 0)
      return Status(Code::unsupported, "it has no ladder");
    const LadderResult& ladder = found->second.at(format);
    PITH_ASSIGN(target->grid, quantize::rounding_grid(ladder.weights));
    target->codes = ladder.weights.codes;
    target->packed = true;
    return Status::ok();
  }

  LayerRounding& layer_of(const std::string& name) {
    return *std::find_if(report_.layers.begin(), report_.layers.end(),
                         [&](const LayerRounding& l) { return l.node == name; });
  }

  Status round_layer(const ir::Node& node, const quantize::ProductMoments& moments) {
    PITH_ASSIGN(const quantize::ProductMatrix matrix, quantize::product_matrix(node));
    Target& target = targets_.at(node.name);
    LayerRounding& layer = layer_of(node.name);
    if (moments.judge.rows() == 0) {
      layer.note = "too few calibration items to hold any back";
      return Status::ok();
    }
    const auto weights = node.in(1)->elements<float>();
    const std::vector<float> w = target.packed ? quantize::padded_rows(weights, node.in(1)->shape)
                                               : std::vector<float>(weights.begin(), weights.end());
    const auto as_packed = [&](const quantize::Moments& m) {
      return target.packed ? quantize::packed_moments(matrix, m) : m;
    };
    const quantize::Moments judge = as_packed(moments.judge);
    const double power = quantize::proxy_loss(w, std::vector<float>(w.size()), target.grid.n, judge);
    const auto loss = [&] {
      return power > 0 ? quantize::proxy_loss(w, target.decoded(), target.grid.n, judge) / power : 0;
    };
    layer.loss_before = layer.loss_after = loss();
    if (!(layer.loss_before > kNeeds)) {
      layer.note = "loses too little to need it";
      return Status::ok();
    }
    const std::vector<int8_t> before = target.codes;
    quantize::AdaRoundOptions options;
    const double work = static_cast<double>(w.size()) * static_cast<double>(target.grid.k);
    options.steps = std::min(options.steps, static_cast<int>(kWork / work));
    if (options.steps < kFewestSteps) options.steps = 0;
    PITH_ASSIGN(
        const quantize::AdaRoundReport done,
        quantize::adaround(w, target.grid, as_packed(moments.fit), options, pool_.get(), &target.codes));
    layer.moved = done.moved;
    layer.loss_after = loss();
    layer.kept = layer.loss_after < layer.loss_before;
    if (layer.kept) return Status::ok();
    layer.note = "held-back rows lose no less";
    target.codes = before;
    return Status::ok();
  }

  // The model with all codes that were kept, beside the one without.
  Status judge() {
    if (std::none_of(report_.layers.begin(), report_.layers.end(), [](const auto& l) { return l.kept; }))
      return Status::ok();
    const Ladders before = in_.maker.ladders();
    PITH_RETURN_IF_ERROR(store_int4());
    store_int8();
    PITH_ASSIGN(std::unique_ptr<ir::Graph> rounded, in_.maker.make_unpacked(in_.plan));
    PITH_ASSIGN(const double old_noise, noise_of(in_, *model_));
    PITH_ASSIGN(const double new_noise, noise_of(in_, *rounded));
    report_.step = {true, new_noise < old_noise, decibel_of(old_noise), decibel_of(new_noise)};
    if (report_.step.kept) {
      model_ = std::move(rounded);
      return Status::ok();
    }
    in_.maker.set_ladders(before);
    in_.maker.set_int8_codes({});
    for (LayerRounding& layer : report_.layers)
      if (layer.kept) layer.kept = false, layer.note = "the model's outputs come no closer";
    return Status::ok();
  }

  Status store_int4() {
    Ladders ladders = in_.maker.ladders();
    for (const LayerRounding& layer : report_.layers) {
      const auto target = targets_.find(layer.node);
      if (!layer.kept || !target->second.packed) continue;
      const ir::Node& node = *node_called(in_.maker.float_graph(), layer.node);
      LadderResult& ladder = ladders.at(layer.node).at(*format_of(node));
      quantize::GroupRows rows = ladder.weights;
      rows.codes = target->second.codes;
      const auto w = quantize::padded_rows(node.in(1)->elements<float>(), node.in(1)->shape);
      PITH_ASSIGN(ladder.weights, quantize::finished_groups(std::move(rows), w, pool_.get()));
      ladder.winner = ladder.rungs.size();
      ladder.rungs.push_back({WeightMethod::adaround, layer.loss_after, "", ""});
    }
    in_.maker.set_ladders(std::move(ladders));
    return Status::ok();
  }

  // Codes of int8 layers whose sums stay within 32 bits.
  void store_int8() {
    std::map<std::string, std::vector<int8_t>> codes;
    for (LayerRounding& layer : report_.layers) {
      const auto target = targets_.find(layer.node);
      if (!layer.kept || target->second.packed) continue;
      const ir::Value* bias = node_called(*model_, layer.node)->in(2);
      const quantize::ChannelView view{{}, 1, target->second.grid.n, target->second.grid.k};
      if (bias == nullptr || bias->dtype != DType::i32 ||
          quantize::check_accumulators(target->second.codes, view, bias->elements<int32_t>()).is_ok()) {
        codes[layer.node] = target->second.codes;
        continue;
      }
      layer.kept = false;
      layer.note = "its sums could overflow";
    }
    in_.maker.set_int8_codes(std::move(codes));
  }

  const RoundingInput& in_;
  std::unique_ptr<ir::Graph>& model_;
  RoundingReport report_;
  std::map<std::string, Target> targets_;
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace

Result<double> noise_of(const RoundingInput& in, const ir::Graph& graph) {
  PITH_ASSIGN(const Runnable model, runnable(graph, in.threads));
  PITH_ASSIGN(const eval::OutputDistance distance, in.exact.distance(*model.session));
  return distance.noise_share;
}

Result<RoundingReport> learn_rounding(const RoundingInput& input, std::unique_ptr<ir::Graph>* model) {
  return Rounder(input, model).run();
}

}  // namespace pith::compress
