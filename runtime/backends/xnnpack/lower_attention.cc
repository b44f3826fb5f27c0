// Attention f32 of 4 dims as XNNPACK's product, softmax and product, with scale and mask applied by us between them.
// Scratch: workspaces of both products, the scores [B,H,S,T], and a flag for each row that sees no key: such a row
// gives 0, as in the reference.
#include <cmath>
#include <limits>

#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

using schema::AttentionOptions;
enum Input : size_t { kQ, kK, kV, kMask };

// XnnState::op makes the scores, `second` is the softmax, `last` the product with V.
class AttentionState final : public XnnState {
 public:
  XnnOperator last;
  size_t scores = 0, hidden = 0, second_workspace = 0;  // byte offsets into scratch
};

struct Extents {
  size_t batch, heads, queries, keys;
  size_t rows() const { return batch * heads * queries; }
};

Extents extents_of(const NodeView& node) {
  const Shape& q = node.in(kQ).shape;
  return {dim(q, 0), dim(q, 1), dim(q, 2), dim(node.in(kK).shape, 2)};
}

struct MaskRow {
  const float* added = nullptr;
  const uint8_t* shown = nullptr;
  size_t step = 0, keys = 0;  // between keys; keys beyond are hidden
};

// Stride of the mask along score dim `to` (0 batch .. 3 keys), 0 where it is broadcast.
size_t mask_stride(const Shape& m, int to) {
  const int i = to - (4 - m.rank());
  return i < 0 || m[i] == 1 ? 0 : product(m, i + 1, m.rank());
}

MaskRow mask_row(const NodeView& node, const Extents& e, size_t row) {
  MaskRow r;
  r.keys = e.keys;
  if (!node.has(kMask)) return r;
  const TensorView& mask = node.in(kMask);
  const Shape& m = mask.shape;
  const size_t at = row / e.queries / e.heads * mask_stride(m, 0) +
                    row / e.queries % e.heads * mask_stride(m, 1) + row % e.queries * mask_stride(m, 2);
  r.step = mask_stride(m, 3);
  if (m[m.rank() - 1] != 1) r.keys = dim(m, m.rank() - 1);
  if (mask.dtype == DType::f32)
    r.added = mask.as<float>() + at;
  else
    r.shown = mask.as<uint8_t>() + at;
  return r;
}

// Scale and mask of one row of scores; true when no key is left. Such a row is set to 0 to keep the softmax finite.
bool finish_scores(const NodeView& node, const Extents& e, size_t row, float scale, bool causal, float* s) {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  const MaskRow mask = mask_row(node, e, row);
  const size_t visible = causal ? std::min(mask.keys, row % e.queries + 1) : mask.keys;
  const size_t end = std::min(visible, e.keys);
  for (size_t j = 0; j < end; ++j) s[j] *= scale;
  if (mask.added != nullptr)
    for (size_t j = 0; j < end; ++j) s[j] += mask.added[j * mask.step];
  if (mask.shown != nullptr)
    for (size_t j = 0; j < end; ++j) s[j] = mask.shown[j * mask.step] != 0 ? s[j] : kHidden;
  for (size_t j = end; j < e.keys; ++j) s[j] = kHidden;
  if (end == e.keys && mask.added == nullptr && mask.shown == nullptr) return false;
  for (size_t j = 0; j < end; ++j)
    if (s[j] != kHidden) return false;
  for (size_t j = 0; j < e.keys; ++j) s[j] = 0;
  return true;
}

