// Walks an ONNX graph: names to values, nodes to import rules, problems to diagnostics.
#include "converter/import/onnx/onnx_importer.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <climits>

#include "converter/ops/import.h"
#include "runtime/port/mapping.h"

namespace pith {
namespace {

constexpr int kMaxOpset = 28;  // newest default-domain opset whose semantics the rules know
constexpr int kMaxDepth = 32;  // nested graphs and functions
constexpr size_t kMaxNodes = size_t{1} << 20;

std::string normal_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }
std::string full_type(const std::string& domain, const std::string& type) {
  return domain.empty() ? type : domain + ":" + type;
}

}  // namespace

OnnxImporter::OnnxImporter(const onnx::ModelProto& model, std::string folder, ImportOptions options)
    : model_(model), folder_(std::move(folder)), options_(std::move(options)), graph_(new ir::Graph) {}
OnnxImporter::~OnnxImporter() = default;

int OnnxImporter::opset_of(const std::string& domain) const {
  const auto at = opsets_.find(domain);
  return at == opsets_.end() ? 1 : at->second;
}

ir::Value* OnnxImporter::find(const std::string& name) const {
  for (size_t i = scopes_.size(); i-- > 0;)
    if (const auto at = scopes_[i].find(name); at != scopes_[i].end()) return at->second;
  return nullptr;
}

void OnnxImporter::problem(Code code, const SourceNode& node, const std::string& reason,
                           const std::string& suggestion) {
  Problem p;
  p.code = code;
  p.node = node.name.empty() && !node.output_names.empty() ? node.output_names[0] : node.name;
  p.op =
      node.type.empty() ? "" : full_type(node.domain, node.type) + " of opset " + std::to_string(node.opset);
  for (const ir::Value* v : node.inputs)
    if (v != nullptr)
      p.shapes += (p.shapes.empty() ? "" : " ") + std::string(name_of(v->dtype)) + v->shape.text();
  p.reason = reason;
  p.suggestion = suggestion;
  diagnostics_.add(std::move(p));
}

void OnnxImporter::read_opsets() {
  for (const auto& entry : model_.opset_import()) {
    const std::string domain = normal_domain(entry.domain());
    const int64_t version = entry.version();
    opsets_[domain] = static_cast<int>(version < 1 ? 1 : version > 10000 ? 10000 : version);
    if (domain.empty() && version > kMaxOpset)
      diagnostics_.add({Code::unsupported, "", "", "",
                        "the model uses opset " + std::to_string(version) + "; the newest known is " +
                            std::to_string(kMaxOpset),
                        "export it with an older opset"});
  }
}

void OnnxImporter::add_initializers(const onnx::GraphProto& graph) {
  for (const onnx::TensorProto& proto : graph.initializer()) {
    Result<SourceTensor> tensor = read_onnx_tensor(proto, folder_, files_);
    ir::Value* value = nullptr;
    if (tensor.is_ok()) {
      value = graph_->add_constant(proto.name(), tensor.value().dtype, tensor.value().shape,
                                   tensor.value().bytes);
    } else {
      diagnostics_.add({tensor.status().code(), "", "", "", tensor.status().message(), ""});
      value = graph_->add_value(proto.name());
      poisoned_.insert(value);
    }
    if (!scopes_.back().emplace(proto.name(), value).second)
      diagnostics_.add({Code::bad_file, "", "", "", "initializer '" + proto.name() + "' exists twice", ""});
  }
  if (graph.sparse_initializer_size() > 0)
    diagnostics_.add(
        {Code::unsupported, "", "", "", "the model has sparse initializers", "store them densely"});
}

// Import rules multiply dims by strides, blocks and groups.
constexpr int64_t kMaxInputDim = INT32_MAX;

