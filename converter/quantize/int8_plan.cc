// Choice of the int8 region by elimination, and grouping of tensors that share a grid.
#include "converter/quantize/int8_plan.h"

#include <algorithm>

#include "converter/quantize/int8_role.h"

namespace pith::quantize {
namespace {

class Planner {
 public:
  Planner(const ir::Graph& graph, const std::map<const ir::Node*, std::string>& keep_float) : graph_(graph) {
    for (const auto& node : graph.main.nodes) {
      PlannedNode p{node.get(), Int8Role::none, false, ""};
      RoleOrReason judged = int8_role(*node);
      p.role = judged.role;
      p.reason = judged.reason;
      if (const auto kept = keep_float.find(node.get()); kept != keep_float.end()) p.reason = kept->second;
      if (p.reason.empty() && !carries_f32(*node, p.role))
        p.reason = "its inputs and outputs are not all f32";
      p.active = p.reason.empty();
      if (p.active) plan_.active_nodes.insert(node.get());
      roles_[node.get()] = p.role;
      plan_.nodes.push_back(std::move(p));
    }
  }

  Int8Plan run() {
    while (drop_unsupported()) {
    }
    group();
    return std::move(plan_);
  }

 private:
  static bool carries_f32(const ir::Node& node, Int8Role role) {
    const auto in = activation_inputs(node, role), out = activation_outputs(node);
    const auto is_f32 = [](const ir::Value* v) { return v->dtype == DType::f32; };
    return !in.empty() && !out.empty() && std::all_of(in.begin(), in.end(), is_f32) &&
           std::all_of(out.begin(), out.end(), is_f32);
  }

  bool reads_as_activation(const ir::Node* reader, const ir::Value* v) const {
    if (!plan_.active(reader)) return false;
    const auto in = activation_inputs(*reader, roles_.at(reader));
    return std::find(in.begin(), in.end(), v) != in.end();
  }

  // Codes of v exist anyway: an active node makes them or a product needs them.
  bool available(const ir::Value* v) const {
    if (v->producer != nullptr && plan_.active(v->producer)) return true;
    return std::any_of(v->readers.begin(), v->readers.end(), [&](const ir::Node* r) {
      return reads_as_activation(r, v) && roles_.at(r) == Int8Role::product;
    });
  }

  bool useful(const ir::Node& node) const {
    for (const ir::Value* v : activation_outputs(node))
      for (const ir::Node* r : v->readers)
        if (reads_as_activation(r, v)) return true;
    return false;
  }

  bool drop_unsupported() {
    bool dropped = false;
    for (PlannedNode& p : plan_.nodes) {
      if (!p.active || p.role == Int8Role::product) continue;
      const auto in = activation_inputs(*p.node, p.role);
      if (!std::all_of(in.begin(), in.end(), [&](const ir::Value* v) { return available(v); }))
        p.reason = "an input comes from a float operator";
      else if (!useful(*p.node))
        p.reason = "no integer product reads its result";
      else
        continue;
      p.active = false;
      plan_.active_nodes.erase(p.node);
      dropped = true;
    }
    return dropped;
  }

  // Union-find over values; the root of a set is its first value in execution order.
  size_t root(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  size_t id_of(ir::Value* v) {
    const auto [at, added] = ids_.emplace(v, values_.size());
    if (added) {
      values_.push_back(v);
      parent_.push_back(at->second);
    }
    return at->second;
  }

  void group() {
    for (const PlannedNode& p : plan_.nodes) {
      if (!p.active) continue;
      std::vector<ir::Value*> touched = activation_inputs(*p.node, p.role);
      for (ir::Value* v : activation_outputs(*p.node)) touched.push_back(v);
      for (ir::Value* v : touched) id_of(v);
      if (p.role != Int8Role::same_grid) continue;
      for (ir::Value* v : touched) {
        const size_t a = root(id_of(touched[0])), b = root(id_of(v));
        parent_[std::max(a, b)] = std::min(a, b);
      }
    }
    std::map<size_t, size_t> group_at;
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto [at, added] = group_at.emplace(root(i), plan_.groups.size());
      if (added) plan_.groups.emplace_back();
      plan_.groups[at->second].values.push_back(values_[i]);
      plan_.group_of[values_[i]] = at->second;
    }
    for (GridGroup& g : plan_.groups) describe(g);
  }

  void describe(GridGroup& g) const {
    bool first = true, fixed = true;
    for (const ir::Value* v : g.values) {
      g.leaves = g.leaves || graph_.is_output(v) ||
                 std::any_of(v->readers.begin(), v->readers.end(),
                             [&](const ir::Node* r) { return !reads_as_activation(r, v); });
      const bool moved = v->producer != nullptr && plan_.active(v->producer) &&
                         roles_.at(v->producer) == Int8Role::same_grid;
      if (moved) continue;  // its values come from another member
      const bool active = v->producer != nullptr && plan_.active(v->producer);
      const auto known = active ? known_output_grid(*v->producer) : std::nullopt;
      fixed = fixed && known && (first || known == g.fixed);
      if (first) g.fixed = known;
      first = false;
    }
    if (!fixed) g.fixed.reset();
  }

  const ir::Graph& graph_;
  Int8Plan plan_;
  std::map<const ir::Node*, Int8Role> roles_;
  std::map<ir::Value*, size_t> ids_;
  std::vector<ir::Value*> values_;
  std::vector<size_t> parent_;
};

}  // namespace

std::vector<ir::Value*> activation_inputs(const ir::Node& node, Int8Role role) {
  const bool all = node.is(schema::Op::ConcatOptions) || node.is(schema::Op::BinaryOptions);
  std::vector<ir::Value*> out;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (i > 0 && (!all || role == Int8Role::none)) break;
    if (node.inputs[i] != nullptr && !node.inputs[i]->is_constant()) out.push_back(node.inputs[i]);
  }
  return out;
}

std::vector<ir::Value*> activation_outputs(const ir::Node& node) {
  std::vector<ir::Value*> out;
  for (ir::Value* v : node.outputs)
    if (v != nullptr) out.push_back(v);
  return out;
}

std::vector<ir::Value*> Int8Plan::values() const {
  std::vector<ir::Value*> out;
  for (const GridGroup& g : groups) out.insert(out.end(), g.values.begin(), g.values.end());
  return out;
}

Int8Plan plan_int8(const ir::Graph& graph, const std::map<const ir::Node*, std::string>& keep_float) {
  return Planner(graph, keep_float).run();
}

}  // namespace pith::quantize
