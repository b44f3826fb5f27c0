// RotaryEmbedding: turns pairs of features by position-dependent angles, f32. x[B,S,H*D] with `heads` given,
// or x[B,H,S,D]; cos, sin: [M, R/2] looked up by positions[B,S] (i64; clamped to the table), or [B,S,R/2]
// without positions. R = rotary_dim, or D when 0; features from R on are copied.
#include <algorithm>

#include "kernels/attention/attention.h"
#include "runtime/ops/float_rows_state.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

using schema::RotaryEmbeddingOptions;
enum Input : size_t { kX, kCos, kSin, kPositions };

Status check(const NodeView& node) {
  const auto& o = node.opt<RotaryEmbeddingOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 4, 1, 1));
  for (size_t i : {kX, kCos, kSin}) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, kPositions, {DType::i64}));
  if (o.heads() > (1u << 20) || o.rotary_dim() > (1u << 20) || o.rotary_dim() % 2 != 0)
    return node_error(node, Code::bad_file, "heads or rotary_dim is out of range; rotary_dim must be even");
  return Status::ok();
}

struct Dims {
  int64_t batch, heads, steps, depth, half;
  bool packed;
};

Status read_dims(const NodeView& node, Dims* d) {
  const auto& o = node.opt<RotaryEmbeddingOptions>();
  const Shape& x = node.in(kX).shape;
  const int64_t h = o.heads();
  if (x.rank() == 4)
    *d = {x[0], x[1], x[2], x[3], 0, false};
  else if (x.rank() == 3 && h > 0 && x[2] % h <= 0)
    *d = {x[0], h, x[1], x[2] < 0 ? kUnknownDim : x[2] / h, 0, true};
  else
    return node_error(node, Code::bad_file,
                      format("x %s must have 4 dims, or 3 with the last divided into %u heads",
                             x.text().c_str(), o.heads()));
  const int64_t turned = o.rotary_dim() > 0 ? o.rotary_dim() : d->depth;
  if (turned >= 0 && d->depth >= 0 && (turned > d->depth || turned % 2 != 0))
    return node_error(node, Code::bad_file,
                      format("cannot turn %lld of %lld features", static_cast<long long>(turned),
                             static_cast<long long>(d->depth)));
  d->half = turned < 0 ? kUnknownDim : turned / 2;
  return Status::ok();
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(kX).shape;
  set_output(node, 0, DType::f32, x);
  if (!x.has_rank()) return Status::ok();
  Dims d{};
  PITH_RETURN_IF_ERROR(read_dims(node, &d));
  const bool looked_up = node.has(kPositions);
  const auto differ = [](int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; };
  for (size_t i : {kCos, kSin}) {
    const Shape& t = node.in(i).shape;
    if (!t.has_rank()) continue;
    const int rank = looked_up ? 2 : 3;
    if (t.rank() != rank || differ(t[rank - 1], d.half) || (looked_up && t[0] == 0) ||
        (!looked_up && (differ(t[0], d.batch) || differ(t[1], d.steps))) ||
        differ(t[0], node.in(kCos).shape[0]))
      return node_error(
          node, Code::bad_file,
          format("table %zu has shape %s, which does not fit x %s", i, t.text().c_str(), x.text().c_str()));
  }
  if (looked_up && node.in(kPositions).shape.has_rank()) {
    const Shape& p = node.in(kPositions).shape;
    if (p.rank() != 2 || differ(p[0], d.batch) || differ(p[1], d.steps))
      return node_error(node, Code::bad_file, "positions must be [batch, steps], found " + p.text());
  }
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  Dims d{};
  if (!read_dims(node, &d).is_ok() || node.out(0).count() == 0) return;
  const auto steps = static_cast<size_t>(d.steps), heads = static_cast<size_t>(d.heads);
  const auto depth = static_cast<size_t>(d.depth), half = static_cast<size_t>(d.half);
  const bool interleaved = node.opt<RotaryEmbeddingOptions>().interleaved();
  const int64_t table_rows = node.in(kCos).shape[0];
  const auto rotate = float_rows_of(context).rotate;
  parallel_for(context.pool, static_cast<size_t>(d.batch) * steps, 4, [&](Range range) {
    for (size_t at = range.begin; at < range.end; ++at) {
      const size_t b = at / steps, t = at % steps;
      size_t row = at;
      if (node.has(kPositions))
        row = static_cast<size_t>(
            std::clamp<int64_t>(node.in(kPositions).as<int64_t>()[at], 0, table_rows - 1));
      for (size_t h = 0; h < heads; ++h) {
        const size_t vector = d.packed ? at * heads + h : (b * heads + h) * steps + t;
        rotate({node.in(kX).as<float>() + vector * depth, node.in(kCos).as<float>() + row * half,
                node.in(kSin).as<float>() + row * half, node.out(0).as_mutable<float>() + vector * depth,
                half, depth, interleaved});
      }
    }
  });
}

Status prepare(const NodeView&, PrepareContext& context) {
  use_float_rows(context, run);
  return Status::ok();
}

}  // namespace

extern const OpDef kRotaryEmbeddingOp{
    schema::Op::RotaryEmbeddingOptions, "rotary_embedding", kNoFlags, check, infer, prepare, run};

}  // namespace pith