void run_attention(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const AttentionState*>(static_cast<const XnnState*>(context.state));
  pthreadpool_t threads = context.pool == nullptr || state.serial ? nullptr : context.pool->handle();
  const auto& o = node.opt<AttentionOptions>();
  const Extents e = extents_of(node);
  const float depth = static_cast<float>(node.in(kQ).shape[3]);
  const float scale = o.has_scale() ? o.scale() : 1.0f / std::sqrt(depth);
  auto* scratch = static_cast<char*>(context.scratch);
  auto* scores = static_cast<float*>(static_cast<void*>(scratch + state.scores));
  auto* hidden = scratch + state.hidden;
  const size_t grain = 1 + (size_t{1} << 14) / e.keys;
  xnn_run_operator(state.op.get(), threads);
  parallel_for(state.serial ? nullptr : context.pool, e.rows(), grain, [&](Range rows) {
    for (size_t r = rows.begin; r < rows.end; ++r)
      hidden[r] = finish_scores(node, e, r, scale, o.causal(), scores + r * e.keys) ? 1 : 0;
  });
  xnn_run_operator(state.second.get(), threads);
  for (size_t r = 0; r < e.rows(); ++r)
    if (hidden[r] != 0) std::fill(scores + r * e.keys, scores + (r + 1) * e.keys, 0.0f);
  xnn_run_operator(state.last.get(), threads);
}

Status bind_attention(const NodeView& node, NodeState* state, void* scratch, ThreadPool*) {
  const auto& s = *static_cast<const AttentionState*>(static_cast<const XnnState*>(state));
  auto* at = static_cast<char*>(scratch);
  auto* scores = static_cast<float*>(static_cast<void*>(at + s.scores));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_setup_batch_matrix_multiply_nc_f32(
      s.op.get(), at, node.in(kQ).as<float>(), node.in(kK).as<float>(), scores)));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_setup_softmax_nc_f32(s.second.get(), scores, scores)));
  return check_xnn(xnn_setup_batch_matrix_multiply_nc_f32(s.last.get(), at + s.second_workspace, scores,
                                                          node.in(kV).as<float>(),
                                                          node.out(0).as_mutable<float>()));
}

const char* reason_against(const NodeView& node) {
  const auto& o = node.opt<AttentionOptions>();
  const Shape &q = node.in(kQ).shape, &k = node.in(kK).shape, &v = node.in(kV).shape;
  if (q.rank() != 4) return "heads side by side";
  for (size_t i = kMask + 1; i < node.inputs.size(); ++i)
    if (node.has(i)) return "past keys or key lengths";
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (node.has_out(i)) return "scores or keys are wanted";
  if (o.softcap() > 0) return "a soft cap";
  if (k[1] != q[1] || v[1] != q[1]) return "shared key heads";
  if (node.has(kMask) && node.in(kMask).shape.rank() < 1) return "a mask of one element";
  // Few queries: packing the keys would cost more than it gains.
  return q[2] < 4 ? "few queries" : nullptr;
}

}  // namespace

Status lower_attention(const NodeView& node, Lowering& low) {
  if (const char* reason = reason_against(node)) return decline(reason);
  const Extents e = extents_of(node);
  const size_t batch[] = {e.batch, e.heads};
  const size_t depth = dim(node.in(kQ).shape, 3), value_depth = dim(node.in(kV).shape, 3);
  auto& s = static_cast<AttentionState&>(low.adopt(std::make_unique<AttentionState>()));
  size_t first = 0, last = 0, alignment = 0;
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_batch_matrix_multiply_nc_f32(XNN_FLAG_TRANSPOSE_B, s.op.put())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_batch_matrix_multiply_nc_f32(
      s.op.get(), 2, batch, batch, e.queries, depth, e.keys, &first, &alignment, low.threads())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_softmax_nc_f32(0, s.second.put())));
  PITH_RETURN_IF_ERROR(
      check_xnn(xnn_reshape_softmax_nc_f32(s.second.get(), e.keys, e.keys, e.keys, e.rows(), low.threads())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_create_batch_matrix_multiply_nc_f32(0, s.last.put())));
  PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_batch_matrix_multiply_nc_f32(
      s.last.get(), 2, batch, batch, e.queries, e.keys, value_depth, &last, &alignment, low.threads())));
  constexpr size_t kOverRead = 128;
  s.second_workspace = align_scratch(first);
  s.scores = s.second_workspace + align_scratch(last);
  s.hidden = s.scores + align_scratch(e.rows() * e.keys * sizeof(float) + kOverRead);
  return low.done("xnn_attention_f32", bind_attention, s.hidden + e.rows(), run_attention);
}

}  // namespace pith
