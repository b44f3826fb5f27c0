// Transpose: y dim d is x dim perm[d]. Any element type of whole bytes.
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  const uint32_t rank = perm == nullptr ? 0 : perm->size();
  if (rank > kMaxRank)
    return node_error(node, Code::unsupported, format("perm has %u entries; at most %d", rank, kMaxRank));
  uint32_t seen = 0;
  for (uint32_t i = 0; i < rank; ++i)
    if (perm->Get(i) < kMaxRank) seen |= 1u << perm->Get(i);
  if (seen != (1u << rank) - 1) return node_error(node, Code::bad_file, "perm is not a permutation");
  return expect_whole_bytes(node, 0);
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  const Shape& x = node.in(0).shape;
  const int rank = perm == nullptr ? 0 : static_cast<int>(perm->size());
  if (x.has_rank() && rank != x.rank())
    return node_error(node, Code::bad_file,
                      format("perm has %d entries, the input is %s", rank, x.text().c_str()));
  Shape y;
  for (int i = 0; i < rank; ++i)
    y.push_back(x.has_rank() ? x[static_cast<int>(perm->Get(static_cast<uint32_t>(i)))] : kUnknownDim);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const Shape& y = node.out(0).shape;
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank];
  dense_strides(node.in(0).shape, x_stride);
  dense_strides(y, y_stride);
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  CopyBuilder copy(node.out(0).dtype);
  for (int d = 0; d < y.rank(); ++d)
    copy.add_dim(y[d], x_stride[perm->Get(static_cast<uint32_t>(d))], y_stride[d]);
  auto steps = std::make_unique<CopySteps>();
  steps->steps.push_back(copy.step(0, 0));
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Transpose){
    schema::Op::TransposeOptions, "transpose", kNoFlags, check, infer, prepare, run_copy_steps};

}  // namespace pith
