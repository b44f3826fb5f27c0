// Methods, their judge, and the walk over the layers.
#include "converter/compress/weight_ladder.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/collect_moments.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/product_rows.h"

namespace pith::compress {
namespace {

constexpr WeightMethod kMethods[] = {WeightMethod::plain, WeightMethod::search, WeightMethod::hqq,
                                     WeightMethod::weighted, WeightMethod::gptq};

// The weights of one layer, and what its inputs look like (null: no data).
struct Layer {
  std::vector<float> w;
  size_t n = 0, k = 0;
  const quantize::Moments* fit = nullptr;
  const quantize::Moments* judge = nullptr;
};

Result<quantize::GroupedWeights> codes_of(const Layer& layer, const LayerFormat& format, WeightMethod method,
                                          ThreadPool* pool, std::string* note) {
  quantize::GroupOptions options = group_options(format);
  options.pool = pool;
  options.layout = quantize::stored_layout(options.layout, layer.n, layer.k, format.group);
  return quantize::quantize_by(method, layer.w, layer.n, layer.k, options, layer.fit, note);
}

double loss_of(const Layer& layer, const quantize::GroupedWeights& q) {
  if (layer.judge == nullptr) return q.signal > 0 ? q.noise / q.signal : 0;
  const std::vector<float> zero(layer.w.size(), 0.0f);
  const double power = quantize::proxy_loss(layer.w, zero, layer.n, *layer.judge);
  return power > 0 ? quantize::proxy_loss(layer.w, q.decoded(), layer.n, *layer.judge) / power : 0;
}

Result<LadderResult> climb(const Layer& layer, const LayerFormat& format, const LadderOptions& options,
                           ThreadPool* pool) {
  LadderResult out;
  bool any = false;
  for (const WeightMethod method : kMethods) {
    if (options.only ? *options.only != method : needs_data(method) && layer.fit == nullptr) continue;
    Rung rung;
    rung.method = method;
    Result<quantize::GroupedWeights> q = codes_of(layer, format, method, pool, &rung.note);
    if (!q.is_ok()) {
      rung.failure = q.status().message();
      if (q.status().code() != Code::unsupported) return q.status();
    } else {
      rung.loss = loss_of(layer, q.value());
      if (!any || rung.loss < out.rungs[out.winner].loss) {
        out.winner = out.rungs.size();
        out.weights = std::move(q).value();
        any = true;
      }
    }
    out.rungs.push_back(std::move(rung));
  }
  if (any) return out;
  return Status(Code::unsupported,
                out.rungs.empty() ? std::string("no method applies") : out.rungs.front().failure);
}

std::vector<LayerFormat> grouped_formats(const Unit& unit) {
  std::vector<LayerFormat> out;
  for (const LayerFormat& f : unit.formats)
    if (f.group != 0) out.push_back(f);
  return out;
}

class Climber {
 public:
  Climber(ir::Graph& graph, const LadderOptions& options) : graph_(graph), options_(options) {}

  Result<Ladders> run(const std::vector<Unit>& units, const quantize::ItemSource& source) {
    pool_ = ThreadPool::create(options_.threads);
    std::vector<ir::Node*> nodes;
    for (const Unit& unit : units)
      for (const std::string& name : unit.nodes)
        if (!grouped_formats(unit).empty()) {
          formats_[name] = grouped_formats(unit);
          nodes.push_back(node_called(graph_, name));
        }
    if (nodes.empty()) return std::move(out_);
    if (source.items == 0) {
      for (ir::Node* node : nodes) PITH_RETURN_IF_ERROR(climb_node(*node, nullptr));
      return std::move(out_);
    }
    quantize::MomentsOptions moments;
    moments.max_items = options_.max_items;
    moments.threads = options_.threads;
    moments.progress = options_.progress;
    const quantize::MomentsFn climb_sharing = [this](std::span<ir::Node* const> sharing,
                                                     const quantize::ProductMoments& m) -> Status {
      for (ir::Node* node : sharing) PITH_RETURN_IF_ERROR(climb_node(*node, &m));
      return Status::ok();
    };
    PITH_RETURN_IF_ERROR(quantize::collect_moments(graph_, nodes, source, moments, climb_sharing));
    return std::move(out_);
  }

 private:
  Status climb_node(const ir::Node& node, const quantize::ProductMoments* m) {
    PITH_ASSIGN(const quantize::ProductMatrix matrix, quantize::product_matrix(node));
    Layer layer;
    layer.w = quantize::padded_rows(node.in(1)->elements<float>(), node.in(1)->shape);
    layer.n = matrix.outputs;
    layer.k = layer.w.size() / layer.n;
    quantize::Moments fit, judge;
    if (m != nullptr) {
      fit = quantize::packed_moments(matrix, m->fit);
      layer.fit = &fit;
      if (m->judge.rows() > 0) judge = quantize::packed_moments(matrix, m->judge);
      layer.judge = m->judge.rows() > 0 ? &judge : &fit;
    }
    for (const LayerFormat& format : formats_.at(node.name)) {
      Result<LadderResult> found = climb(layer, format, options_, pool_.get());
      if (!found.is_ok())
        return Status(found.status()).with_context("layer '" + node.name + "', " + name_of(format) + ": ");
      found.value().judged_on_held_back = m != nullptr && m->judge.rows() > 0;
      out_[node.name][format] = std::move(found).value();
    }
    return Status::ok();
  }

  ir::Graph& graph_;
  const LadderOptions& options_;
  std::unique_ptr<ThreadPool> pool_;
  std::map<std::string, std::vector<LayerFormat>> formats_;
  Ladders out_;
};

}  // namespace

Result<Ladders> climb_ladders(ir::Graph& graph, const std::vector<Unit>& units,
                              const quantize::ItemSource& source, const LadderOptions& options) {
  return Climber(graph, options).run(units, source);
}

}  // namespace pith::compress
