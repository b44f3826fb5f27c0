// Events from steps, and their JSON.
#include "cli/step_profile.h"

#include <nlohmann/json.hpp>

namespace pith::cli {
namespace {

const char* op_name(const NodeView& node) {
  const OpDef* def = find_op(node.op);
  return def == nullptr ? "If" : def->name;
}

uint64_t moved_bytes(const NodeView& node) {
  uint64_t bytes = 0;
  for (const TensorView* t : node.inputs)
    if (t != nullptr && t->shape.is_known()) bytes += t->byte_size();
  for (const TensorView* t : node.outputs)
    if (t != nullptr && t->shape.is_known()) bytes += t->byte_size();
  return bytes;
}

// Every output element of a product costs as many multiply-adds as its filter (or row of weights) has
// elements.
uint64_t multiply_adds(const NodeView& node) {
  if (node.op != schema::Op::ConvOptions && node.op != schema::Op::FullyConnectedOptions) return 0;
  if (!node.has(1) || !node.has_out(0) || !node.in(1).shape.is_known() || node.in(1).shape.rank() < 1)
    return 0;
  const int64_t filters = node.in(1).shape[0];
  if (filters <= 0) return 0;
  return static_cast<uint64_t>(node.out(0).count()) * static_cast<uint64_t>(node.in(1).count() / filters);
}

}  // namespace

void StepProfile::on_step(const StepTrace& step) {
  const NodeView& node = *step.node;
  events_.push_back({node.name, op_name(node), step.kernel->name, step.kernel->backend,
                     node.has_out(0) ? node.out(0).shape.text() : "", step.begin_ns, step.end_ns,
                     moved_bytes(node), multiply_adds(node)});
}

std::string StepProfile::chrome_json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const uint64_t start = events_.empty() ? 0 : events_.front().begin_ns;
  for (const Event& e : events_) {
    nlohmann::ordered_json args{{"op", e.op}, {"kernel", e.kernel}, {"output", e.shape}, {"bytes", e.bytes}};
    if (e.macs > 0) args["macs"] = e.macs;
    list.push_back({{"name", e.node.empty() ? e.op : e.node},
                    {"cat", e.backend},
                    {"ph", "X"},
                    {"ts", static_cast<double>(e.begin_ns - start) / 1e3},
                    {"dur", static_cast<double>(e.end_ns - e.begin_ns) / 1e3},
                    {"pid", 1},
                    {"tid", 1},
                    {"args", args}});
  }
  const nlohmann::ordered_json out{{"displayTimeUnit", "ms"}, {"traceEvents", list}};
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace pith::cli
