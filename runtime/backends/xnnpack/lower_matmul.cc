// MatMul f32, a[..,M,K] x b[..,K,N] with broadcasting batch dims. A constant b of two dims is a fully
// connected product; another constant b is packed once; else b is packed into scratch on every run.
#include <algorithm>

#include "runtime/backends/xnnpack/lower_fully_connected.h"
#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

struct BatchProduct {
  size_t batch_a[XNN_MAX_TENSOR_DIMS], batch_b[XNN_MAX_TENSOR_DIMS];
  size_t batch_dims = 0, count_b = 1;
  size_t m = 1, k = 1, n = 1;
  uint32_t flags = 0;
};

bool read_batch(const Shape& a, const Shape& b, bool transpose_b, BatchProduct* p) {
  const int dims = std::max(a.rank(), b.rank()) - 2;
  if (dims > XNN_MAX_TENSOR_DIMS) return false;
  p->batch_dims = static_cast<size_t>(dims);
  for (int i = 0; i < dims; ++i) {
    const int ia = i - (dims - (a.rank() - 2)), ib = i - (dims - (b.rank() - 2));
    p->batch_a[i] = ia < 0 ? 1 : dim(a, ia);
    p->batch_b[i] = ib < 0 ? 1 : dim(b, ib);
    p->count_b *= p->batch_b[i];
  }
  p->m = dim(a, a.rank() - 2), p->k = dim(a, a.rank() - 1);
  p->n = dim(b, b.rank() - (transpose_b ? 2 : 1));
  p->flags = transpose_b ? XNN_FLAG_TRANSPOSE_B : 0;
  return dim(b, b.rank() - (transpose_b ? 1 : 2)) == p->k;
}

Status bind_batch(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  return check_xnn(xnn_setup_batch_matrix_multiply_nc_f32(static_cast<XnnState*>(state)->op.get(), scratch,
                                                          node.in(0).as<float>(), node.in(1).as<float>(),
                                                          node.out(0).as_mutable<float>()));
}

Status lower_batch(const NodeView& node, const BatchProduct& p, Lowering& low) {
  const bool packed = node.in(1).has_value;
  XnnState& s = packed ? low.packed_state({1}) : low.state();
  if (!s.op && packed)
    PITH_RETURN_IF_ERROR(check_xnn(xnn_create_batch_matrix_multiply_nc_f32_const_weights(
        p.count_b, p.k, p.n, node.in(1).as<float>(), p.flags, s.op.put())));
  if (!s.op) PITH_RETURN_IF_ERROR(check_xnn(xnn_create_batch_matrix_multiply_nc_f32(p.flags, s.op.put())));
  size_t bytes = 0, alignment = 0;
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_batch_matrix_multiply_nc_f32(
      s.op.get(), p.batch_dims, p.batch_a, p.batch_b, p.m, p.k, p.n, &bytes, &alignment, low.threads())));
  return low.done(packed ? "xnn_matmul_const_f32" : "xnn_matmul_f32", bind_batch, bytes);
}

}  // namespace

Status lower_matmul(const NodeView& node, Lowering& low) {
  const bool transpose_b = node.opt<schema::MatMulOptions>().transpose_b();
  const Shape &a = node.in(0).shape, &b = node.in(1).shape;
  if (a.rank() < 2 || b.rank() < 2) return decline("a vector operand");
  if (node.in(1).has_value && b.rank() == 2) {
    Product p;
    p.rows = product(a, 0, a.rank() - 1), p.k = dim(a, a.rank() - 1);
    p.n = dim(b, transpose_b ? 0 : 1), p.k_by_n = !transpose_b;
    if (dim(b, transpose_b ? 1 : 0) != p.k) return decline("operands of unequal depth");
    return lower_product(node, p, low);
  }
  if (node.in(0).dtype != DType::f32 || node.in(1).dtype != DType::f32 || node.out(0).dtype != DType::f32)
    return decline("only f32 without constant weights");
  BatchProduct p;
  if (!read_batch(a, b, transpose_b, &p)) return decline("too many batch dims");
  // Packing b on every run costs more than a few rows gain (bench/backends_bench.cc).
  constexpr size_t kFewRows = 4;
  if (!node.in(1).has_value && !transpose_b && p.m <= kFewRows) return decline("few rows, b not constant");
  return lower_batch(node, p, low);
}

}  // namespace pith
