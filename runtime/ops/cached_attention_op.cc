// Attention of new tokens over everything the session was given before, f32 in and out; keys and values stay in the session as
// FP16 or INT8 (kernels/attention/kv_cache.h).
//   Q[B,S,H*D] K[B,S,G*D] V[B,S,G*E] with q_heads and kv_heads given, or [B,H,S,D] [B,G,S,D] [B,G,S,E]  ->  Y like Q with E
// Token i of this run sees the tokens of earlier runs and those up to itself, with a window only the last `window` of them. A run
// that would hold more than `context` tokens is refused before anything changes. Bytes do not depend on threads.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "kernels/attention/cached_attention.h"
#include "runtime/ops/attention_shape.h"

namespace pith {
namespace {

using schema::CachedAttentionOptions;
using namespace kernels;
enum Input : size_t { kQ, kK, kV };

constexpr uint32_t kMaxContext = 1u << 24;
constexpr size_t kTasksPerThread = 4;

Status check(const NodeView& node) {
  const auto& o = node.opt<CachedAttentionOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 3, 1, 1));
  for (size_t i : {kQ, kK, kV}) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  if (o.q_heads() > (1u << 20) || o.kv_heads() > (1u << 20) || o.cache() > schema::CacheType::i8)
    return node_error(node, Code::bad_file, "the number of heads or the kind of cache is out of range");
  if (o.context() == 0 || o.context() > kMaxContext || o.window() > kMaxContext)
    return node_error(node, Code::bad_file,
                      format("the context must be 1 to %u tokens and the window no more, found %u and %u",
                             kMaxContext, o.context(), o.window()));
  if (o.has_scale() && !std::isfinite(o.scale()))
    return node_error(node, Code::bad_file, "the scale is not a usable number");
  return Status::ok();
}

Status read_dims(const NodeView& node, AttentionDims* d) {
  const auto& o = node.opt<CachedAttentionOptions>();
  PITH_RETURN_IF_ERROR(read_attention_dims(node, o.q_heads(), o.kv_heads(), d));
  if (d->queries >= 0 && d->fresh >= 0 && d->queries != d->fresh)
    return node_error(node, Code::bad_file,
                      "there must be as many keys as queries: those of the same tokens");
  const auto fits = [](int64_t depth) { return depth < 0 || (depth > 0 && depth <= int64_t{kKvMaxDepth}); };
  if (!fits(d->depth) || !fits(d->value_depth))
    return node_error(node, Code::bad_file, format("the depth of a head must be 1 to %zu", kKvMaxDepth));
  return Status::ok();
}

Status infer(const NodeView& node) {
  set_output(node, 0, DType::f32, node.in(kQ).shape);
  for (size_t i : {kQ, kK, kV})
    if (!node.in(i).shape.has_rank()) return Status::ok();
  AttentionDims d{};
  PITH_RETURN_IF_ERROR(read_dims(node, &d));
  set_output(node, 0, DType::f32,
             d.packed ? Shape{d.batch, d.queries, dim_mul(d.heads, d.value_depth)}
                      : Shape{d.batch, d.heads, d.queries, d.value_depth});
  return Status::ok();
}

// What the session remembers of one node: the cache of all its heads, [batch][kv head].
class KvState : public NodeState {
 public:
  // Null when there is no such memory. Pages are touched as tokens come.
  static std::unique_ptr<KvState> create(const KvShape& shape, size_t heads, size_t context) {
    size_t bytes = 0;
    const size_t head_bytes = kv_planes(shape).block * kv_blocks(context);
    if (head_bytes / kv_planes(shape).block != kv_blocks(context) ||
        __builtin_mul_overflow(head_bytes, heads, &bytes))
      return nullptr;
    auto* memory = static_cast<uint8_t*>(std::aligned_alloc(64, bytes));
    if (memory == nullptr) return nullptr;
    return std::unique_ptr<KvState>(new KvState(shape, heads, context, head_bytes, memory));
  }
  ~KvState() override { std::free(memory_); }

