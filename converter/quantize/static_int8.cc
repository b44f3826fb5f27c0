// Plan -> calibrate -> decide grids -> encode constants -> rewrite. Only the last step changes the graph.
#include "converter/quantize/static_int8.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/int8_rewrite.h"
#include "converter/quantize/int8_role.h"

namespace pith::quantize {
namespace {

using KeepFloat = std::map<const ir::Node*, std::string>;

Result<KeepFloat> named_nodes(const ir::Graph& graph, const std::vector<std::string>& names) {
  KeepFloat out;
  for (const std::string& name : names) {
    bool found = false;
    for (const auto& node : graph.main.nodes) {
      if (node->name != name) continue;
      out.emplace(node.get(), "kept in float by request");
      found = true;
    }
    if (!found)
      return Status(Code::bad_argument, format("there is no node '%s' to keep in float", name.c_str()));
  }
  return out;
}

// A grid needs a scale that a float can hold with room to spare; a node that touches such a tensor stays
// float.
const char* unusable(RangeNote note) {
  if (note == RangeNote::tiny) return "an activation is too small for an int8 grid";
  return nullptr;
}

class Quantizer {
 public:
  Quantizer(ir::Graph& graph, const StaticInt8Options& options, KeepFloat keep)
      : graph_(graph), options_(options), keep_(std::move(keep)) {}

  // `observe(values)` -> Result<Calibration> of them.
  template <class ObserveFn>
  Result<StaticInt8Report> run(const ObserveFn& observe) {
    plan_ = plan_int8(graph_, keep_);
    const std::vector<ir::Value*> values = plan_.values();
    if (!values.empty()) {
      PITH_ASSIGN(seen_, observe(values));
    }
    // Each round leaves at least one more node in float, so there are at most as many rounds as nodes.
    bool settled = false;
    while (!settled) {
      PITH_RETURN_IF_ERROR(decide_grids());
      settled = !drop_unusable() && !drop_costly_concats();
      if (settled) {
        PITH_ASSIGN(settled, encode_products());
      }
      if (!settled) plan_ = plan_int8(graph_, keep_);
    }
    StaticInt8Report report = describe();
    if (report.quantized_products == 0) return nothing_to_quantize(report);
    std::vector<Int8Grid> grids;
    for (const RangeDecision& d : decisions_) grids.push_back(d.grid);
    rewrite_int8(graph_, plan_, grids, products_);
    return report;
  }

 private:
  Status decide_grids() {
    decisions_.clear();
    for (const GridGroup& g : plan_.groups) {
      Result<RangeDecision> d = decide(g);
      if (!d.is_ok())
        return Status(d.status()).with_context(format("tensor '%s': ", g.values.front()->name.c_str()));
      decisions_.push_back(std::move(d).value());
    }
    return Status::ok();
  }

  Result<RangeDecision> decide(const GridGroup& g) const {
    RangeOptions ranges = options_.ranges;
    // What users see, or a float operator reads: its largest values matter most, never clip them.
    if (!g.fixed && g.leaves) {
      ranges.percents.clear();
      ranges.kl = ranges.mse = false;
      ranges.sole.reset();
    }
    Observation all = seen_.of(g.values[0]);
    for (size_t i = 1; i < g.values.size(); ++i) all.merge(seen_.of(g.values[i]));
    return g.fixed ? judge_grid(all, *g.fixed) : decide_range(all, ranges, options_.rules);
  }

  bool leave_in_float(const ir::Node* node, std::string reason) {
    return keep_.emplace(node, std::move(reason)).second;
  }

  bool drop_unusable() {
    bool dropped = false;
    for (const PlannedNode& p : plan_.nodes) {
      if (!p.active) continue;
      std::vector<ir::Value*> touched = activation_inputs(*p.node, p.role);
      for (ir::Value* v : activation_outputs(*p.node)) touched.push_back(v);
      for (const ir::Value* v : touched) {
        const char* reason = unusable(decisions_[plan_.group_of.at(v)].note);
        if (reason != nullptr) dropped |= leave_in_float(p.node, reason);
      }
      if (p.role == Int8Role::elementwise && !finite_constants(*p.node))
        dropped |= leave_in_float(p.node, "a constant operand is not finite");
    }
    return dropped;
  }

  static bool finite_constants(const ir::Node& node) {
    for (const ir::Value* v : node.inputs)
      if (v != nullptr && v->is_constant() && v->dtype == DType::f32)
        for (const float x : v->elements<float>())
          if (!std::isfinite(x)) return false;
    return true;
  }

  // Signal-to-noise that the tensor would have on a grid of its own, less what it has on the shared one.
  double shared_grid_loss_db(const ir::Value* v, const Int8Grid& shared) const {
    const auto at = seen_.observations.find(v);
    if (at == seen_.observations.end()) return 0;
    const auto own = decide_range(at->second, options_.ranges, options_.rules);
    const auto now = judge_grid(at->second, shared);
    if (!own.is_ok() || !now.is_ok() || !std::isfinite(own.value().sqnr_db)) return 0;
    return own.value().sqnr_db - now.value().sqnr_db;
  }

