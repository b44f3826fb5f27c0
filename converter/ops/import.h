// How a source operator becomes IR nodes: an ImportRule per source type, in converter/ops/<stem>_import.cc,
// listed in import_list.inc. A rule reads its SourceNode through the context and emits IR nodes:
//
//   static Status import_softmax(ImportContext& c) {
//     schema::SoftmaxOptionsT o;
//     o.axis = static_cast<int>(c.attr_int("axis", c.opset() < 13 ? 1 : -1));
//     c.set_out(0, c.emit(o, {c.in(0)}));
//     return Status::ok();
//   }
//   std::span<const ImportRule> softmax_imports() { static constexpr ImportRule kRules[] = {{"Softmax",
//   import_softmax}}; return kRules; }
//
// emit() infers dtype and shape at once with the device's rule, folds constants at once (so shape arguments
// that are computed from constants or from known shapes are constants here), and widens f16/bf16 arithmetic
// to f32 with casts. After the first error emit() returns an empty value and the error is reported when the
// rule returns: no checks needed.
#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "converter/import/source.h"
#include "converter/ir/graph.h"

namespace pith {

class OnnxImporter;

class ImportContext {
 public:
  ImportContext(ir::Graph& graph, ir::Block& block, const SourceNode& node, OnnxImporter* importer)
      : graph_(graph),
        block_(block),
        node_(node),
        importer_(importer),
        outs_(node.output_names.size(), nullptr) {}

  const SourceNode& node() const { return node_; }
  int opset() const { return node_.opset; }
  ir::Graph& graph() { return graph_; }

  size_t in_count() const { return node_.inputs.size(); }
  bool has(size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != nullptr; }
  ir::Value* in(size_t i) const {
    return i < node_.inputs.size() ? node_.inputs[i] : nullptr;
  }  // null: omitted
  size_t out_count() const { return node_.output_names.size(); }
  bool wants_out(size_t i) const { return i < node_.output_names.size() && !node_.output_names[i].empty(); }
  void set_out(size_t i, ir::Value* value);

  bool has_attr(const char* name) const { return node_.attributes.count(name) != 0; }
  int64_t attr_int(const char* name, int64_t fallback) const;
  float attr_float(const char* name, float fallback) const;
  std::string attr_string(const char* name, const char* fallback) const;
  std::vector<int64_t> attr_ints(
      const char* name) const;  // empty when absent; a single integer counts as a list
  std::vector<float> attr_floats(const char* name) const;
  std::vector<std::string> attr_strings(const char* name) const;
  const SourceTensor* attr_tensor(const char* name) const;  // null when absent

  template <class OptionsT>
  ir::Value* emit(OptionsT options, std::vector<ir::Value*> inputs) {
    return emit_n(std::move(options), std::move(inputs), 1)[0];
  }
  template <class OptionsT>
  std::vector<ir::Value*> emit_n(OptionsT options, std::vector<ir::Value*> inputs, size_t outputs) {
    schema::OpUnion op;
    op.Set(std::move(options));
    return emit_op(std::move(op), std::move(inputs), outputs);
  }
  // Short forms of the commonest nodes.
  ir::Value* transpose(ir::Value* x, std::vector<uint32_t> perm);
  ir::Value* reshape(ir::Value* x, std::vector<int64_t> shape);  // 0 copies a dim, -1 derives one
  ir::Value* cast(ir::Value* x, DType to);
  ir::Value* unary(schema::UnaryKind kind, ir::Value* x, float alpha = 0, float beta = 0);
  ir::Value* binary(schema::BinaryKind kind, ir::Value* a, ir::Value* b);

  ir::Value* const_i64(std::vector<int64_t> values);   // rank 1
  ir::Value* const_scalar(DType dtype, double value);  // rank 0
  ir::Value* const_f32(const Shape& shape, std::vector<float> values);
  ir::Value* constant(const SourceTensor& tensor);
  // Values of a constant integer tensor; false when it is not constant.
  static bool const_ints(const ir::Value* v, std::vector<int64_t>* out);
  static bool const_floats(const ir::Value* v, std::vector<float>* out);  // f32, f16, f64, bf16

  // If: imports a nested graph attribute into a new block of `owner`; results become block->outputs.
  Status import_block(const char* attribute, ir::Node* owner);
  // If on a constant: imports the nested graph in place; its results.
  Result<std::vector<ir::Value*>> import_inline(const char* attribute);
  ir::Node* last_node() const {
    return last_node_;
  }  // the node of the latest emit, or null when it was folded
  ir::Block& block() { return block_; }

  // Errors, with the node's name added by the caller.
  Status unsupported(const std::string& reason, const std::string& suggestion = "");
  Status malformed(const std::string& reason);
  const std::string& suggestion() const { return suggestion_; }
  const Status& emit_status() const { return emit_status_; }
  const std::vector<ir::Value*>& outs() const { return outs_; }

  std::vector<ir::Value*> emit_op(schema::OpUnion op, std::vector<ir::Value*> inputs, size_t outputs);

 private:
  std::string next_name();
  ir::Graph& graph_;
  ir::Block& block_;
  const SourceNode& node_;
  OnnxImporter* importer_;
  std::vector<ir::Value*> outs_;
  ir::Node* last_node_ = nullptr;
  Status emit_status_;
  std::string suggestion_;
  int emitted_ = 0;
};

struct ImportRule {
  const char* type;  // "Conv", or "com.microsoft:FusedConv" for another domain
  Status (*run)(ImportContext&);
  size_t inputs = 1;  // the first so many are given, or the importer refuses the node before run
};
// The rule for a type ("domain:Type" outside the standard domain), or null.
const ImportRule* find_import(const std::string& type);
std::span<const ImportRule* const> all_imports();  // sorted by type; for docs and tests

}  // namespace pith
