// Fill: a tensor of the given shape, every element equal to `value`. Inputs shape (i64 or i32), value (one
// element).
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  return expect_whole_bytes(node, 1);
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(1).dtype;
  if (node.in(1).shape.is_known() && node.in(1).count() != 1)
    return node_error(node, Code::bad_file,
                      "the value must have one element; it has shape " + node.in(1).shape.text());
  std::vector<int64_t> dims;
  PITH_RETURN_IF_ERROR(read_ints(node, 0, &dims));
  if (dims.size() > kMaxRank)
    return node_error(node, Code::unsupported, format("rank %zu; at most %d", dims.size(), kMaxRank));
  for (int64_t d : dims)
    if (d < 0) return node_error(node, Code::bad_file, "the shape has a negative dim");
  set_output(node, 0, node.in(1).dtype, Shape(dims));
  return Status::ok();
}

Status prepare(const NodeView& node, PrepareContext& context) {
  CopyBuilder copy(node.out(0).dtype);
  copy.add_dim(node.out(0).count(), 0, 1);
  auto steps = std::make_unique<CopySteps>();
  steps->steps.push_back(copy.step(1, 0));
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Fill){schema::Op::FillOptions, "fill", kNoFlags, check, infer, prepare, run_copy_steps};

}  // namespace pith
