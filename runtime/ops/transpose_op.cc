// Transpose: y dim d is x dim perm[d]. Any element type of whole bytes.
#include "kernels/move/transpose.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  const uint32_t rank = perm == nullptr ? 0 : perm->size();
  uint32_t seen = 0;
  for (uint32_t i = 0; i < rank; ++i)
    if (perm->Get(i) < kMaxRank) seen |= 1u << perm->Get(i);
  if (rank > kMaxRank || seen != (1u << rank) - 1)
    return node_error(node, Code::bad_file, "perm is not a permutation");
  if (bits_of(node.in(0).dtype) < 8)
    return node_error(node, Code::unsupported, "4-bit elements cannot be transposed");
  return Status::ok();
}

Status infer(const NodeView& node) {
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  const Shape& x = node.in(0).shape;
  const int rank = perm == nullptr ? 0 : static_cast<int>(perm->size());
  if (rank != x.rank())
    return node_error(node, Code::bad_file,
                      format("perm has %d entries, the input is %s", rank, x.text().c_str()));
  Shape y;
  for (int i = 0; i < rank; ++i) y.push_back(x[static_cast<int>(perm->Get(static_cast<uint32_t>(i)))]);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  kernels::TransposeArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.element_bytes = size_of(node.in(0).dtype);
  a.rank = x.rank() == 0 ? 1 : x.rank();
  a.y_dims[0] = a.x_stride[0] = 1;
  const auto* perm = node.opt<schema::TransposeOptions>().perm();
  for (int d = 0; d < x.rank(); ++d) {
    const auto from = static_cast<int>(perm->Get(static_cast<uint32_t>(d)));
    a.y_dims[d] = static_cast<size_t>(y[d]);
    a.x_stride[d] = static_cast<size_t>(x.count(from + 1, x.rank()));
  }
  if (y.count() == 0) return;
  const size_t rows = static_cast<size_t>(y.count()) / a.y_dims[a.rank - 1];
  parallel_for(context.pool, rows, 64, [&](Range range) { kernels::transpose_ref(a, range); });
}

}  // namespace

const OpDef kTransposeOp{schema::Op::TransposeOptions, "transpose", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
