// narrow_weights: f32 weights whose every value is an f16 number are stored as f16: half the bytes, the same
// results. (A model published in half precision arrives widened.) Only where the device reads f16 weights in
// place. Weights in a data file of the source are left: they may be larger than memory.
#include "converter/passes/narrow_weights.h"

#include <cstring>

#include "converter/passes/pass.h"
#include "kernels/base/float16.h"

namespace pith {

bool reads_half_weights(const ir::Node& node, size_t input) {
  using enum schema::Op;
  return input == 1 &&
         (node.is(ConvOptions) || node.is(ConvTransposeOptions) || node.is(FullyConnectedOptions));
}

ir::Value* half_copy(ir::Graph& graph, const ir::Value& v, DType type) {
  const auto from = v.elements<float>();
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(from.size() * sizeof(f16), &p);
  for (size_t i = 0; i < from.size(); ++i) {
    const uint16_t bits = type == DType::bf16 ? to_bf16(from[i]).bits : to_f16(from[i]).bits;
    std::memcpy(p + i * sizeof bits, &bits, sizeof bits);
  }
  return graph.add_constant(v.name, type, v.shape, std::move(bytes));
}

namespace {
bool is_exact_half(const ir::Value& v) {
  for (float x : v.elements<float>())
    if (to_float(to_f16(x)) != x) return false;
  return true;
}
}  // namespace

Status narrow_weights(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    ir::Value* w = node->in(1);
    if (!reads_half_weights(*node, 1) || w == nullptr || !w->is_constant() || w->dtype != DType::f32 ||
        node->in(0)->dtype != DType::f32 || w->constant->streamed() || !is_exact_half(*w))
      continue;
    graph.set_input(node, 1, half_copy(graph, *w));
    report.fired(node->name);
  }
  return Status::ok();
}

}  // namespace pith
