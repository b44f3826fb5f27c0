// Names as converter/compress/units.cc gives them: what the source has, the operator's type otherwise, "~2" behind repeated ones.
#include "converter/inspect/model_nodes.h"

#include <set>

#include "converter/inspect/stored_weights.h"
#include "converter/quantize/level_table.h"

namespace pith::inspect {
namespace {

const TensorView* tensor_at(const Model& model, int32_t index) {
  return index < 0 ? nullptr : &model.tensors()[static_cast<size_t>(index)];
}

std::string table_name(const TensorView& w) {
  const quantize::LevelTable* table = quantize::known_table({w.codebook, 16});
  return table != nullptr ? table->name : "table";
}

std::string precision_of_weights(const ModelNode& node, const TensorView& w) {
  const std::string group = " g" + std::to_string(w.group);
  const bool on_codes = !node.inputs.empty() && node.inputs[0] != nullptr && !is_float(node.inputs[0]->dtype);
  switch (w.layout) {
    case Layout::i8c:
      return on_codes ? "int8" : "int8-dynamic";
    case Layout::i4s8:
    case Layout::i4f16:
    case Layout::i4a:
      return "int4" + group;
    case Layout::lut4:
    case Layout::lut4s8:
      return table_name(w) + group;
    case Layout::f16_panel:
      return "fp16";
    case Layout::row_major:
      break;
  }
  if (w.dtype == DType::f32) return "fp32";
  if (w.dtype == DType::f16) return "fp16";
  if (w.dtype == DType::i8) return on_codes ? "int8" : "int8-dynamic";
  return name_of(w.dtype);
}

}  // namespace

std::vector<size_t> ModelNode::weights() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != nullptr && inputs[i]->shape.rank() >= 2 && has_stored_weights(*inputs[i]))
      out.push_back(i);
  return out;
}

std::vector<ModelNode> nodes_of(const Model& model) {
  std::vector<ModelNode> out;
  std::set<std::string> taken;
  for (const schema::Block* block : *model.program().blocks()) {
    if (block->operators() == nullptr) continue;
    for (const schema::Operator* op : *block->operators()) {
      ModelNode node;
      const std::string type = schema::EnumNameOp(op->options_type());
      node.op = type.substr(0, type.rfind("Options"));
      node.name = op->name() == nullptr || op->name()->size() == 0 ? type : op->name()->str();
      const std::string base = node.name;
      for (int i = 2; !taken.insert(node.name).second; ++i) node.name = base + "~" + std::to_string(i);
      node.stored = op;
      if (op->inputs() != nullptr)
        for (const int32_t t : *op->inputs()) node.inputs.push_back(tensor_at(model, t));
      for (const int32_t t : *op->outputs()) node.outputs.push_back(tensor_at(model, t));
      out.push_back(std::move(node));
    }
  }
  return out;
}

const ModelNode* find_node(const std::vector<ModelNode>& nodes, const std::string& name) {
  for (const ModelNode& node : nodes)
    if (node.name == name) return &node;
  return nullptr;
}

std::string options_bytes(const schema::Operator& op) {
  schema::OpUnion options;
  options.type = op.options_type();
  options.value = schema::OpUnion::UnPack(op.options(), op.options_type(), nullptr);
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<void>(options.Pack(builder)));
  const auto* bytes = reinterpret_cast<const char*>(builder.GetBufferPointer());
  return std::string(schema::EnumNameOp(op.options_type())) + std::string(bytes, bytes + builder.GetSize());
}

std::string precision_of(const ModelNode& node) {
  const std::vector<size_t> weights = node.weights();
  if (!weights.empty()) return precision_of_weights(node, *node.inputs[weights.front()]);
  for (const auto& side : {node.inputs, node.outputs})
    if (!side.empty() && side[0] != nullptr) return name_of(side[0]->dtype);
  return "none";
}

std::map<std::string, std::string> metadata_of(const Model& model) {
  std::map<std::string, std::string> out;
  if (model.program().metadata() == nullptr) return out;
  for (const schema::KeyValue* pair : *model.program().metadata()) {
    const auto text = [](const flatbuffers::String* s) { return s == nullptr ? std::string() : s->str(); };
    out[text(pair->key())] = text(pair->value());
  }
  return out;
}

}  // namespace pith::inspect
