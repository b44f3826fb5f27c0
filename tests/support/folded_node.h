// One ONNX node on constants: imported, its result is folded, so rules are tested without a file or a session.
//   FoldedNode f("LeakyRelu", 17);
//   f.input(tensor<float>({2}, {-1, 1})).real("alpha", 0.5f);
//   CHECK(f.run().message() == "");  CHECK(f.values<float>() == std::vector<float>{-0.5f, 1});
#pragma once
#include <onnx/onnx_pb.h>

#include "converter/import/onnx/onnx_importer.h"
#include "tests/support/op_runner.h"

namespace pith::test {

class FoldedNode {
 public:
  FoldedNode(const std::string& type, int opset, const std::string& domain = "") {
    model_.set_ir_version(8);
    auto* standard = model_.add_opset_import();
    standard->set_version(opset);
    if (!domain.empty()) {
      auto* other = model_.add_opset_import();
      other->set_domain(domain);
      other->set_version(1);
    }
    node_ = model_.mutable_graph()->add_node();
    node_->set_op_type(type);
    node_->set_domain(domain);
    node_->set_name("node");
    outputs(1);
  }

  FoldedNode& input(const TestTensor& t) {
    const std::string name = "x" + std::to_string(node_->input_size());
    node_->add_input(name);
    onnx::TensorProto* proto = model_.mutable_graph()->add_initializer();
    proto->set_name(name);
    proto->set_data_type(type_number(t.dtype));
    for (int64_t d : t.shape.dims()) proto->add_dims(d);
    proto->set_raw_data(std::string(t.bytes.begin(), t.bytes.end()));
    return *this;
  }
  FoldedNode& omitted() {
    node_->add_input("");
    return *this;
  }
  FoldedNode& outputs(int n) {
    node_->clear_output();
    model_.mutable_graph()->clear_output();
    for (int i = 0; i < n; ++i) {
      node_->add_output("y" + std::to_string(i));
      model_.mutable_graph()->add_output()->set_name("y" + std::to_string(i));
    }
    return *this;
  }
  FoldedNode& integer(const char* name, int64_t value) {
    onnx::AttributeProto* a = attribute(name, onnx::AttributeProto::INT);
    a->set_i(value);
    return *this;
  }
  FoldedNode& real(const char* name, float value) {
    onnx::AttributeProto* a = attribute(name, onnx::AttributeProto::FLOAT);
    a->set_f(value);
    return *this;
  }
  FoldedNode& text(const char* name, const std::string& value) {
    onnx::AttributeProto* a = attribute(name, onnx::AttributeProto::STRING);
    a->set_s(value);
    return *this;
  }
  FoldedNode& integers(const char* name, const std::vector<int64_t>& values) {
    onnx::AttributeProto* a = attribute(name, onnx::AttributeProto::INTS);
    for (int64_t v : values) a->add_ints(v);
    return *this;
  }

  Status run() {
    OnnxImporter importer(model_, "", {});
    Result<std::unique_ptr<ir::Graph>> graph = importer.run();
    if (!graph.is_ok()) return graph.status();
    graph_ = std::move(graph).value();
    return Status::ok();
  }
  const ir::Value& out(size_t i = 0) const { return *graph_->outputs[i].value; }
  template <class T>
  std::vector<T> values(size_t i = 0) const {
    if (!out(i).is_constant()) return {};
    const auto elements = out(i).elements<T>();
    return {elements.begin(), elements.end()};
  }

 private:
  static int type_number(DType t) {
    for (int n = 1; n < 32; ++n)
      if (Result<DType> r = onnx_dtype(n, ""); r.is_ok() && r.value() == t) return n;
    return 0;
  }
  onnx::AttributeProto* attribute(const char* name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto* a = node_->add_attribute();
    a->set_name(name);
    a->set_type(type);
    return a;
  }

  onnx::ModelProto model_;
  onnx::NodeProto* node_ = nullptr;
  std::unique_ptr<ir::Graph> graph_;
};

}  // namespace pith::test
