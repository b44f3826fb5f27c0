// fuse_pad: a zero Pad of the spatial dims becomes the padding of the convolution behind it.
//   before:  x[N,H,W,C] ─ Pad(0) ─ Conv(pads p)        after:  x ─ Conv(pads p + pad)
// Fires only if the pads are constant, not negative, zero for batch and channels, and the value is the number
// 0 (not quantized data, whose zero is a zero point: there the value must equal it).
#include "converter/ops/import.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

// Pads of all dims: begin of each, then end of each. Empty when they are not constant.
std::vector<int64_t> full_pads(const ir::Node& pad) {
  std::vector<int64_t> pads, axes;
  const int rank = pad.in(0)->shape.rank();
  if (rank < 3 || !ImportContext::const_ints(pad.in(1), &pads)) return {};
  if (pad.in(3) == nullptr)
    return pads.size() == 2 * static_cast<size_t>(rank) ? pads : std::vector<int64_t>{};
  if (!ImportContext::const_ints(pad.in(3), &axes) || pads.size() != 2 * axes.size()) return {};
  std::vector<int64_t> full(2 * static_cast<size_t>(rank), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) return {};
    full[static_cast<size_t>(axis)] = pads[i];
    full[static_cast<size_t>(axis + rank)] = pads[i + axes.size()];
  }
  return full;
}

bool pads_with_zero(const ir::Node& pad) {
  const auto* o = pad.as<schema::PadOptionsT>();
  if (o == nullptr || o->mode != schema::PadMode::constant || pad.in(0)->dtype != DType::f32) return false;
  const auto value = constant_number(pad.in(2));
  return pad.in(2) == nullptr || (value.has_value() && *value == 0);
}

}  // namespace

Status fuse_pad(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    auto* conv = node->as<schema::ConvOptionsT>();
    if (!graph.alive(node) || conv == nullptr || node->in(0)->producer == nullptr) continue;
    ir::Node* pad = node->in(0)->producer;
    if (!pads_with_zero(*pad)) continue;
    const std::vector<int64_t> pads = full_pads(*pad);
    const size_t rank = pads.size() / 2, spatial = rank - 2;
    if (pads.empty() || conv->pads.size() != 2 * spatial) continue;
    bool fits = pads[0] == 0 && pads[rank - 1] == 0 && pads[rank] == 0 && pads[2 * rank - 1] == 0;
    for (int64_t p : pads) fits = fits && p >= 0 && p < 1 << 20;
    if (!fits) continue;
    for (size_t i = 0; i < spatial; ++i) {
      conv->pads[i] += static_cast<uint32_t>(pads[1 + i]);
      conv->pads[spatial + i] += static_cast<uint32_t>(pads[rank + 1 + i]);
    }
    graph.set_input(node, 0, pad->in(0));
    report.fired(node->name);
  }
  PassReport leftovers;
  return remove_dead_code(graph, leftovers);
}

}  // namespace pith