  Status ready() const override {
    if (tokens + incoming <= context_) return Status::ok();
    return Status(Code::bad_argument,
                  format("%zu more tokens do not fit: %zu of %zu are held", incoming, tokens, context_));
  }
  uint64_t remembered() const override { return tokens; }
  void forget(uint64_t from) override { tokens = std::min(tokens, static_cast<size_t>(from)); }

  bool serves(const KvShape& s, size_t heads) const {
    return s.kind == shape.kind && s.depth == shape.depth && s.value_depth == shape.value_depth &&
           heads == heads_;
  }
  uint8_t* head(size_t i) { return memory_ + i * head_bytes_; }

  const KvShape shape;
  const CachedAttentionKernel* kernel = nullptr;
  size_t tokens = 0;
  size_t incoming = 0;  // tokens of a run of the present plan
  size_t chunks = 1;    // tasks that walk over tiles one after the other; 0: tiles are split into segments

 private:
  KvState(const KvShape& s, size_t heads, size_t context, size_t head_bytes, uint8_t* memory)
      : shape(s), heads_(heads), context_(context), head_bytes_(head_bytes), memory_(memory) {}
  size_t heads_, context_, head_bytes_;
  uint8_t* memory_;
};

// Query rows of a KV head, [token][query head of the group], in tiles of kKvRows; all (batch, KV head) pairs one after the other.
// Scratch: queries of all rows | their scales | states.
struct Work {
  size_t pairs, group, queries, rows, tiles;  // rows, tiles: per pair
  size_t row_bytes, acc_stride, state_floats;
  size_t query_bytes, scale_bytes;

  Work(const AttentionDims& d, const KvShape& s)
      : pairs(static_cast<size_t>(d.batch * d.kv_heads)),
        group(static_cast<size_t>(d.heads / d.kv_heads)),
        queries(static_cast<size_t>(d.queries)),
        rows(queries * group),
        tiles((rows + kKvRows - 1) / kKvRows),
        row_bytes(query_row_bytes(s)),
        acc_stride(panel_round(s.value_depth)),
        state_floats(std::min(rows, kKvRows) * (acc_stride + 2)) {
    query_bytes = (pairs * rows * row_bytes + 63) / 64 * 64;
    scale_bytes = (pairs * rows * sizeof(float) + 63) / 64 * 64;
  }
  static size_t panel_round(size_t n) { return (n + kKvTile - 1) / kKvTile * kKvTile; }
  size_t states(size_t chunks, size_t context) const {
    return chunks > 0 ? 2 * chunks : pairs * tiles * segments(context);
  }
  static size_t segments(size_t tokens) { return (kv_blocks(tokens) + kKvSegment - 1) / kKvSegment; }
  Range tile(size_t i) const { return {i * kKvRows, std::min(rows, (i + 1) * kKvRows)}; }

  uint8_t* query(void* scratch, size_t pair, size_t row) const {
    return static_cast<uint8_t*>(scratch) + (pair * rows + row) * row_bytes;
  }
  float* scale(void* scratch, size_t pair, size_t row) const {
    return static_cast<float*>(static_cast<void*>(static_cast<uint8_t*>(scratch) + query_bytes)) +
           pair * rows + row;
  }
  AttentionState state(void* scratch, size_t i) const {
    void* at = static_cast<uint8_t*>(scratch) + query_bytes + scale_bytes;
    float* f = static_cast<float*>(at) + i * state_floats;
    const size_t n = std::min(rows, kKvRows);
    return {f, f + n, f + 2 * n, acc_stride};
  }
};

struct Run {
  const NodeView& node;
  const AttentionDims& d;
  const Work& w;
  KvState& state;
  void* scratch;
  CachedAttention args;

  // Element of token s, head h of an input or of the output with `heads` heads of `depth`.
  size_t place(size_t b, size_t h, size_t s, size_t heads, size_t depth) const {
    return (d.packed ? (b * w.queries + s) * heads + h : (b * heads + h) * w.queries + s) * depth;
  }
  size_t kv_heads() const { return static_cast<size_t>(d.kv_heads); }
  size_t heads() const { return static_cast<size_t>(d.heads); }

