// Audits each weight tensor before it is narrowed: one overflow would turn a whole channel into infinities.
#include "converter/quantize/half_weights.h"

#include "converter/passes/narrow_weights.h"

namespace pith::quantize {

HalfWeightsReport store_half_weights(ir::Graph& graph, const NodeFilter& wanted, DType type) {
  HalfWeightsReport report;
  for (ir::Node* node : graph.in_order()) {
    if (!wants(wanted, *node)) continue;
    ir::Value* weights = node->in(1);
    if (!reads_half_weights(*node, 1) || weights == nullptr || !weights->is_constant() ||
        weights->dtype != DType::f32 || node->in(0) == nullptr || node->in(0)->dtype != DType::f32)
      continue;
    const HalfAudit audit = audit_half(weights->elements<float>(), type);
    if (!audit.safe()) {
      report.refused.push_back(format("weights '%s' of node '%s' stay fp32: %llu values overflow, largest %g",
                                      weights->name.c_str(), node->name.c_str(),
                                      static_cast<unsigned long long>(audit.overflow + audit.not_finite),
                                      audit.largest));
      continue;
    }
    graph.set_input(node, 1, half_copy(graph, *weights, type));
    report.audit.merge(audit);
    ++report.halved;
  }
  graph.drop_unused_values();
  return report;
}

}  // namespace pith::quantize
