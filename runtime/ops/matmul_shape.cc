// numpy.matmul shape rules.
#include "runtime/ops/matmul_shape.h"

#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Shape batch_of(const Shape& s) {
  Shape batch;
  for (int i = 0; i + 2 < s.rank(); ++i) batch.push_back(s[i]);
  return batch;
}

}  // namespace

Status infer_matmul(const NodeView& node, bool transpose_b) {
  const Shape &a = node.in(0).shape, &b = node.in(1).shape;
  const DType dtype = node.out(0).dtype;
  if (!a.has_rank() || !b.has_rank()) {
    set_output(node, 0, dtype, Shape::unknown_rank());
    return Status::ok();
  }
  if (a.rank() == 0 || b.rank() == 0 || (transpose_b && b.rank() < 2))
    return node_error(node, Code::bad_file,
                      "cannot multiply shapes " + a.text() + " and " + b.text() + " as matrices");
  const int b_k = b.rank() == 1 || transpose_b ? b.rank() - 1 : b.rank() - 2;
  const int64_t k = a[a.rank() - 1];
  if (k >= 0 && b[b_k] >= 0 && k != b[b_k])
    return node_error(node, Code::bad_file,
                      format("multiplies %s by %s: rows of %lld against columns of %lld", a.text().c_str(),
                             b.text().c_str(), static_cast<long long>(k), static_cast<long long>(b[b_k])));
  Shape y;
  PITH_RETURN_IF_ERROR(broadcast(node, batch_of(a), batch_of(b), &y));
  if (a.rank() > 1) y.push_back(a[a.rank() - 2]);
  if (b.rank() > 1) y.push_back(b[transpose_b ? b.rank() - 2 : b.rank() - 1]);
  set_output(node, 0, dtype, y);
  return Status::ok();
}

kernels::MatMulArgs matmul_args(const NodeView& node, bool transpose_b) {
  const Shape &a = node.in(0).shape, &b = node.in(1).shape;
  kernels::MatMulArgs s{};
  s.a = node.in(0).data;
  s.b = node.in(1).data;
  s.y = node.out(0).data;
  s.k = static_cast<size_t>(a[a.rank() - 1]);
  s.m = a.rank() > 1 ? static_cast<size_t>(a[a.rank() - 2]) : 1;
  s.n = b.rank() > 1 ? static_cast<size_t>(b[transpose_b ? b.rank() - 2 : b.rank() - 1]) : 1;
  const Shape a_batch = batch_of(a), b_batch = batch_of(b);
  const int rank = a_batch.rank() > b_batch.rank() ? a_batch.rank() : b_batch.rank();
  if (node.out(0).count() == 0) {  // nothing to do, and no division by a dim of 0
    s.m = 0;
    return s;
  }
  if (b_batch.count() == 1) {
    s.m *= static_cast<size_t>(a_batch.count());
    return s;
  }
  s.batch_rank = rank;
  size_t a_step = s.m * s.k, b_step = s.k * s.n;
  for (int d = rank - 1; d >= 0; --d) {
    const int from_a = d - (rank - a_batch.rank()), from_b = d - (rank - b_batch.rank());
    const auto da = from_a < 0 ? size_t{1} : static_cast<size_t>(a_batch[from_a]);
    const auto db = from_b < 0 ? size_t{1} : static_cast<size_t>(b_batch[from_b]);
    s.batch[d] = da > db ? da : db;
    s.a_batch_stride[d] = da == 1 ? 0 : a_step;
    s.b_batch_stride[d] = db == 1 ? 0 : b_step;
    a_step *= da;
    b_step *= db;
  }
  return s;
}

}  // namespace pith
