// Nodes are paired by name; bytes decide first, values where bytes differ.
#include "converter/inspect/model_diff.h"

#include <algorithm>
#include <cstring>

#include "runtime/ops/panel_weights.h"

namespace pith::inspect {
namespace {

template <class T>
bool same_span(std::span<const T> a, std::span<const T> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool same_type(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.layout == b.layout && a.group == b.group &&
         a.shape.text() == b.shape.text() && a.quant.axis == b.quant.axis && a.quant.group == b.quant.group &&
         same_span(a.quant.scales, b.quant.scales) && same_span(a.quant.zero_points, b.quant.zero_points);
}

bool same_constant(const TensorView& a, const TensorView& b) {
  if (!same_type(a, b) || (a.codebook == nullptr) != (b.codebook == nullptr)) return false;
  if (a.codebook != nullptr && std::memcmp(a.codebook, b.codebook, 16) != 0) return false;
  return std::memcmp(a.data, b.data, static_cast<size_t>(stored_bytes(a))) == 0;
}

bool same_activation(const TensorView& a, const TensorView& b) {
  return std::strcmp(a.name, b.name) == 0 && same_type(a, b);
}

bool is_weights(const TensorView& t) { return t.shape.rank() >= 2 && has_stored_weights(t); }

class Differ {
 public:
  explicit Differ(bool fit) : fit_(fit) {}

  Result<NodeDiff> diff(const ModelNode& a, const ModelNode& b) const {
    NodeDiff out{a.name, {a.op, b.op}, {precision_of(a), precision_of(b)}, {}, {}};
    if (a.op != b.op)
      out.changes.emplace_back("operator");
    else if (options_bytes(*a.stored) != options_bytes(*b.stored))
      out.changes.emplace_back("options");
    PITH_RETURN_IF_ERROR(diff_inputs(a, b, &out));
    const bool outputs = a.outputs.size() == b.outputs.size() &&
                         std::equal(a.outputs.begin(), a.outputs.end(), b.outputs.begin(),
                                    [](const TensorView* x, const TensorView* y) {
                                      return x == nullptr || y == nullptr ? x == y : same_activation(*x, *y);
                                    });
    if (!outputs) out.changes.emplace_back("outputs");
    return out;
  }

 private:
  Status diff_inputs(const ModelNode& a, const ModelNode& b, NodeDiff* out) const {
    bool inputs = false, constants = false;
    for (size_t i = 0; i < std::max(a.inputs.size(), b.inputs.size()); ++i) {
      const TensorView* x = i < a.inputs.size() ? a.inputs[i] : nullptr;
      const TensorView* y = i < b.inputs.size() ? b.inputs[i] : nullptr;
      if (x == nullptr || y == nullptr) {
        inputs = inputs || x != y;
      } else if (x->is_constant != y->is_constant) {
        inputs = true;
      } else if (!x->is_constant) {
        inputs = inputs || !same_activation(*x, *y);
      } else if (is_weights(*x) && is_weights(*y)) {
        PITH_ASSIGN(WeightsDiff w, diff_weights(i, *x, *y));
        out->weights.push_back(std::move(w));
      } else {
        constants = constants || !same_constant(*x, *y);
      }
    }
    if (inputs) out->changes.emplace_back("inputs");
    if (constants) out->changes.emplace_back("constants");
    return Status::ok();
  }

  Result<WeightsDiff> diff_weights(size_t input, const TensorView& a, const TensorView& b) const {
    WeightsDiff out;
    out.input = input;
    PITH_ASSIGN(const StoredWeights x, read_stored_weights(a));
    PITH_ASSIGN(const StoredWeights y, read_stored_weights(b));
    out.form[0] = x.form, out.form[1] = y.form;
    out.bytes[0] = x.bytes, out.bytes[1] = y.bytes;
    out.count = x.values.size();
    out.same = same_constant(a, b);
    if (out.same) return out;
    auto distance = weight_distance(x, y, fit_, static_cast<size_t>(a.shape[a.shape.rank() - 1]));
    if (distance.is_ok())
      out.distance = std::move(distance).value();
    else
      out.missing = distance.status().message();
    return out;
  }

  bool fit_;
};

bool same_tensors(const Model& a, const flatbuffers::Vector<int32_t>* x, const Model& b,
                  const flatbuffers::Vector<int32_t>* y) {
  const uint32_t n = x == nullptr ? 0 : x->size();
  if (n != (y == nullptr ? 0 : y->size())) return false;
  for (uint32_t i = 0; i < n; ++i)
    if (!same_activation(a.tensors()[static_cast<size_t>(x->Get(i))],
                         b.tensors()[static_cast<size_t>(y->Get(i))]))
      return false;
  return true;
}

bool same_interface(const Model& a, const Model& b) {
  const auto &x = *a.program().entry_points(), &y = *b.program().entry_points();
  if (x.size() != y.size()) return false;
  for (uint32_t i = 0; i < x.size(); ++i)
    if (!same_tensors(a, x.Get(i)->inputs(), b, y.Get(i)->inputs()) ||
        !same_tensors(a, x.Get(i)->outputs(), b, y.Get(i)->outputs()))
      return false;
  return true;
}

}  // namespace

bool NodeDiff::same() const {
  return changes.empty() &&
         std::all_of(weights.begin(), weights.end(), [](const WeightsDiff& w) { return w.same; });
}

bool ModelDiff::same() const {
  return only[0].empty() && only[1].empty() && same_order && same_interface &&
         std::all_of(common.begin(), common.end(), [](const NodeDiff& n) { return n.same(); });
}

Result<ModelDiff> diff_models(const Model& a, const std::vector<ModelNode>& a_nodes, const Model& b,
                              const std::vector<ModelNode>& b_nodes, bool fit) {
  ModelDiff out;
  std::map<std::string, const ModelNode*> in_b;
  for (const ModelNode& node : b_nodes) in_b[node.name] = &node;
  const ModelNode* last = nullptr;
  for (const ModelNode& node : a_nodes) {
    const auto at = in_b.find(node.name);
    if (at == in_b.end()) {
      out.only[0].push_back(&node);
      continue;
    }
    PITH_ASSIGN(NodeDiff d, Differ(fit).diff(node, *at->second));
    out.common.push_back(std::move(d));
    out.same_order = out.same_order && (last == nullptr || last < at->second);
    last = at->second;
    in_b.erase(at);
  }
  for (const ModelNode& node : b_nodes)
    if (in_b.count(node.name) != 0) out.only[1].push_back(&node);
  out.same_interface = same_interface(a, b);
  return out;
}

}  // namespace pith::inspect
