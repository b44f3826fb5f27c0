// Sizes of attention, from inputs of 3 dims [B,S,H*D] [B,N,G*D] [B,N,G*E] or 4 [B,H,S,D] [B,G,N,D] [B,G,N,E].
#pragma once
#include "runtime/ops/infer_helpers.h"

namespace pith {

// An unknown one is kUnknownDim.
struct AttentionDims {
  int64_t batch, heads, kv_heads, queries, depth, fresh, past, value_depth;
  bool packed;  // 3 dims
  int64_t keys() const { return dim_add(past, fresh); }
};
// From the first three inputs; past is 0. Heads are options and may be 0 where the inputs have 4 dims.
Status read_attention_dims(const NodeView& node, uint32_t q_heads, uint32_t kv_heads, AttentionDims* d);

}  // namespace pith