  bool drop_costly_concats() {
    bool dropped = false;
    for (const PlannedNode& p : plan_.nodes) {
      if (!p.active || !p.node->is(schema::Op::ConcatOptions)) continue;
      for (const ir::Value* v : p.node->inputs) {
        const double loss = shared_grid_loss_db(v, decisions_[plan_.group_of.at(v)].grid);
        if (loss > options_.largest_shared_grid_loss_db)
          dropped |= leave_in_float(
              p.node, format("'%s' would lose %.1f dB on the grid it shares", v->name.c_str(), loss));
      }
    }
    return dropped;
  }

  // False: a node cannot be encoded and stays float, plan again.
  Result<bool> encode_products() {
    products_.clear();
    bool all = true;
    for (const PlannedNode& p : plan_.nodes) {
      if (!p.active || p.role != Int8Role::product) continue;
      const Int8Grid& input = decisions_[plan_.group_of.at(p.node->in(0))].grid;
      Result<ProductCodes> codes =
          encode_product(p.node, input, options_.weight_scales, options_.per_channel);
      if (codes.is_ok()) {
        products_.push_back(std::move(codes).value());
      } else if (codes.status().code() == Code::unsupported) {
        leave_in_float(p.node, codes.status().message());
        all = false;
      } else {
        return Status(codes.status()).with_context(format("node '%s': ", p.node->name.c_str()));
      }
    }
    return all;
  }

  StaticInt8Report describe() const {
    StaticInt8Report report;
    report.items = seen_.items;
    report.judged_on_fit = seen_.judged_on_fit;
    for (const PlannedNode& p : plan_.nodes) {
      NodeReport n{p.node->name,
                   schema::EnumNameOp(p.node->op.type),
                   p.role,
                   p.active,
                   is_product(*p.node),
                   p.reason,
                   0,
                   0,
                   0,
                   0,
                   0};
      for (const ProductCodes& codes : products_)
        if (codes.node == p.node) add_weights(codes.weights, n);
      if (n.is_product) ++(p.active ? report.quantized_products : report.float_products);
      report.nodes.push_back(std::move(n));
    }
    for (size_t g = 0; g < plan_.groups.size(); ++g) {
      TensorReport t{{}, plan_.groups[g].fixed.has_value(), decisions_[g]};
      for (const ir::Value* v : plan_.groups[g].values) t.names.push_back(v->name);
      report.tensors.push_back(std::move(t));
    }
    return report;
  }

  static Status nothing_to_quantize(const StaticInt8Report& report) {
    std::string reasons;
    for (const NodeReport& n : report.nodes)
      if (n.is_product) reasons += format("\n  node '%s': %s", n.name.c_str(), n.reason.c_str());
    return Status(Code::unsupported, "no convolution or matrix product of this model can run on int8" +
                                         (reasons.empty() ? std::string(": it has none") : ":" + reasons));
  }

  static void add_weights(const QuantizedWeights& w, NodeReport& n) {
    n.weight_sqnr_db = w.sqnr_db;
    n.worst_channel = w.worst_channel;
    n.worst_channel_sqnr_db = w.channel_sqnr_db[w.worst_channel];
    n.dead_channels = w.dead_channels;
    n.widened_channels = w.widened_channels;
  }

  ir::Graph& graph_;
  const StaticInt8Options& options_;
  KeepFloat keep_;
  Int8Plan plan_;
  Calibration seen_;
  std::vector<RangeDecision> decisions_;  // one per group
  std::vector<ProductCodes> products_;
};

}  // namespace

Result<StaticInt8Report> quantize_static_int8(ir::Graph& graph, const ItemSource& source,
                                              const StaticInt8Options& options) {
  PITH_ASSIGN(KeepFloat keep, named_nodes(graph, options.keep_float));
  return Quantizer(graph, options, std::move(keep)).run([&](const std::vector<ir::Value*>& values) {
    return calibrate(graph, values, source, options.calibration);
  });
}

Result<SavedCalibration> save_calibration(ir::Graph& graph, const ItemSource& source,
                                          const StaticInt8Options& options) {
  const std::vector<ir::Value*> values = plan_int8(graph, {}).values();
  SavedCalibration saved;
  if (values.empty()) return saved;
  PITH_ASSIGN(Calibration seen, calibrate(graph, values, source, options.calibration));
  for (auto& [value, observation] : seen.observations)
    saved.by_name.emplace(value->name, std::move(observation));
  saved.items = seen.items;
  saved.judged_on_fit = seen.judged_on_fit;
  return saved;
}

Result<StaticInt8Report> quantize_static_int8(ir::Graph& graph, const SavedCalibration& seen,
                                              const StaticInt8Options& options) {
  PITH_ASSIGN(KeepFloat keep, named_nodes(graph, options.keep_float));
  return Quantizer(graph, options, std::move(keep))
      .run([&](const std::vector<ir::Value*>& values) -> Result<Calibration> {
        Calibration out;
        out.items = seen.items;
        out.judged_on_fit = seen.judged_on_fit;
        for (const ir::Value* v : values) {
          const auto at = seen.by_name.find(v->name);
          if (at == seen.by_name.end())
            return Status(Code::internal, format("tensor '%s' was not calibrated", v->name.c_str()));
          out.observations.emplace(v, at->second);
        }
        return out;
      });
}

}  // namespace pith::quantize
