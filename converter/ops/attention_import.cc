// Import of Attention and RotaryEmbedding (ONNX 23 and 24).
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
  static constexpr ImportRule kRules[] = {{"Attention", import_attention},
                                          {"RotaryEmbedding", import_rotary}};
  return kRules;
}

}  // namespace pith
