// Attention (ONNX 23 and 24), f32. B batch, S queries, T = past + new keys, heads H (queries) and G (keys), H
// % G == 0:
//   Q[B,H,S,D] K[B,G,N,D] V[B,G,N,E], or [B,S,H*D] [B,N,G*D] [B,N,G*E] with q_heads and kv_heads given
//   mask: bool (false hides) or f32 (added), broadcast to [B,H,S,T], its last dim may be shorter: the rest is
//   hidden past_key[B,G,P,D] past_value[B,G,P,E], lengths[B] i64: keys from there on are hidden
//   -> Y like Q, present_key[B,G,T,D], present_value[B,G,T,E], scores[B,H,S,T] of stage qk_output_mode
// A causal row i sees keys up to i + P, or i + length - S where lengths are given. Stages:
// kernels/attention/attention.h.
#include "kernels/attention/attention.h"

#include <cmath>
#include <cstring>

#include "runtime/ops/attention_shape.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

using schema::AttentionOptions;
enum Input : size_t { kQ, kK, kV, kMask, kPastKey, kPastValue, kLengths };

Status check(const NodeView& node) {
  const auto& o = node.opt<AttentionOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 7, 1, 4));
  for (size_t i : {kQ, kK, kV, kPastKey, kPastValue})
    PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, kMask, {DType::f32, DType::boolean}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, kLengths, {DType::i64}));
  if (node.has(kPastKey) != node.has(kPastValue))
    return node_error(node, Code::bad_file, "past key and past value must come together");
  if (o.q_heads() > (1u << 20) || o.kv_heads() > (1u << 20) || o.qk_output_mode() > 3)
    return node_error(node, Code::bad_file, "the number of heads or the score stage is out of range");
  if (!(o.softcap() >= 0) || (o.has_scale() && !std::isfinite(o.scale())))
    return node_error(node, Code::bad_file, "the soft cap or the scale is not a usable number");
  return Status::ok();
}

using Dims = AttentionDims;

Status read_dims(const NodeView& node, Dims* d) {
  const auto& o = node.opt<AttentionOptions>();
  PITH_RETURN_IF_ERROR(read_attention_dims(node, o.q_heads(), o.kv_heads(), d));
  if (!node.has(kPastKey)) return Status::ok();
  const auto differ = [](int64_t x, int64_t y) { return x >= 0 && y >= 0 && x != y; };
  const Shape &pk = node.in(kPastKey).shape, &pv = node.in(kPastValue).shape;
  if (pk.rank() != 4 || pv.rank() != 4 || differ(pk[0], d->batch) || differ(pv[0], d->batch) ||
      differ(pk[1], d->kv_heads) || differ(pv[1], d->kv_heads) || differ(pk[2], pv[2]) ||
      differ(pk[3], d->depth) || differ(pv[3], d->value_depth))
    return node_error(node, Code::bad_file,
                      "past key " + pk.text() + " and value " + pv.text() + " do not fit");
  d->past = pk[2];
  return Status::ok();
}

Status check_mask(const NodeView& node, const Dims& d) {
  if (node.has(kLengths) && node.in(kLengths).shape.is_known() && d.batch >= 0 &&
      node.in(kLengths).count() != d.batch)
    return node_error(node, Code::bad_file, "there must be one key length per row of the batch");
  if (!node.has(kMask) || !node.in(kMask).shape.has_rank()) return Status::ok();
  const Shape& m = node.in(kMask).shape;
  const int64_t wanted[4] = {d.batch, d.heads, d.queries, d.keys()};
  bool fits = m.rank() <= 4 && m.rank() >= 1;
  for (int i = 0; fits && i < m.rank(); ++i) {
    const int to = 4 - m.rank() + i;
    const int64_t n = m[i], w = wanted[to];
    fits = n < 0 || w < 0 || n == w || n == 1 || (to == 3 && n < w);
  }
  if (fits) return Status::ok();
  return node_error(node, Code::bad_file, "the mask " + m.text() + " does not fit the scores");
}

