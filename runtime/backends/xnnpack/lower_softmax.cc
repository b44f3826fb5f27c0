// Softmax over the last axis, f32.
#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

Status bind_softmax(const NodeView& node, NodeState* state, void*, ThreadPool*) {
  return check_xnn(xnn_setup_softmax_nc_f32(static_cast<XnnState*>(state)->op.get(), node.in(0).as<float>(),
                                            node.out(0).as_mutable<float>()));
}

}  // namespace

Status lower_softmax(const NodeView& node, Lowering& low) {
  const auto& o = node.opt<schema::SoftmaxOptions>();
  const Shape& x = node.in(0).shape;
  if (o.kind() != schema::SoftmaxKind::softmax) return decline("no such softmax");
  if (node.in(0).dtype != DType::f32 || node.out(0).dtype != DType::f32) return decline("f32 only");
  const int rank = x.rank();
  const int axis = o.axis() < 0 ? o.axis() + rank : o.axis();
  if (axis < 0 || axis >= rank || product(x, axis + 1, rank) != 1) return decline("not over the last axis");
  const size_t n = dim(x, axis);
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_softmax_nc_f32(0, s.op.put())));
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_softmax_nc_f32(s.op.get(), n, n, n, product(x, 0, axis), low.threads())));
  return low.done("xnn_softmax_f32", bind_softmax);
}

}  // namespace pith
