// The shape rule that Attention and CachedAttention share.
#include "runtime/ops/attention_shape.h"

namespace pith {
namespace {

enum Input : size_t { kQ, kK, kV };

int64_t divide(int64_t n, int64_t by) { return n < 0 ? kUnknownDim : n / by; }

}  // namespace

Status read_attention_dims(const NodeView& node, uint32_t q_heads, uint32_t kv_heads, AttentionDims* d) {
  const Shape &q = node.in(kQ).shape, &k = node.in(kK).shape, &v = node.in(kV).shape;
  if (q.rank() != k.rank() || q.rank() != v.rank() || (q.rank() != 3 && q.rank() != 4))
    return node_error(
        node, Code::bad_file,
        "Q, K and V must all have 3 or 4 dims, found " + q.text() + ", " + k.text() + ", " + v.text());
  d->packed = q.rank() == 3;
  if (d->packed && (q_heads == 0 || kv_heads == 0))
    return node_error(node, Code::bad_file, "inputs of 3 dims need q_heads and kv_heads");
  const int64_t h = q_heads, g = kv_heads;
  if (d->packed) {
    if (q[2] % h > 0 || k[2] % g > 0 || v[2] % g > 0)
      return node_error(node, Code::bad_file, "the last dims cannot be divided into the heads");
    *d = {q[0], h, g, q[1], divide(q[2], h), k[1], 0, divide(v[2], g), true};
  } else {
    *d = {q[0], q[1], k[1], q[2], q[3], k[2], 0, v[3], false};
  }
  const int64_t k_depth = d->packed ? divide(k[2], g) : k[3];
  const auto differ = [](int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; };
  if (differ(k_depth, d->depth) || differ(v[d->packed ? 1 : 2], d->fresh) || differ(k[0], q[0]) ||
      differ(v[0], q[0]) || (!d->packed && differ(v[1], k[1])))
    return node_error(node, Code::bad_file,
                      "Q, K and V do not fit: " + q.text() + ", " + k.text() + ", " + v.text());
  if (d->heads >= 0 && d->kv_heads >= 0 && (d->kv_heads == 0 || d->heads % d->kv_heads != 0))
    return node_error(node, Code::bad_file,
                      format("%lld query heads cannot share %lld key heads", static_cast<long long>(d->heads),
                             static_cast<long long>(d->kv_heads)));
  return Status::ok();
}

}  // namespace pith
