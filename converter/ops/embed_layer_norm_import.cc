// Import of com.microsoft EmbedLayerNormalization: word, position and segment embeddings summed and normalized.
// Inputs ids, segments, word, position and segment tables, gamma, beta, mask, position ids -> y, mask index, sum.
#include "converter/ops/import.h"

namespace pith {
namespace {

ir::Value* gather_rows(ImportContext& c, ir::Value* table, ir::Value* indices) {
  return c.emit(schema::GatherOptionsT{}, {table, indices});
}

// Rows of the position table: the given ones, or the first as many as there are tokens.
ir::Value* positions(ImportContext& c, ir::Value* ids, ir::Value* table) {
  if (c.has(8)) return gather_rows(c, table, c.in(8));
  schema::ShapeOptionsT tokens;
  tokens.start = 1;
  tokens.end = 2;
  ir::Value* length = c.emit(tokens, {ids});
  return c.emit(schema::SliceOptionsT{}, {table, c.const_i64({0}), length, c.const_i64({0})});
}

// Tokens per sequence that the mask lets through; zeros without a mask.
ir::Value* mask_index(ImportContext& c, ir::Value* ids) {
  if (c.has(7)) {
    schema::ReduceOptionsT sum;
    sum.kind = schema::ReduceKind::sum;
    sum.keepdims = false;
    return c.emit(sum, {c.in(7), c.const_i64({1})});
  }
  schema::ShapeOptionsT batch;
  batch.end = 1;
  return c.emit(schema::FillOptionsT{}, {c.emit(batch, {ids}), c.const_scalar(DType::i32, 0)});
}

Status import_embed_layer_norm(ImportContext& c) {
  for (size_t i : {0, 2, 3, 5, 6})
    if (!c.has(i)) return c.malformed("ids, word table, position table, gamma and beta are needed");
  if (c.has(1) != c.has(4)) return c.malformed("segments and the segment table go together");
  ir::Value* sum =
      c.binary(schema::BinaryKind::add, gather_rows(c, c.in(2), c.in(0)), positions(c, c.in(0), c.in(3)));
  if (c.has(1)) sum = c.binary(schema::BinaryKind::add, sum, gather_rows(c, c.in(4), c.in(1)));
  schema::LayerNormOptionsT o;
  o.axis = -1;
  o.epsilon = c.attr_float("epsilon", 1e-12f);
  c.set_out(0, c.emit(o, {sum, c.in(5), c.in(6)}));
  if (c.wants_out(1)) c.set_out(1, mask_index(c, c.in(0)));
  if (c.wants_out(2)) c.set_out(2, sum);
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> embed_layer_norm_imports() {
  static constexpr ImportRule kRules[] = {{"com.microsoft:EmbedLayerNormalization", import_embed_layer_norm}};
  return kRules;
}

}  // namespace pith