Status infer(const NodeView& node) {
  for (size_t i = 0; i < node.outputs.size(); ++i)
    set_output(node, i, DType::f32, i == 0 ? node.in(kQ).shape : Shape::of_rank(4));
  for (size_t i : {kQ, kK, kV})
    if (!node.in(i).shape.has_rank()) return Status::ok();
  Dims d{};
  PITH_RETURN_IF_ERROR(read_dims(node, &d));
  PITH_RETURN_IF_ERROR(check_mask(node, d));
  set_output(node, 0, DType::f32,
             d.packed ? Shape{d.batch, d.queries, dim_mul(d.heads, d.value_depth)}
                      : Shape{d.batch, d.heads, d.queries, d.value_depth});
  set_output(node, 1, DType::f32, {d.batch, d.kv_heads, d.keys(), d.depth});
  set_output(node, 2, DType::f32, {d.batch, d.kv_heads, d.keys(), d.value_depth});
  set_output(node, 3, DType::f32, {d.batch, d.heads, d.queries, d.keys()});
  return Status::ok();
}

// Keys or values as one matrix per (batch, head): the input itself where it is that already, else output
// `out` or scratch.
struct Source {
  const float* data;
  size_t batch, head, row;  // strides in floats
};

// present = past then fresh rows.
void join(const NodeView& node, const Dims& d, size_t past_input, size_t input, size_t depth, float* to) {
  const auto heads = static_cast<size_t>(d.kv_heads), past = static_cast<size_t>(d.past);
  const auto fresh = static_cast<size_t>(d.fresh);
  const float* old = node.has(past_input) ? node.in(past_input).as<float>() : nullptr;
  const auto* x = node.in(input).as<float>();
  if (d.keys() == 0 || depth == 0) return;
  for (size_t b = 0; b < static_cast<size_t>(d.batch); ++b)
    for (size_t h = 0; h < heads; ++h) {
      const size_t matrix = b * heads + h;
      if (past * depth > 0) std::memcpy(to, old + matrix * past * depth, past * depth * sizeof(float));
      to += past * depth;
      for (size_t i = 0; i < fresh; ++i, to += depth) {
        const size_t at = d.packed ? ((b * fresh + i) * heads + h) * depth : (matrix * fresh + i) * depth;
        std::memcpy(to, x + at, depth * sizeof(float));
      }
    }
}

// Heads side by side lie far apart: rows of one head would share a few sets of the first cache. A copy pays off when
// enough queries read it.
bool copies_heads(const Dims& d) { return d.packed && d.kv_heads > 1 && d.queries >= 16; }

Source source_of(const NodeView& node, const Dims& d, size_t past_input, size_t input, size_t out,
                 int64_t row_length, float* scratch) {
  const auto depth = static_cast<size_t>(row_length), heads = static_cast<size_t>(d.kv_heads);
  const auto keys = static_cast<size_t>(d.keys());
  if (node.has_out(out) || node.has(past_input) || copies_heads(d)) {
    float* joined = node.has_out(out) ? node.out(out).as_mutable<float>() : scratch;
    join(node, d, past_input, input, depth, joined);
    return {joined, heads * keys * depth, keys * depth, depth};
  }
  const auto* x = node.in(input).as<float>();
  if (d.packed) return {x, keys * heads * depth, depth, heads * depth};
  return {x, heads * keys * depth, keys * depth, depth};
}

struct AttentionState final : NodeState {
  const kernels::AttentionKernel* kernel = nullptr;
};

// Scratch: joined keys, joined values (where no output holds them), some rows of scores per task.
struct Scratch {
  int64_t keys = 0, values = 0, scores = 0;  // floats
};
int64_t task_count(const Dims& d) { return dim_mul(d.batch, d.heads); }

Scratch scratch_of(const NodeView& node, const Dims& d) {
  Scratch s;
  const int64_t rows = dim_mul(dim_mul(d.batch, d.kv_heads), d.keys());
  const bool copies = node.has(kPastKey) || copies_heads(d);
  if (copies && !node.has_out(1)) s.keys = dim_mul(rows, d.depth);
  if (copies && !node.has_out(2)) s.values = dim_mul(rows, d.value_depth);
  s.scores = dim_mul(dim_mul(task_count(d), d.keys()), kernels::kAttentionRows);
  return s;
}

void run(const NodeView& node, RunContext& context);

Status prepare(const NodeView& node, PrepareContext& context) {
  Dims d{};
  PITH_RETURN_IF_ERROR(read_dims(node, &d));
  const Scratch s = scratch_of(node, d);
  const int64_t total = dim_add(dim_add(s.keys, s.values), s.scores);
  if (total < 0 || total > INT64_MAX / 8)
    return node_error(node, Code::no_memory, "the keys need too much memory");
  context.request_scratch(static_cast<size_t>(total) * sizeof(float));
  auto state = std::make_unique<AttentionState>();
  state->kernel = &kernels::select_attention(context.cpu());
  context.use("attention", run);
  context.keep(std::move(state));
  return Status::ok();
}