  void append(size_t pair) const {
    const size_t b = pair / kv_heads(), g = pair % kv_heads();
    const KvShape& s = state.shape;
    KvTokens t;
    t.key = node.in(kK).as<float>() + place(b, g, 0, kv_heads(), s.depth);
    t.key_stride = d.packed ? kv_heads() * s.depth : s.depth;
    t.value = node.in(kV).as<float>() + place(b, g, 0, kv_heads(), s.value_depth);
    t.value_stride = d.packed ? kv_heads() * s.value_depth : s.value_depth;
    t.first = state.tokens, t.count = w.queries;
    kv_append(s, t, state.head(pair));
  }
  void prepare_queries(size_t pair, float scale) const {
    const size_t b = pair / kv_heads(), g = pair % kv_heads();
    for (size_t r = 0; r < w.rows; ++r) {
      const float* q = node.in(kQ).as<float>() +
                       place(b, g * w.group + r % w.group, r / w.group, heads(), state.shape.depth);
      prepare_query(*state.kernel, state.shape, q, scale, w.query(scratch, pair, r),
                    w.scale(scratch, pair, r));
    }
  }
  CachedAttention of(size_t pair) const {
    CachedAttention a = args;
    a.cache = state.head(pair);
    a.queries = w.query(scratch, pair, 0), a.query_scales = w.scale(scratch, pair, 0);
    return a;
  }
  Range segment_blocks(size_t segment) const {
    return {segment * kKvSegment, std::min((segment + 1) * kKvSegment, kv_blocks(args.tokens))};
  }
  // Segments that the first or the last row of a tile sees: the rows between see nothing else.
  Range segments_of(Range rows) const {
    const size_t tokens = kKvSegment * kKvBlock;
    return {visible_tokens(args, rows.begin).begin / tokens,
            (visible_tokens(args, rows.end - 1).end + tokens - 1) / tokens};
  }
  void write(size_t pair, Range rows, const AttentionState& total) const {
    const size_t b = pair / kv_heads(), g = pair % kv_heads(), depth = state.shape.value_depth;
    for (size_t r = rows.begin; r < rows.end; ++r)
      write_attention(
          total, r - rows.begin, depth,
          node.out(0).as_mutable<float>() + place(b, g * w.group + r % w.group, r / w.group, heads(), depth));
  }
  // A tile from first to last segment.
  void whole_tile(size_t pair, Range rows, const AttentionState& next, const AttentionState& total) const {
    const CachedAttention a = of(pair);
    const Range segments = segments_of(rows);
    clear_attention(total, rows.end - rows.begin);
    for (size_t s = segments.begin; s < segments.end; ++s) {
      state.kernel->fn(a, rows, segment_blocks(s), next);
      fold_attention(next, rows.end - rows.begin, total);
    }
    write(pair, rows, total);
  }
};

void in_chunks(const Run& run, ThreadPool* pool) {
  const Work& w = run.w;
  const size_t tiles = w.pairs * w.tiles, chunks = run.state.chunks;
  parallel_for(pool, chunks, 1, [&](Range range) {
    for (size_t c = range.begin; c < range.end; ++c)
      for (size_t t = tiles * c / chunks; t < tiles * (c + 1) / chunks; ++t)
        run.whole_tile(t / w.tiles, w.tile(t % w.tiles), w.state(run.scratch, 2 * c),
                       w.state(run.scratch, 2 * c + 1));
  });
}

// Few tiles and several threads: every segment of every tile is a task, the results are folded in order afterwards.
void in_segments(const Run& run, ThreadPool* pool) {
  const Work& w = run.w;
  const size_t segments = Work::segments(run.args.tokens), tiles = w.pairs * w.tiles;
  parallel_for(pool, tiles * segments, 1, [&](Range range) {
    for (size_t i = range.begin; i < range.end; ++i) {
      const Range rows = w.tile(i / segments % w.tiles), seen = run.segments_of(rows);
      const size_t s = i % segments;
      if (s >= seen.begin && s < seen.end)
        run.state.kernel->fn(run.of(i / segments / w.tiles), rows, run.segment_blocks(s),
                             w.state(run.scratch, i));
      else
        clear_attention(w.state(run.scratch, i), rows.end - rows.begin);
    }
  });
  parallel_for(pool, tiles, 1, [&](Range range) {
    for (size_t t = range.begin; t < range.end; ++t) {
      const Range rows = w.tile(t % w.tiles);
      const AttentionState total = w.state(run.scratch, t * segments);
      for (size_t s = 1; s < segments; ++s)
        fold_attention(w.state(run.scratch, t * segments + s), rows.end - rows.begin, total);
      run.write(t / w.tiles, rows, total);
    }
  });
}

