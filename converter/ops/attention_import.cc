// Import of Attention and RotaryEmbedding (ONNX 23 and 24), and of com.microsoft Attention, which becomes a fully
// connected layer, three slices and Attention.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status read_count(ImportContext& c, const char* name, uint32_t* out) {
  const int64_t n = c.attr_int(name, 0);
  if (n < 0 || n > (1 << 20)) return c.malformed(std::string("attribute ") + name + " is out of range");
  *out = static_cast<uint32_t>(n);
  return Status::ok();
}

// A mask of another number type is added as f32.
ir::Value* mask_of(ImportContext& c) {
  if (!c.has(3) || c.in(3)->dtype == DType::boolean) return c.in(3);
  return c.cast(c.in(3), DType::f32);
}

Status import_attention(ImportContext& c) {
  schema::AttentionOptionsT o;
  o.causal = c.attr_int("is_causal", 0) != 0;
  PITH_RETURN_IF_ERROR(read_count(c, "q_num_heads", &o.q_heads));
  PITH_RETURN_IF_ERROR(read_count(c, "kv_num_heads", &o.kv_heads));
  PITH_RETURN_IF_ERROR(read_count(c, "qk_matmul_output_mode", &o.qk_output_mode));
  o.has_scale = c.has_attr("scale");
  o.scale = c.attr_float("scale", 0);
  o.softcap = c.attr_float("softcap", 0);
  std::vector<ir::Value*> inputs{c.in(0), c.in(1), c.in(2), mask_of(c), c.in(4), c.in(5), c.in(6)};
  while (inputs.back() == nullptr) inputs.pop_back();
  size_t outputs = 1;
  for (size_t i = 0; i < 4; ++i)
    if (c.wants_out(i)) outputs = i + 1;
  const auto y = c.emit_n(std::move(o), std::move(inputs), outputs);
  for (size_t i = 0; i < outputs; ++i) c.set_out(i, y[i]);
  return Status::ok();
}

ir::Value* unsqueezed(ImportContext& c, ir::Value* x, std::vector<int64_t> axes) {
  return c.emit(schema::UnsqueezeOptionsT{}, {x, c.const_i64(std::move(axes))});
}

// mask_index: [B, T] or [B, S, T], not 0 = visible. Other forms tell lengths and are refused.
Status packed_mask(ImportContext& c, ir::Value** mask) {
  if (!c.has(3)) return Status::ok();
  const int rank = c.in(3)->shape.rank();
  if (rank != 2 && rank != 3)
    return c.unsupported("mask_index must be [batch, keys] or [batch, queries, keys]");
  ir::Value* shown = c.cast(c.in(3), DType::boolean);
  *mask = rank == 2 ? unsqueezed(c, shown, {1, 2}) : unsqueezed(c, shown, {1});
  return Status::ok();
}

// x[B,S,I], weights[I,3H], bias[3H], mask_index, past[2,B,heads,P,D] -> y[B,S,H], present[2,B,heads,T,D]
Status import_packed_attention(ImportContext& c) {
  if (!c.has(0) || !c.has(1) || c.in(1)->shape.rank() != 2)
    return c.malformed("the input or the weight matrix is missing");
  if (c.has(5) || c.has(6) || c.has_attr("qkv_hidden_sizes") || c.attr_int("do_rotary", 0) != 0)
    return c.unsupported(
        "an attention bias, a shared past, unequal sizes and rotary positions are not supported");
  schema::AttentionOptionsT o;
  PITH_RETURN_IF_ERROR(read_count(c, "num_heads", &o.q_heads));
  o.kv_heads = o.q_heads;
  o.causal = c.attr_int("unidirectional", 0) != 0;
  o.has_scale = c.attr_float("scale", 0) != 0;
  o.scale = c.attr_float("scale", 0);
  std::vector<ir::Value*> inputs{c.in(0), c.transpose(c.in(1), {1, 0})};
  if (c.has(2)) inputs.push_back(c.in(2));
  ir::Value* all = c.emit(schema::FullyConnectedOptionsT{}, std::move(inputs));
  schema::SplitOptionsT thirds, halves;
  thirds.axis = 2;
  std::vector<ir::Value*> operands = c.emit_n(thirds, {all}, 3);
  ir::Value* mask = nullptr;
  PITH_RETURN_IF_ERROR(packed_mask(c, &mask));
  operands.push_back(mask);
  if (c.has(4)) {
    const auto past = c.emit_n(halves, {c.in(4)}, 2);
    for (ir::Value* part : past)
      operands.push_back(c.emit(schema::SqueezeOptionsT{}, {part, c.const_i64({0})}));
  }
  while (operands.back() == nullptr) operands.pop_back();
  const auto y = c.emit_n(o, std::move(operands), c.wants_out(1) ? 3 : 1);
  c.set_out(0, y[0]);
  if (!c.wants_out(1)) return Status::ok();
  c.set_out(1, c.emit(schema::ConcatOptionsT{}, {unsqueezed(c, y[1], {0}), unsqueezed(c, y[2], {0})}));
  return Status::ok();
}

Status import_rotary(ImportContext& c) {
  schema::RotaryEmbeddingOptionsT o;
  o.interleaved = c.attr_int("interleaved", 0) != 0;
  PITH_RETURN_IF_ERROR(read_count(c, "num_heads", &o.heads));
  PITH_RETURN_IF_ERROR(read_count(c, "rotary_embedding_dim", &o.rotary_dim));
  std::vector<ir::Value*> inputs{c.in(0), c.in(1), c.in(2)};
  if (c.has(3)) inputs.push_back(c.in(3));
  c.set_out(0, c.emit(std::move(o), std::move(inputs)));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> attention_imports() {
  static constexpr ImportRule kRules[] = {{"Attention", import_attention, 3},
                                          {"com.microsoft:Attention", import_packed_attention, 2},
                                          {"RotaryEmbedding", import_rotary, 3}};
  return kRules;
}

}  // namespace pith
