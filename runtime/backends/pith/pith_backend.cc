// Which function serves which operator, and what is checked for all of them.
#include "runtime/backends/pith/pith_backend.h"

#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/selected_ops.h"

namespace pith {
namespace {

using PrepareFn = Status (*)(const NodeView&, PrepareContext&);
struct Row {
  schema::Op op;
  PrepareFn prepare;
};
// One line per operator.
constexpr Row kRows[] = {
    {schema::Op::ConvOptions, take_conv},         {schema::Op::FullyConnectedOptions, own_fully_connected},
    {schema::Op::BinaryOptions, take_binary},     {schema::Op::UnaryOptions, take_unary},
    {schema::Op::QuantizeOptions, take_quantize}, {schema::Op::PoolOptions, take_pool},
    {schema::Op::ReduceOptions, take_reduce},     {schema::Op::ConvTransposeOptions, take_conv_transpose},
    {schema::Op::ResizeOptions, take_resize},
};
constexpr auto kTable = selected(kRows, &Row::prepare);

const Row* find_row(schema::Op op) {
  for (const Row& row : kTable)
    if (row.op == op && row.prepare != nullptr) return &row;
  return nullptr;
}

bool is_empty(const TensorView* t) { return t != nullptr && t->count() <= 0; }

}  // namespace

Status prepare_pith(const NodeView& node, PrepareContext& context) {
  const Row* row = find_row(node.op);
  if (row == nullptr) return leave("has no such operator");
  for (const TensorView* t : node.inputs)
    if (is_empty(t)) return leave("an input is empty");
  for (const TensorView* t : node.outputs)
    if (is_empty(t)) return leave("an output is empty");
  return row->prepare(node, context);
}

}  // namespace pith
