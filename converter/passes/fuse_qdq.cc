// fuse_qdq: float operators between Dequantize and Quantize become integer operators.
//   before:  qx ─ DQ ─┐                              after:  qx ─┐
//            qw ─ DQ ─ Conv ─ Q ─ qy                         qw ─ Conv ─ qy        (integers throughout)
//            b (f32) ─┘                                      b (i32) ─┘
// The numbers of Quantize and Dequantize move into the tensors (Value::quant). Movement (Reshape, Transpose,
// Slice, MaxPool ...) runs on the codes; where grids differ, a table brings codes from one to the other. Fires only with
// constant scales; what does not match stays in float.
#include "converter/passes/integer_rules.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"
#include "converter/passes/permutation.h"

namespace pith {
namespace {

// Codes behind a Dequantize that reads its numbers from the tensor; null otherwise.
ir::Value* codes_of(const ir::Value* v) {
  const ir::Node* dq = v == nullptr ? nullptr : v->producer;
  if (dq == nullptr || !dq->is(schema::Op::DequantizeOptions) || dq->in(1) != nullptr) return nullptr;
  return dq->in(0);
}

// The only reader of v when it is a Quantize whose numbers are in its result.
ir::Node* only_quantize(const ir::Graph& graph, const ir::Value* v) {
  if (v == nullptr || graph.use_count(v) != 1 || v->readers.size() != 1) return nullptr;
  ir::Node* q = v->readers[0];
  return q->is(schema::Op::QuantizeOptions) && q->in(1) == nullptr ? q : nullptr;
}

// Several Quantize of one value with the same numbers are one.
void merge_quantizes(ir::Graph& graph, const ir::Value* v) {
  for (ir::Node* first : std::vector<ir::Node*>(v->readers)) {
    if (!graph.alive(first) || !first->is(schema::Op::QuantizeOptions) || first->in(1) != nullptr) continue;
    for (ir::Node* other : std::vector<ir::Node*>(v->readers)) {
      if (other == first || !graph.alive(other) || other->parent != first->parent ||
          other->in(1) != nullptr || !other->is(schema::Op::QuantizeOptions) ||
          other->out()->quant != first->out()->quant || other->out()->dtype != first->out()->dtype)
        continue;
      graph.replace_uses(other->out(), first->out());
      graph.erase(other);
    }
    return;
  }
}

// An integer twin of `node`: codes in place of dequantized inputs, result on the grid of `q`.
bool make_integer(ir::Graph& graph, ir::Node* node, ir::Node* q) {
  IntegerOperands operands;
  for (ir::Value* v : node->inputs) operands.push_back({v, codes_of(v)});
  const ir::Value* result = q->out();
  std::vector<ir::Value*> inputs;
  if (!integer_inputs(graph, node, operands, *result, &inputs)) return false;
  ir::Node* twin = graph.add_node(*node->parent, node, node->name, node->op, std::move(inputs));
  ir::Value* out = twin->out();
  out->dtype = result->dtype;
  out->shape = result->shape;
  out->quant = result->quant;
  out->name = result->name;
  graph.replace_uses(q->out(), out);
  graph.erase(q);
  if (graph.use_count(node->out()) == 0) graph.erase(node);
  return true;
}

// move(DQ(q)) -> DQ(move(q)): the codes move, whatever reads the results (Split has several).
bool move_codes(ir::Graph& graph, ir::Node* node) {
  ir::Value* codes = codes_of(node->in(0));
  if (codes == nullptr || !moves_codes(*node) || !codes->quant || !codes->quant->per_tensor() ||
      (node->outputs.size() != 1 && !node->is(schema::Op::SplitOptions)))
    return false;
  std::vector<ir::Value*> inputs = node->inputs;
  inputs[0] = codes;
  ir::Node* moved = graph.add_node(*node->parent, node, graph.unique_name(node->name), node->op,
                                   std::move(inputs), node->outputs.size());
  for (size_t i = 0; i < node->outputs.size(); ++i) {
    ir::Value* real = node->out(i);
    if (real == nullptr) {
      moved->out(i)->producer = nullptr;
      moved->outputs[i] = nullptr;
      continue;
    }
    moved->out(i)->dtype = codes->dtype;
    moved->out(i)->shape = real->shape;
    moved->out(i)->quant = codes->quant;
    ir::Node* dq = graph.insert_before(node, graph.unique_name(node->name + "/dequantize"),
                                       schema::DequantizeOptionsT{}, {moved->out(i)});
    dq->out()->dtype = real->dtype;
    dq->out()->shape = real->shape;
    graph.replace_uses(real, dq->out());
  }
  graph.erase(node);
  return true;
}

// Q(DQ(q)) on one grid is q, on two grids a table.
bool cancel(ir::Graph& graph, ir::Node* q) {
  ir::Value* codes = q->in(1) == nullptr ? codes_of(q->in(0)) : nullptr;
  if (codes == nullptr || codes->dtype != q->out()->dtype) return false;
  if (codes->quant != q->out()->quant) {
    if (!can_regrid(*codes, *q->out())) return false;
    codes = regridded(graph, q, codes, *q->out()->quant);
  }
  graph.replace_uses(q->out(), codes);
  graph.erase(q);
  return true;
}

}  // namespace

Status fuse_qdq(ir::Graph& graph, PassReport& report) {
  attach_quantization(graph);
  bool changed = true;
  while (
      changed) {  // moving codes exposes new pairs; every round removes a node or moves one towards an output
    changed = false;
    for (ir::Node* node : graph.in_order()) {
      if (!graph.alive(node) || node->out() == nullptr) continue;
      if (node->is(schema::Op::QuantizeOptions) && cancel(graph, node)) {
        report.fired(node->name);
        changed = true;
        continue;
      }
      if (node->is(schema::Op::QuantizeOptions) || node->is(schema::Op::DequantizeOptions)) continue;
      if (move_codes(graph, node)) {
        report.fired(node->name);
        changed = true;
        continue;
      }
      merge_quantizes(graph, node->out());
      ir::Node* q = only_quantize(graph, node->out());
      if (q == nullptr || q->parent != node->parent || !make_integer(graph, node, q)) continue;
      report.fired(node->name);
      changed = true;
    }
  }
  PassReport leftovers;
  return remove_dead_code(graph, leftovers);
}

}  // namespace pith
