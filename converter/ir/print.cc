// Text form of a graph, for --dump-ir and messages.

#include "converter/ir/verify.h"

namespace pith::ir {
namespace {

std::string type_text(const Value& v) { return std::string(name_of(v.dtype)) + v.shape.text(); }

std::string quant_text(const Value& v) {
  if (!v.quant) return "";
  if (!v.quant->per_tensor()) return format(" q(%zu scales, axis %d)", v.quant->scales.size(), v.quant->axis);
  return format(" q(%g, %d)", static_cast<double>(v.quant->scales[0]), v.quant->zero_points[0]);
}

std::string op_name(const Node& node) {
  const std::string name = schema::EnumNameOp(node.op.type);
  return name.substr(0, name.rfind("Options"));
}

void print_block(const Block& block, const std::string& indent, std::string* out) {
  for (const auto& node : block.nodes) {
    *out += indent;
    for (size_t i = 0; i < node->outputs.size(); ++i) {
      const Value* v = node->outputs[i];
      *out += (i > 0 ? ", " : "") +
              (v == nullptr ? std::string("_") : "%" + v->name + ": " + type_text(*v) + quant_text(*v));
    }
    *out += " = " + op_name(*node) + "(";
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const Value* v = node->inputs[i];
      *out += i > 0 ? ", " : "";
      *out += v == nullptr
                  ? "_"
                  : (v->is_constant() ? "const " + type_text(*v) + quant_text(*v) + " " : "") + "%" + v->name;
    }
    *out += ")";
    if (node->name != node->outputs[0]->name) *out += "  # " + node->name;
    *out += "\n";
    for (size_t b = 0; b < node->blocks.size(); ++b) {
      *out += indent + (b == 0 ? "  then:\n" : "  else:\n");
      print_block(*node->blocks[b], indent + "    ", out);
      for (const Value* v : node->blocks[b]->outputs) *out += indent + "    -> %" + v->name + "\n";
    }
  }
}

}  // namespace

std::string print(const Graph& graph) {
  std::string out = "graph " + graph.name + "(";
  for (const Value* v : graph.inputs)
    out += (v == graph.inputs[0] ? "%" : ", %") + v->name + ": " + type_text(*v);
  out += ")\n";
  print_block(graph.main, "  ", &out);
  for (const Output& o : graph.outputs)
    out += "  -> " + o.name + " = %" + o.value->name + ": " + type_text(*o.value) + "\n";
  return out;
}

}  // namespace pith::ir
