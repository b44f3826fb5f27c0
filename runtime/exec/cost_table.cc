// Reading the table, and what a node's work is.
#include "runtime/exec/cost_table.h"

#include <algorithm>

namespace pith {
namespace {

struct Row {
  BackendChoice backend;
  WorkKind work;
  WorkType type;
  uint32_t needs;
  uint64_t least_depth, per_us, fixed_ns;
};
constexpr Row kRows[] = {
#define COST(backend, work, type, needs, depth, per_us, fixed) \
  {BackendChoice::backend, WorkKind::work, WorkType::type, needs, depth, per_us, fixed},
#include "runtime/exec/cost_table.inc"
#undef COST
};

WorkType type_of(const NodeView& node) {
  if (node.has(1) && node.in(1).layout != Layout::row_major) return WorkType::panels;
  const TensorView* t = node.has(0) ? &node.in(0) : node.has_out(0) ? &node.out(0) : nullptr;
  if (t == nullptr) return WorkType::any;
  if (t->dtype == DType::f32) return WorkType::f32;
  return t->dtype == DType::i8 || t->dtype == DType::u8 ? WorkType::codes : WorkType::any;
}

uint64_t elements(const TensorView& t) { return static_cast<uint64_t>(std::max<int64_t>(t.count(), 0)); }

int64_t last_dim(const TensorView& t) { return t.shape.rank() > 0 ? t.shape[t.shape.rank() - 1] : 1; }

// Products for one output of a node that multiplies; 0: it does not.
int64_t depth_of(const NodeView& node) {
  switch (node.op) {
    case schema::Op::ConvOptions:
    case schema::Op::ConvTransposeOptions:
    case schema::Op::FullyConnectedOptions: {
      if (!node.has(1) || node.in(1).shape.rank() == 0) return 0;
      const int64_t outputs = node.in(1).shape[0];
      return outputs > 0 ? node.in(1).count() / outputs : 0;
    }
    case schema::Op::MatMulOptions:
      return node.has(0) ? last_dim(node.in(0)) : 0;
    default:
      return 0;
  }
}

bool is_depthwise(const NodeView& node) {
  if (node.op != schema::Op::ConvOptions || !node.has(0)) return false;
  const int64_t groups = node.opt<schema::ConvOptions>().groups();
  return groups > 1 && groups == last_dim(node.in(0));
}

}  // namespace

Work work_of(const NodeView& node) {
  Work w;
  w.type = type_of(node);
  const uint64_t out = node.has_out(0) ? elements(node.out(0)) : 0;
  if (const int64_t depth = depth_of(node); depth > 0) {
    w.kind = is_depthwise(node) ? WorkKind::depthwise : WorkKind::dense;
    w.depth = static_cast<uint64_t>(depth);
    if (__builtin_mul_overflow(out, w.depth, &w.units)) w.units = UINT64_MAX;
    return w;
  }
  w.units = std::max(out, node.has(0) ? elements(node.in(0)) : 0);
  return w;
}

uint64_t expected_ns(BackendChoice backend, const Work& work, Cpu cpu) {
  for (const Row& r : kRows) {
    if (r.backend != backend || (r.work != WorkKind::any && r.work != work.kind)) continue;
    if ((r.type != WorkType::any && r.type != work.type) || !cpu.has(r.needs) || work.depth < r.least_depth)
      continue;
    const uint64_t whole = work.units / r.per_us, rest = work.units % r.per_us;
    return r.fixed_ns + std::min(whole, UINT64_MAX / 2000) * 1000 + rest * 1000 / r.per_us;
  }
  return UINT64_MAX;
}

}  // namespace pith
