// ONNX -> ir::Graph. Knows the container (protobuf, external data, opsets, functions, nested graphs), no
// operators.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "converter/import/diagnostics.h"
#include "converter/import/source.h"
#include "converter/ir/graph.h"
#include "runtime/port/mapping.h"

namespace onnx {
class ModelProto;
class GraphProto;
class NodeProto;
class TensorProto;
class ValueInfoProto;
class FunctionProto;
}  // namespace onnx

namespace pith {

struct SourceGraph {
  const onnx::GraphProto* proto = nullptr;
};

struct ImportOptions {
  std::map<std::string, Shape> input_shapes;  // --shape NAME=1,3,224,224
};

// Reads and imports an .onnx file. Every problem of the model is in the returned status.
Result<std::unique_ptr<ir::Graph>> import_onnx(const std::string& path, const ImportOptions& options);
// Parses a stand-alone TensorProto file (test data of the ONNX backend tests).
Result<SourceTensor> read_onnx_tensor_file(const std::string& path);

// Files of external data, each mapped once; tensors are views into them.
class DataFiles {
 public:
  Result<std::shared_ptr<const Mapping>> open(const std::string& path);

 private:
  std::map<std::string, std::shared_ptr<const Mapping>> files_;
};

// TensorProto -> SourceTensor; `folder` resolves external data ("" refuses it).
Result<SourceTensor> read_onnx_tensor(const onnx::TensorProto& proto, const std::string& folder,
                                      DataFiles& files);
Result<DType> onnx_dtype(int data_type, const std::string& what);

class OnnxImporter {
 public:
  OnnxImporter(const onnx::ModelProto& model, std::string folder, ImportOptions options);
  ~OnnxImporter();
  Result<std::unique_ptr<ir::Graph>> run();
  // The nodes of a nested graph into `block`; its results.
  Result<std::vector<ir::Value*>> import_nested(const SourceGraph& nested, ir::Block& block);

 private:
  using Scope = std::map<std::string, ir::Value*>;
  using Attributes = std::map<std::string, SourceAttribute>;

  void read_opsets();
  void add_initializers(const onnx::GraphProto& graph);
  void add_inputs(const onnx::GraphProto& graph);
  void add_input(const onnx::ValueInfoProto& info);
  void import_node(const onnx::NodeProto& proto, ir::Block& block, const Attributes* arguments);
  void import_function(const onnx::FunctionProto& function, const SourceNode& node, ir::Block& block);
  bool read_node(const onnx::NodeProto& proto, const Attributes* arguments, SourceNode* node);
  Status read_attributes(const onnx::NodeProto& proto, const Attributes* arguments, SourceNode* node);
  void bind_outputs(const SourceNode& node, const std::vector<ir::Value*>& outs);
  void poison_outputs(const SourceNode& node);
  ir::Value* find(const std::string& name) const;
  void problem(Code code, const SourceNode& node, const std::string& reason,
               const std::string& suggestion = "");
  int opset_of(const std::string& domain) const;

  const onnx::ModelProto& model_;
  std::string folder_;
  ImportOptions options_;
  DataFiles files_;
  std::unique_ptr<ir::Graph> graph_;
  std::map<std::string, int> opsets_;
  std::vector<Scope> scopes_;
  std::set<const ir::Value*> poisoned_;  // results of nodes that could not be imported
  Diagnostics diagnostics_;
  int depth_ = 0;  // of nested graphs and functions
};

}  // namespace pith
