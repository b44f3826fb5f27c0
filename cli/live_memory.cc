// Lifetimes from the steps: first made, last read.
#include "cli/live_memory.h"

#include <algorithm>
#include <map>

namespace pith::cli {
namespace {

struct Lifetime {
  size_t first, last;
  uint64_t bytes;
};

}  // namespace

std::vector<LiveStep> live_memory(const Session& session) {
  std::vector<LiveStep> steps;
  std::map<const TensorView*, Lifetime> alive;
  const auto touch = [&](const TensorView* t, size_t at) {
    if (t == nullptr || t->is_constant || t->data == nullptr || !t->shape.is_known()) return;
    const auto [entry, fresh] = alive.try_emplace(t, Lifetime{at, at, t->byte_size()});
    if (!fresh) entry->second.last = at;
  };
  for (size_t i = 0; i < session.input_count(); ++i) touch(&session.input(i), 0);
  for (size_t stage = 0; stage < session.stage_count(); ++stage)
    for (const Session::Step& step : session.steps(stage)) {
      const NodeView& node = session.node(step.op);
      const OpDef* def = find_op(node.op);
      for (const TensorView* t : node.inputs) touch(t, steps.size());
      for (const TensorView* t : node.outputs) touch(t, steps.size());
      steps.push_back({node.name, def == nullptr ? "If" : def->name, 0, step.kernel.scratch_bytes});
    }
  if (steps.empty()) return steps;
  for (size_t i = 0; i < session.output_count(); ++i) touch(&session.output(i), steps.size() - 1);
  for (size_t i = 0; i < session.input_count(); ++i) touch(&session.input(i), steps.size() - 1);
  for (size_t at = 0; at < steps.size(); ++at) {
    std::map<const void*, uint64_t> blocks;  // one entry per address: shared bytes count once
    for (const auto& [tensor, life] : alive)
      if (life.first <= at && at <= life.last)
        blocks[tensor->data] = std::max(blocks[tensor->data], life.bytes);
    for (const auto& [address, bytes] : blocks) steps[at].live_bytes += bytes;
  }
  return steps;
}

}  // namespace pith::cli
