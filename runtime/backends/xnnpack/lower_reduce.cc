// Sum and mean of f32 over any axes.
#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

// Adjacent dims that are all reduced or all kept are merged: XNNPACK takes at most 6.
struct MergedAxes {
  size_t dims[kMaxRank];
  int64_t axes[kMaxRank];
  size_t dim_count = 0, axis_count = 0;
};

bool merge_axes(const Shape& x, uint32_t reduced_mask, MergedAxes* out) {
  bool previous = false;
  for (int d = 0; d < x.rank(); ++d) {
    if (x[d] == 1) continue;
    const bool reduced = (reduced_mask >> d & 1u) != 0;
    if (out->dim_count > 0 && reduced == previous) {
      out->dims[out->dim_count - 1] *= dim(x, d);
      continue;
    }
    if (reduced) out->axes[out->axis_count++] = static_cast<int64_t>(out->dim_count);
    out->dims[out->dim_count++] = dim(x, d);
    previous = reduced;
  }
  return out->axis_count > 0 && out->dim_count <= XNN_MAX_TENSOR_DIMS;
}

bool read_mask(const NodeView& node, uint32_t* mask) {
  const int rank = node.in(0).shape.rank();
  const uint32_t all = (1u << rank) - 1;
  *mask = all;
  if (!node.has(1)) return !node.opt<schema::ReduceOptions>().noop_with_empty_axes();
  const TensorView& axes = node.in(1);
  if (!axes.has_value || axes.dtype != DType::i64) return false;
  if (axes.count() == 0) return !node.opt<schema::ReduceOptions>().noop_with_empty_axes();
  *mask = 0;
  for (int64_t i = 0; i < axes.count(); ++i) {
    const int64_t a = axes.as<int64_t>()[i];
    if (a < -rank || a >= rank) return false;
    *mask |= 1u << (a < 0 ? a + rank : a);
  }
  return true;
}

// The workspace that reshape asks for is for codes only: given one, an f32 operator converts through a null
// pointer.
Status bind_reduce(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  return check_xnn(xnn_setup_reduce_nd(static_cast<XnnState*>(state)->op.get(), nullptr, node.in(0).data,
                                       node.out(0).data));
}

}  // namespace

Status lower_reduce(const NodeView& node, Lowering& low) {
  const auto kind = node.opt<schema::ReduceOptions>().kind();
  const bool mean = kind == schema::ReduceKind::mean;
  if (!mean && kind != schema::ReduceKind::sum) return decline("no such reduction");
  const TensorView &x = node.in(0), &y = node.out(0);
  if (x.dtype != DType::f32 || y.dtype != DType::f32) return decline("f32 only");
  uint32_t mask = 0;
  MergedAxes merged;
  if (!read_mask(node, &mask) || !merge_axes(x.shape, mask, &merged))
    return decline("axes unknown, none, or too many dims");
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_reduce_nd(mean ? xnn_reduce_mean : xnn_reduce_sum,
                                                      xnn_datatype_fp32, nullptr, nullptr, 0, s.op.put())));
  size_t bytes = 0, alignment = 0;
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_reduce_nd(s.op.get(), merged.axis_count, merged.axes, merged.dim_count,
                                      merged.dims, &bytes, &alignment, low.threads())));
  return low.done(mean ? "xnn_mean_f32" : "xnn_sum_f32", bind_reduce);
}

}  // namespace pith
