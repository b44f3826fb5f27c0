// Builds the device's NodeView from an IR node and calls the operator's own check, infer, prepare and run.
#include "converter/ir/evaluate.h"

#include <cstring>

#include "converter/ir/deferred.h"
#include "runtime/ops/infer_helpers.h"

namespace pith::ir {
namespace {

// Everything a NodeView points at.
struct DeviceNode {
  flatbuffers::FlatBufferBuilder builder{256};
  std::vector<TensorView> tensors;
  std::vector<TensorView*> inputs, outputs;
  NodeView view;
  const OpDef* def = nullptr;
};

// Rules of shapes read small constants only: large ones that are not in memory stay out of it.
constexpr size_t kLargestRuleInput = size_t{64} << 10;

TensorView view_of(const Value& v, bool with_data) {
  TensorView t;
  t.name = v.name.c_str();
  t.dtype = v.dtype;
  t.shape = v.shape;
  if (v.quant) t.quant = {v.quant->scales, v.quant->zero_points, v.quant->axis, v.quant->group};
  if (v.is_constant()) {
    const bool held = with_data || v.constant->deferred == nullptr || v.constant->size <= kLargestRuleInput;
    t.data = held ? const_cast<uint8_t*>(v.constant->get()) : nullptr;
    t.is_constant = t.has_value = true;
    t.layout = v.layout;
    t.group = v.group;
    t.codebook = v.codebook.empty() ? nullptr : v.codebook.data();
  }
  return t;
}

// A tensor used twice as input is viewed twice: check and infer do not mind.
Status make_device_node(const Node& node, bool with_data, DeviceNode* d) {
  d->def = find_op(node.op.type);
  if (d->def == nullptr)
    return Status(Code::unsupported, format("node '%s': %s is not in this build", node.name.c_str(),
                                            schema::EnumNameOp(node.op.type)));
  const flatbuffers::Offset<void> options = node.op.Pack(d->builder);
  d->builder.Finish(flatbuffers::Offset<flatbuffers::Table>(options.o));
  d->tensors.reserve(node.inputs.size() + node.outputs.size());
  auto add = [&](const Value* v) -> TensorView* {
    if (v == nullptr) return nullptr;
    d->tensors.push_back(view_of(*v, with_data));
    return &d->tensors.back();
  };
  for (const Value* v : node.inputs) d->inputs.push_back(add(v));
  for (const Value* v : node.outputs) d->outputs.push_back(add(v));
  d->view = {node.name.c_str(), node.op.type,
             flatbuffers::GetRoot<flatbuffers::Table>(d->builder.GetBufferPointer()), d->inputs, d->outputs};
  return Status::ok();
}

Shape common_shape(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return Shape::unknown_rank();
  Shape s = a;
  for (int i = 0; i < s.rank(); ++i)
    if (s[i] != b[i]) s[i] = kUnknownDim;
  return s;
}

Status infer_if(Node& node) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr) continue;
    const Value* a = node.blocks[0]->outputs[i];
    const Value* b = node.blocks[1]->outputs[i];
    if (a->dtype != b->dtype)
      return Status(Code::bad_file, format("If '%s': result %zu is %s in one branch and %s in the other",
                                           node.name.c_str(), i, name_of(a->dtype), name_of(b->dtype)));
    node.outputs[i]->dtype = a->dtype;
    node.outputs[i]->shape = common_shape(a->shape, b->shape);
    if (a->quant == b->quant) node.outputs[i]->quant = a->quant;
  }
  return Status::ok();
}

// The shape depends on a value we do not have. Where only its length matters, the rank is still known.
Shape shape_without_value(const Node& node) {
  const bool shaped = node.is(schema::Op::ReshapeOptions) || node.is(schema::Op::FillOptions);
  const Value* wanted = node.in(node.is(schema::Op::FillOptions) ? 0 : 1);
  if (shaped && wanted != nullptr && wanted->shape.is_known() && wanted->shape.rank() == 1 &&
      wanted->shape[0] <= kMaxRank)
    return Shape::of_rank(static_cast<int>(wanted->shape[0]));
  const bool keeps_rank = node.is(schema::Op::SliceOptions) || node.is(schema::Op::PadOptions) ||
                          node.is(schema::Op::TileOptions) || node.is(schema::Op::ResizeOptions) ||
                          node.is(schema::Op::TopKOptions) || node.is(schema::Op::SplitOptions);
  if (keeps_rank && node.in(0)->shape.has_rank()) return Shape::of_rank(node.in(0)->shape.rank());
  return Shape::unknown_rank();
}

}  // namespace