void OnnxImporter::add_input(const onnx::ValueInfoProto& info) {
  ir::Value* value = graph_->add_value(info.name());
  scopes_.back()[info.name()] = value;
  graph_->inputs.push_back(value);
  if (!info.type().has_tensor_type()) {
    diagnostics_.add(
        {Code::unsupported, "", "", "", "input '" + info.name() + "' is not a dense tensor", ""});
    poisoned_.insert(value);
    return;
  }
  const auto& type = info.type().tensor_type();
  Result<DType> dtype = onnx_dtype(type.elem_type(), "input '" + info.name() + "'");
  if (!dtype.is_ok()) {
    diagnostics_.add({dtype.status().code(), "", "", "", dtype.status().message(), ""});
    poisoned_.insert(value);
    return;
  }
  value->dtype = dtype.value();
  if (type.has_shape() && type.shape().dim_size() <= kMaxRank) {
    value->shape = Shape{};
    for (const auto& dim : type.shape().dim()) {
      value->shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : kUnknownDim);
      value->dim_names.push_back(dim.has_dim_param() ? dim.dim_param() : "");
    }
  } else if (type.has_shape()) {
    diagnostics_.add({Code::unsupported, "", "", "", "input '" + info.name() + "' has more than 8 dims", ""});
  }
  if (std::any_of(value->shape.dims().begin(), value->shape.dims().end(),
                  [](int64_t d) { return d > kMaxInputDim; })) {
    diagnostics_.add(
        {Code::unsupported, "", "", "",
         "input '" + info.name() + "' has shape " + value->shape.text() + "; a dim is at most 2^31 - 1", ""});
    poisoned_.insert(value);
  }
  const auto fixed = options_.input_shapes.find(info.name());
  if (fixed == options_.input_shapes.end()) return;
  bool fits = !value->shape.has_rank() || value->shape.rank() == fixed->second.rank();
  for (int d = 0; fits && value->shape.has_rank() && d < value->shape.rank(); ++d)
    fits = value->shape[d] < 0 || value->shape[d] == fixed->second[d];
  if (!fits)
    diagnostics_.add({Code::bad_file, "", "", "",
                      "--shape " + info.name() + "=" + fixed->second.text() +
                          " does not fit the declared shape " + value->shape.text(),
                      ""});
  value->shape = fixed->second;
}

void OnnxImporter::add_inputs(const onnx::GraphProto& graph) {
  for (const onnx::ValueInfoProto& info : graph.input())
    if (scopes_.back().find(info.name()) == scopes_.back().end()) add_input(info);
  for (const auto& [name, shape] : options_.input_shapes) {
    bool known = false;
    for (const ir::Value* v : graph_->inputs) known = known || v->name == name;
    if (!known)
      diagnostics_.add(
          {Code::bad_file, "", "", "", "--shape names '" + name + "', which is not an input", ""});
  }
}

Result<std::unique_ptr<ir::Graph>> OnnxImporter::run() {
  const onnx::GraphProto& proto = model_.graph();
  graph_->name = proto.name();
  read_opsets();
  scopes_.emplace_back();
  add_initializers(proto);
  add_inputs(proto);
  if (static_cast<size_t>(proto.node_size()) > kMaxNodes)
    return Status(Code::unsupported, format("the model has %d nodes", proto.node_size()));
  for (const onnx::NodeProto& node : proto.node()) import_node(node, graph_->main, nullptr);
  if (proto.output_size() == 0)
    diagnostics_.add({Code::bad_file, "", "", "", "the model has no outputs", ""});
  for (const onnx::ValueInfoProto& info : proto.output()) {
    ir::Value* value = find(info.name());
    if (value == nullptr)
      diagnostics_.add({Code::bad_file, "", "", "", "output '" + info.name() + "' is made by nothing", ""});
    else
      graph_->outputs.push_back({info.name(), value});
  }
  PITH_RETURN_IF_ERROR(diagnostics_.status());
  return std::move(graph_);
}

Result<std::vector<ir::Value*>> OnnxImporter::import_nested(const SourceGraph& nested, ir::Block& block) {
  if (depth_ >= kMaxDepth) return Status(Code::unsupported, "graphs are nested too deeply");
  ++depth_;
  scopes_.emplace_back();
  add_initializers(*nested.proto);
  for (const onnx::NodeProto& node : nested.proto->node()) import_node(node, block, nullptr);
  std::vector<ir::Value*> results;
  Status status;
  for (const onnx::ValueInfoProto& info : nested.proto->output()) {
    ir::Value* value = find(info.name());
    if (value == nullptr)
      status = Status(Code::bad_file, "result '" + info.name() + "' of a branch is made by nothing");
    results.push_back(value);
  }
  scopes_.pop_back();
  --depth_;
  PITH_RETURN_IF_ERROR(status);
  return results;
}