void run_node(const NodeView& node, RunContext& context) {
  AttentionDims d{};
  if (!read_dims(node, &d).is_ok()) return;  // prepare has seen the same shapes
  auto& state = *static_cast<KvState*>(context.state);
  const auto& o = node.opt<CachedAttentionOptions>();
  const Work w(d, state.shape);
  Run run{node, d, w, state, context.scratch, {}};
  CachedAttention& a = run.args;
  a.shape = state.shape;
  a.tokens = state.tokens + w.queries;
  a.query_stride = w.row_bytes;
  a.position = static_cast<int64_t>(state.tokens), a.share = w.group;
  a.window = o.window();
  a.scale = o.has_scale() ? o.scale() : 1.0f / std::sqrt(static_cast<float>(d.depth));
  parallel_for(context.pool, w.pairs, 1, [&](Range pairs) {
    for (size_t p = pairs.begin; p < pairs.end; ++p) {
      run.append(p);
      run.prepare_queries(p, a.scale);
    }
  });
  if (state.chunks > 0)
    in_chunks(run, context.pool);
  else
    in_segments(run, context.pool);
  state.tokens = a.tokens;
}

Status prepare(const NodeView& node, PrepareContext& context) {
  AttentionDims d{};
  PITH_RETURN_IF_ERROR(read_dims(node, &d));
  const auto& o = node.opt<CachedAttentionOptions>();
  if (d.batch <= 0 || d.queries <= 0 || d.kv_heads <= 0)
    return node_error(node, Code::bad_argument, "there must be a sequence, a head and a token");
  const KvShape shape{o.cache() == schema::CacheType::i8 ? KvKind::i8 : KvKind::f16,
                      static_cast<size_t>(d.depth), static_cast<size_t>(d.value_depth)};
  const int64_t pairs = dim_mul(d.batch, d.kv_heads),
                all_rows = dim_mul(dim_mul(d.batch, d.heads), d.queries);
  // Bounds every size below: rows times the bytes of a query, a scale and a state of each segment.
  const int64_t segments = static_cast<int64_t>(Work::segments(o.context()));
  const int64_t bound = dim_mul(dim_mul(all_rows, 4 * (d.depth + d.value_depth + 64)), segments + 8);
  if (bound < 0 || bound > int64_t{PTRDIFF_MAX} / 4)
    return node_error(node, Code::no_memory, "so many queries need too much memory");
  auto* state = static_cast<KvState*>(context.state());
  if (state == nullptr || !state->serves(shape, static_cast<size_t>(pairs))) {
    if (state != nullptr && state->tokens > 0)
      return node_error(
          node, Code::bad_argument,
          format("%zu tokens are held for other sizes: rewind the session to 0 first", state->tokens));
    std::unique_ptr<KvState> fresh = KvState::create(shape, static_cast<size_t>(pairs), o.context());
    if (fresh == nullptr)
      return node_error(node, Code::no_memory, "there is not enough memory for the cache");
    state = fresh.get();
    context.keep(std::move(fresh));
  }
  const Work w(d, shape);
  const size_t threads = context.pool() == nullptr ? 1 : context.pool()->threads();
  const size_t wanted = threads == 1 ? 1 : threads * kTasksPerThread;
  state->chunks = w.pairs * w.tiles >= wanted ? wanted : 0;
  state->incoming = w.queries;
  state->kernel = &select_cached_attention(shape.kind, context.cpu());
  context.use(state->kernel->name, run_node);
  context.request_scratch(w.query_bytes + w.scale_bytes +
                          w.states(state->chunks, o.context()) * w.state_floats * sizeof(float));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(CachedAttention){
    schema::Op::CachedAttentionOptions, "cached_attention", kRemembers, check, infer, prepare, run_node};

}  // namespace pith
