// Pad: x grown (or, with negative pads, cut) at both ends of its dims. Inputs x, pads (all begins, then all
// ends), value or omitted, axes or omitted. Without a value the constant is zero: the zero point of a
// quantized tensor.
#include <algorithm>

#include "kernels/move/pad.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

struct PadState final : NodeState {
  kernels::PadArgs args;
  uint8_t zero[8] = {};  // the constant when none is given
  size_t rows = 0;
};

struct Ends {
  int64_t begin = 0, end = 0;
};

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 4, 1, 1));
  if (node.opt<schema::PadOptions>().mode() > schema::PadMode::MAX)
    return node_error(node, Code::unsupported, "the mode is unknown");
  if (node.has(2) && node.in(2).dtype != node.in(0).dtype)
    return node_error(
        node, Code::bad_file,
        format("the value is %s, the input %s", name_of(node.in(2).dtype), name_of(node.in(0).dtype)));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status read_ends(const NodeView& node, Ends* ends) {
  std::vector<int64_t> pads, axes;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &pads));
  const int rank = node.in(0).shape.rank();
  if (node.has(3))
    PITH_RETURN_IF_ERROR(read_ints(node, 3, &axes));
  else
    for (int d = 0; d < rank; ++d) axes.push_back(d);
  if (pads.size() != 2 * axes.size())
    return node_error(node, Code::bad_file, format("%zu pads for %zu axes", pads.size(), axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    int axis = 0;
    PITH_RETURN_IF_ERROR(normalize_axis(node, axes[i], rank, &axis));
    ends[axis] = {pads[i], pads[i + axes.size()]};
    for (int64_t pad : {ends[axis].begin, ends[axis].end})
      if (pad < -kMaxElements || pad > kMaxElements)
        return node_error(node, Code::bad_file, format("the pads of axis %d are too large", axis));
  }
  return Status::ok();
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  Ends ends[kMaxRank];
  PITH_RETURN_IF_ERROR(read_ends(node, ends));
  const Shape& x = node.in(0).shape;
  const bool copies = node.opt<schema::PadOptions>().mode() != schema::PadMode::constant;
  Shape y = x;
  for (int d = 0; d < x.rank(); ++d) {
    if (x[d] < 0) continue;
    if (x[d] > kMaxElements) return node_error(node, Code::bad_file, "the input is too large");
    const int64_t left = x[d] + std::min<int64_t>(ends[d].begin, 0) + std::min<int64_t>(ends[d].end, 0);
    y[d] = x[d] + ends[d].begin + ends[d].end;
    if (left < 0 || y[d] < 0)
      return node_error(node, Code::bad_file,
                        format("negative pads cut more than the %lld elements of axis %d",
                               static_cast<long long>(x[d]), d));
    if (copies && left == 0 && y[d] > 0)
      return node_error(node, Code::bad_file, format("axis %d has no element to repeat", d));
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

// Dims behind the last padded one are carried along as blocks.
void describe(const NodeView& node, const Ends* ends, PadState* state) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  kernels::PadArgs& a = state->args;
  a.rule = static_cast<kernels::PadRule>(node.opt<schema::PadOptions>().mode());
  a.element_bytes = size_of(node.in(0).dtype);
  int rank = x.rank();
  while (rank > 1 && ends[rank - 1].begin == 0 && ends[rank - 1].end == 0) --rank;
  a.rank = std::max(rank, 1);
  if (y.count() == 0) return;
  a.inner = static_cast<size_t>(y.count(rank, y.rank()));
  a.y_dims[0] = a.m[0] = 1;  // a scalar is a row of one
  state->rows = 1;
  for (int d = 0; d < rank; ++d) {
    a.y_dims[d] = y[d];
    a.x_stride[d] = std::max<int64_t>(x.count(d + 1, x.rank()), 0) * static_cast<int64_t>(a.element_bytes);
    a.before[d] = std::max<int64_t>(ends[d].begin, 0);
    a.first[d] = std::max<int64_t>(-ends[d].begin, 0);
    a.m[d] = x[d] - a.first[d] + std::min<int64_t>(ends[d].end, 0);
    if (d + 1 < rank) state->rows *= static_cast<size_t>(y[d]);
  }
}

void run(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const PadState*>(context.state);
  if (state.rows == 0) return;
  kernels::PadArgs a = state.args;
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.value = node.has(2) && node.in(2).count() > 0 ? node.in(2).data : state.zero;
  const size_t row_bytes = static_cast<size_t>(a.y_dims[a.rank - 1]) * a.inner * a.element_bytes;
  parallel_for(context.pool, state.rows, (32 << 10) / (row_bytes + 1) + 1,
               [&](Range rows) { kernels::pad_ref(a, rows); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  Ends ends[kMaxRank];
  PITH_RETURN_IF_ERROR(read_ends(node, ends));
  auto state = std::make_unique<PadState>();
  describe(node, ends, state.get());
  const QuantView& quant = node.in(0).quant;
  if (size_of(node.in(0).dtype) == 1 && quant.per_tensor() && quant.zero_points.size() == 1)
    state->zero[0] = static_cast<uint8_t>(quant.zero_points[0]);
  context.use("pad", run);
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

static_assert(static_cast<int>(schema::PadMode::constant) == static_cast<int>(kernels::PadRule::constant) &&
              static_cast<int>(schema::PadMode::reflect) == static_cast<int>(kernels::PadRule::reflect) &&
              static_cast<int>(schema::PadMode::edge) == static_cast<int>(kernels::PadRule::edge) &&
              static_cast<int>(schema::PadMode::wrap) == static_cast<int>(kernels::PadRule::wrap));

PITH_OPERATOR(Pad){schema::Op::PadOptions, "pad", kNoFlags, check, infer, prepare, run};

}  // namespace pith