Status OnnxImporter::read_attributes(const onnx::NodeProto& proto, const Attributes* arguments,
                                     SourceNode* node) {
  using Kind = SourceAttribute::Kind;
  for (const onnx::AttributeProto& a : proto.attribute()) {
    SourceAttribute out;
    if (!a.ref_attr_name().empty()) {  // inside a function: the caller's attribute of that name, or nothing
      if (arguments == nullptr)
        return Status(Code::bad_file, "attribute '" + a.name() + "' refers to a function's");
      if (const auto at = arguments->find(a.ref_attr_name()); at != arguments->end())
        node->attributes[a.name()] = at->second;
      continue;
    }
    switch (a.type()) {
      case onnx::AttributeProto::INT:
        out.kind = Kind::integer, out.integer = a.i();
        break;
      case onnx::AttributeProto::FLOAT:
        out.kind = Kind::real, out.real = a.f();
        break;
      case onnx::AttributeProto::STRING:
        out.kind = Kind::text, out.text = a.s();
        break;
      case onnx::AttributeProto::INTS:
        out.kind = Kind::integers, out.integers.assign(a.ints().begin(), a.ints().end());
        break;
      case onnx::AttributeProto::FLOATS:
        out.kind = Kind::reals, out.reals.assign(a.floats().begin(), a.floats().end());
        break;
      case onnx::AttributeProto::STRINGS:
        out.kind = Kind::texts, out.texts.assign(a.strings().begin(), a.strings().end());
        break;
      case onnx::AttributeProto::TENSOR: {
        out.kind = Kind::tensor;
        PITH_ASSIGN(out.tensor, read_onnx_tensor(a.t(), folder_, files_));
        break;
      }
      case onnx::AttributeProto::GRAPH: {
        out.kind = Kind::graph;
        auto graph = std::make_shared<SourceGraph>();
        graph->proto = &a.g();
        out.graph = std::move(graph);
        break;
      }
      default:
        out.kind = Kind::other;
        break;
    }
    node->attributes[a.name()] = std::move(out);
  }
  return Status::ok();
}

bool OnnxImporter::read_node(const onnx::NodeProto& proto, const Attributes* arguments, SourceNode* node) {
  node->name = proto.name().empty() && proto.output_size() > 0 ? proto.output(0) : proto.name();
  node->type = proto.op_type();
  node->domain = normal_domain(proto.domain());
  node->opset = opset_of(node->domain);
  node->output_names.assign(proto.output().begin(), proto.output().end());
  bool usable = true;
  for (const std::string& name : proto.input()) {
    ir::Value* value = name.empty() ? nullptr : find(name);
    if (!name.empty() && value == nullptr) {
      problem(Code::bad_file, *node,
              "its input '" + name + "' is made by nothing before it (missing, or the graph has a cycle)");
      usable = false;
    }
    if (value != nullptr && poisoned_.count(value) != 0) usable = false;
    node->inputs.push_back(value);
  }
  while (!node->inputs.empty() && node->inputs.back() == nullptr) node->inputs.pop_back();
  if (Status s = read_attributes(proto, arguments, node); !s.is_ok()) {
    problem(s.code(), *node, s.message());
    usable = false;
  }
  return usable;
}

void OnnxImporter::poison_outputs(const SourceNode& node) {
  for (const std::string& name : node.output_names) {
    if (name.empty()) continue;
    ir::Value* value = graph_->add_value(name);
    poisoned_.insert(value);
    scopes_.back()[name] = value;
  }
}

void OnnxImporter::bind_outputs(const SourceNode& node, const std::vector<ir::Value*>& outs) {
  for (size_t i = 0; i < node.output_names.size(); ++i) {
    const std::string& name = node.output_names[i];
    if (name.empty()) continue;
    if (scopes_.back().count(name) != 0) {
      problem(Code::bad_file, node, "its output '" + name + "' exists already");
      continue;
    }
    ir::Value* value = i < outs.size() ? outs[i] : nullptr;
    if (value == nullptr) {
      problem(Code::unsupported, node, "output " + std::to_string(i) + " ('" + name + "') is not supported");
      value = graph_->add_value(name);
      poisoned_.insert(value);
    } else if (value->producer != nullptr && value->producer->name != value->name) {
      // keeps the first source name a value was given
    } else if (value->producer != nullptr) {
      value->name = name;
    }
    scopes_.back()[name] = value;
  }
}