// Stride of the mask along score dim `to` (0 batch .. 3 keys), 0 where it is broadcast.
size_t mask_stride(const Shape& m, int to) {
  const int i = to - (4 - m.rank());
  return i < 0 || m[i] == 1 ? 0 : static_cast<size_t>(m.count(i + 1, m.rank()));
}

void set_mask(const NodeView& node, const Dims& d, size_t batch, size_t head, kernels::AttentionHead* a) {
  a->limit = d.keys();
  a->causal = node.opt<AttentionOptions>().causal();
  a->offset = d.past;
  if (node.has(kLengths)) {
    a->limit = std::clamp<int64_t>(node.in(kLengths).as<int64_t>()[batch], 0, d.keys());
    a->offset = a->limit - d.queries;
  }
  if (!node.has(kMask)) return;
  const Shape& m = node.in(kMask).shape;
  const size_t at = batch * mask_stride(m, 0) + head * mask_stride(m, 1);
  a->mask_row = mask_stride(m, 2);
  a->mask_column = mask_stride(m, 3);
  a->mask_keys = m[m.rank() - 1] == 1 ? d.keys() : m[m.rank() - 1];
  if (node.in(kMask).dtype == DType::f32)
    a->mask = node.in(kMask).as<float>() + at;
  else
    a->mask_bytes = node.in(kMask).as<uint8_t>() + at;
}

void run(const NodeView& node, RunContext& context) {
  Dims d{};
  if (!read_dims(node, &d).is_ok()) return;  // prepare has seen the same shapes
  const auto& o = node.opt<AttentionOptions>();
  const Scratch s = scratch_of(node, d);
  auto* scratch = static_cast<float*>(context.scratch);
  const kernels::AttentionKernel& kernel = *static_cast<const AttentionState*>(context.state)->kernel;
  const Source k = source_of(node, d, kPastKey, kK, 1, d.depth, scratch);
  const Source v = source_of(node, d, kPastValue, kV, 2, d.value_depth, scratch + s.keys);
  float* scores = scratch + s.keys + s.values;
  const auto heads = static_cast<size_t>(d.heads), queries = static_cast<size_t>(d.queries);
  const auto keys = static_cast<size_t>(d.keys()), depth = static_cast<size_t>(d.depth);
  const auto value_depth = static_cast<size_t>(d.value_depth);
  if (node.out(0).count() == 0 && (!node.has_out(3) || node.out(3).count() == 0)) return;
  const size_t share = heads / static_cast<size_t>(d.kv_heads);
  const float scale = o.has_scale() ? o.scale() : 1.0f / std::sqrt(static_cast<float>(d.depth));
  parallel_for(context.pool, static_cast<size_t>(task_count(d)), 1, [&](Range tasks) {
    for (size_t task = tasks.begin; task < tasks.end; ++task) {
      const size_t b = task / heads, h = task % heads;
      kernels::AttentionHead a{};
      a.q = node.in(kQ).as<float>() + (d.packed ? (b * queries * heads + h) * depth : task * queries * depth);
      a.q_stride = d.packed ? heads * depth : depth;
      a.k = k.data + b * k.batch + h / share * k.head, a.k_stride = k.row;
      a.v = v.data + b * v.batch + h / share * v.head, a.v_stride = v.row;
      a.y = node.out(0).as_mutable<float>() +
            (d.packed ? (b * queries * heads + h) * value_depth : task * queries * value_depth);
      a.y_stride = d.packed ? heads * value_depth : value_depth;
      a.depth = depth, a.value_depth = value_depth, a.keys = keys;
      a.scale = scale, a.softcap = o.softcap();
      set_mask(node, d, b, h, &a);
      if (node.has_out(3)) a.report = node.out(3).as_mutable<float>() + task * queries * keys;
      a.report_stage = static_cast<int>(o.qk_output_mode());
      kernels::attention(kernel, a, {0, queries}, scores + task * keys * kernels::kAttentionRows);
    }
  });
}

}  // namespace

extern const OpDef kAttentionOp{
    schema::Op::AttentionOptions, "attention", kNoFlags, check, infer, prepare, run};

}  // namespace pith
