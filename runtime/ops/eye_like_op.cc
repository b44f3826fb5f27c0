// EyeLike: zeros with ones on the k-th diagonal, in the shape and type of x (rank 2), whose values do not
// count.
#include "kernels/move/generate.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  return expect_whole_bytes(node, 0);
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  if (x.rank() != 2) return node_error(node, Code::bad_file, "the input must be a matrix, found " + x.text());
  set_output(node, 0, node.in(0).dtype, x);
  return Status::ok();
}

void run(const NodeView& node, RunContext&) {
  const Shape& y = node.out(0).shape;
  if (y.count() == 0) return;
  kernels::eye_ref({node.out(0).data, node.out(0).dtype, y[0], y[1], node.opt<schema::EyeLikeOptions>().k()});
}

}  // namespace

extern const OpDef kEyeLikeOp{schema::Op::EyeLikeOptions, "eye_like", kShapeOnly, check, infer, nullptr, run};

}  // namespace pith
