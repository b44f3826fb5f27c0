// Import of If: a constant condition chooses its branch now, any other one at run time.
#include "converter/ir/evaluate.h"
#include "converter/ops/import.h"

namespace pith {
namespace {

Status import_if(ImportContext& c) {
  ir::Value* condition = c.in(0);
  if (condition == nullptr || condition->dtype != DType::boolean)
    return c.malformed("the condition must be bool");
  if (condition->is_constant()) {
    if (condition->constant->size < 1) return c.malformed("the condition has no element");
    PITH_ASSIGN(const std::vector<ir::Value*> results,
                c.import_inline(condition->elements<uint8_t>()[0] != 0 ? "then_branch" : "else_branch"));
    for (size_t i = 0; i < results.size(); ++i) c.set_out(i, results[i]);
    return Status::ok();
  }
  schema::OpUnion op;
  op.Set(schema::IfOptionsT{});
  ir::Node* node =
      c.graph().add_node(c.block(), nullptr, c.node().name, std::move(op), {condition}, c.out_count());
  PITH_RETURN_IF_ERROR(c.import_block("then_branch", node));
  PITH_RETURN_IF_ERROR(c.import_block("else_branch", node));
  for (const auto& block : node->blocks)
    if (block->outputs.size() != c.out_count())
      return c.malformed("its branches give another number of results");
  PITH_RETURN_IF_ERROR(ir::infer_node(*node));
  for (size_t i = 0; i < c.out_count(); ++i) c.set_out(i, node->outputs[i]);
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> if_imports() {
  static constexpr ImportRule kRules[] = {{"If", import_if}};
  return kRules;
}

}  // namespace pith