void OnnxImporter::import_node(const onnx::NodeProto& proto, ir::Block& block, const Attributes* arguments) {
  SourceNode node;
  const bool usable = read_node(proto, arguments, &node);
  for (const onnx::FunctionProto& f : model_.functions())
    if (f.name() == node.type && normal_domain(f.domain()) == node.domain) {
      if (usable) return import_function(f, node, block);
      return poison_outputs(node);
    }
  const ImportRule* rule = find_import(full_type(node.domain, node.type));
  if (rule == nullptr) {
    problem(Code::unsupported, node, "operator " + full_type(node.domain, node.type) + " is not supported",
            "see docs/operators.md for what is, or replace it in the source model");
    return poison_outputs(node);
  }
  if (!usable) return poison_outputs(node);
  for (size_t i = 0; i < rule->inputs; ++i)
    if (i >= node.inputs.size() || node.inputs[i] == nullptr) {
      problem(Code::bad_file, node,
              format("input %zu is missing; the operator needs the first %zu", i, rule->inputs));
      return poison_outputs(node);
    }
  ImportContext context(*graph_, block, node, this);
  Status s = rule->run(context);
  if (s.is_ok() || (!context.emit_status().is_ok() && s.code() != Code::unsupported)) {
    if (!context.emit_status().is_ok()) s = context.emit_status();
  }
  if (!s.is_ok()) {
    problem(s.code() == Code::unsupported ? Code::unsupported
            : s.code() == Code::internal  ? s.code()
                                          : Code::bad_file,
            node, s.message(), context.suggestion());
    return poison_outputs(node);
  }
  bind_outputs(node, context.outs());
}

// A model-local function is inlined: its own scope, its formal names bound to the caller's values.
void OnnxImporter::import_function(const onnx::FunctionProto& function, const SourceNode& node,
                                   ir::Block& block) {
  if (depth_ >= kMaxDepth) {
    problem(Code::unsupported, node, "functions are nested too deeply");
    return poison_outputs(node);
  }
  ++depth_;
  const std::map<std::string, int> outer_opsets = opsets_;
  for (const auto& entry : function.opset_import())
    opsets_[normal_domain(entry.domain())] = static_cast<int>(entry.version());
  std::vector<Scope> outer;
  outer.swap(scopes_);
  scopes_.emplace_back();
  for (int i = 0; i < function.input_size(); ++i)
    if (static_cast<size_t>(i) < node.inputs.size() && node.inputs[static_cast<size_t>(i)] != nullptr)
      scopes_.back()[function.input(i)] = node.inputs[static_cast<size_t>(i)];
  for (const onnx::NodeProto& inner : function.node()) import_node(inner, block, &node.attributes);
  std::vector<ir::Value*> outs;
  for (const std::string& name : function.output()) outs.push_back(find(name));
  scopes_ = std::move(outer);
  opsets_ = outer_opsets;
  --depth_;
  bind_outputs(node, outs);
}

Result<std::unique_ptr<ir::Graph>> import_onnx(const std::string& path, const ImportOptions& options) {
  PITH_ASSIGN(std::unique_ptr<Mapping> mapping, Mapping::open(path.c_str()));
  onnx::ModelProto model;
  if (mapping->size() > INT_MAX)
    return Status(Code::unsupported,
                  "'" + path + "' is larger than 2 GiB: store the weights as external data");
  if (!model.ParseFromArray(mapping->data(), static_cast<int>(mapping->size())) || !model.has_graph())
    return Status(Code::bad_file,
                  "'" + path + "' is not an ONNX model (or it is truncated): check where it came from");
  const size_t slash = path.rfind('/');
  OnnxImporter importer(model,
                        slash == std::string::npos ? "."
                        : slash == 0               ? "/"
                                                   : path.substr(0, slash),
                        options);
  Result<std::unique_ptr<ir::Graph>> graph = importer.run();
  if (!graph.is_ok()) {
    Status s = graph.status();
    return std::move(s).with_context("'" + path + "': ");
  }
  return graph;
}

}  // namespace pith
