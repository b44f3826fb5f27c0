// NonZero: x -> i64 [rank, found], the places of the elements that are not zero in row-major order. The shape
// depends on the values of x, which the planner must provide.
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
  node.out(0).dtype = DType::i64;
  PITH_RETURN_IF_ERROR(need_value(node, 0));
  const TensorView& x = node.in(0);
  if (x.count() < 0) return node_error(node, Code::bad_file, "the input is too large");
  const size_t found = kernels::count_nonzero_ref(x.data, x.dtype, static_cast<size_t>(x.count()));
  set_output(node, 0, DType::i64, Shape{x.shape.rank(), static_cast<int64_t>(found)});
  return Status::ok();
}

void run(const NodeView& node, RunContext&) {
  const TensorView& x = node.in(0);
  kernels::find_nonzero_ref(x.data, x.dtype, x.shape.rank(), x.shape.dims().data(),
                            static_cast<size_t>(node.out(0).shape[1]), node.out(0).as_mutable<int64_t>());
}

}  // namespace

extern const OpDef kNonZeroOp{schema::Op::NonZeroOptions, "non_zero", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