Status infer_node(Node& node) {
  if (node.is(schema::Op::IfOptions)) return infer_if(node);
  DeviceNode d;
  PITH_RETURN_IF_ERROR(make_device_node(node, false, &d));
  if (d.def->check != nullptr) PITH_RETURN_IF_ERROR(d.def->check(d.view));
  bool ranks = true;
  for (const Value* v : node.inputs) ranks = ranks && (v == nullptr || v->shape.has_rank());
  Status s;
  // These two know the rank of their result from something else.
  if (ranks || node.is(schema::Op::ReshapeOptions) || node.is(schema::Op::TransposeOptions)) {
    s = d.def->infer(d.view);
  } else {  // dtypes do not depend on shapes: infer with a scalar in place of what is unknown, keep only the
            // dtypes
    for (TensorView& t : d.tensors)
      if (!t.shape.has_rank()) t.shape = Shape{};
    (void)d.def->infer(d.view).is_ok();
    s = Status(Code::needs_value, "");
  }
  if (!s.is_ok() && s.code() != Code::needs_value) return s;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr) continue;
    node.outputs[i]->dtype = d.outputs[i]->dtype;
    node.outputs[i]->shape = s.is_ok() ? d.outputs[i]->shape : shape_without_value(node);
  }
  return Status::ok();
}

bool can_evaluate(const Node& node, size_t max_bytes) {
  const OpDef* def = find_op(node.op.type);
  if (def == nullptr || (def->flags & kRemembers) != 0) return false;
  const bool shape_only = (def->flags & kShapeOnly) != 0;
  for (const Value* v : node.inputs) {
    if (v == nullptr) continue;
    if (shape_only ? !v->shape.is_known() : !v->is_constant()) return false;
  }
  uint64_t total = 0;
  for (const Value* v : node.outputs) {
    if (v == nullptr) continue;
    const int64_t count = v->shape.is_known() ? v->shape.count() : -1;
    if (count < 0 || static_cast<uint64_t>(count) > max_bytes) return false;
    total += static_cast<uint64_t>(count) * bits_of(v->dtype) / 8;
  }
  return total <= max_bytes;
}

Result<std::vector<Bytes>> evaluate_node(Node& node) {
  DeviceNode d;
  PITH_RETURN_IF_ERROR(make_device_node(node, true, &d));
  PITH_RETURN_IF_ERROR(d.def->infer(d.view));
  std::vector<Bytes> results(node.outputs.size());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (d.outputs[i] == nullptr) continue;
    uint8_t* p = nullptr;
    results[i] = new_bytes(d.outputs[i]->byte_size(), &p);
    d.outputs[i]->data = p;
  }
  Kernel kernel;
  kernel.run = d.def->run;
  std::unique_ptr<NodeState> state;
  PrepareContext prepare(&kernel, &state, nullptr);
  if (d.def->prepare != nullptr) PITH_RETURN_IF_ERROR(d.def->prepare(d.view, prepare));
  uint8_t* scratch = nullptr;
  const Bytes scratch_bytes = new_bytes(kernel.scratch_bytes, &scratch);
  if (kernel.bind != nullptr) PITH_RETURN_IF_ERROR(kernel.bind(d.view, state.get(), scratch, nullptr));
  RunContext run;
  run.scratch = scratch;
  run.state = state.get();
  kernel.run(d.view, run);
  return results;
}

namespace {
bool is_streamed_transpose(const Node& node) {
  const auto* o = node.as<schema::TransposeOptionsT>();
  const Value* x = node.in(0);
  return o != nullptr && x != nullptr && x->is_constant() && x->constant->streamed() &&
         x->shape.rank() == 2 && o->perm == std::vector<uint32_t>{1, 0} && bits_of(x->dtype) >= 8 &&
         node.out()->shape.rank() == 2;
}
}  // namespace

bool can_fold(const Node& node) { return is_streamed_transpose(node) || can_evaluate(node, kMaxFoldedBytes); }

// What only moves numbers: the constant is still the one that the source named.
static bool keeps_name(const Node& node) {
  return node.is(schema::Op::TransposeOptions) || node.is(schema::Op::ReshapeOptions);
}

Result<bool> fold_node(Graph& graph, Node* node) {
  if (!can_fold(*node)) return false;
  std::vector<Bytes> results;
  if (is_streamed_transpose(*node)) {
    const Value& x = *node->in(0);
    results.push_back(deferred_transpose(*x.constant, static_cast<size_t>(x.shape[0]),
                                         static_cast<size_t>(x.shape[1]), bits_of(x.dtype) / 8));
  } else {
    PITH_ASSIGN(results, evaluate_node(*node));
  }
  const std::vector<Value*> outputs = node->outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == nullptr) continue;
    outputs[i]->constant = std::move(results[i]);
  }
  if (keeps_name(*node)) outputs[0]->name = node->in(0)->name;
  graph.erase(node);
  return true;
}

}  // namespace pith::ir
