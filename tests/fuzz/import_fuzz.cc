// Fuzz target: any bytes as an .onnx model: import, passes, emission and, for what was emitted, opening. Never a crash;
// a refusal always says something. The mutator changes the model's meaning (operators, attributes, dims, edges), which
// changed bytes seldom do.
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "converter/compile/load_model.h"
#include "converter/import/onnx/onnx_importer.h"
#include "converter/passes/pass.h"

using namespace pith;

namespace {

constexpr size_t kMaxInput = size_t{1} << 20;

void require_message(const Status& status) {
  if (status.message().empty()) std::abort();
}

void import_bytes(const uint8_t* data, size_t size) {
  onnx::ModelProto model;
  if (!model.ParseFromArray(data, static_cast<int>(size))) return;
  OnnxImporter importer(model, "", {});
  const auto graph = importer.run();
  if (!graph.is_ok()) return require_message(graph.status());
  if (const Status passed = run_passes(*graph.value(), {}); !passed.is_ok()) return require_message(passed);
  const auto loaded = compile_in_memory(*graph.value());
  if (!loaded.is_ok()) require_message(loaded.status());
}

using Random = std::mt19937;

template <class List>
int any_of(const List& list, Random& random) {
  return static_cast<int>(random() % static_cast<uint32_t>(list.size()));
}

int64_t odd_number(Random& random) {
  constexpr int64_t kOdd[] = {0,
                              1,
                              -1,
                              2,
                              3,
                              -2,
                              7,
                              64,
                              -100,
                              255,
                              256,
                              65536,
                              INT32_MAX,
                              INT32_MIN,
                              INT64_MAX,
                              INT64_MIN,
                              int64_t{1} << 33};
  return kOdd[random() % std::size(kOdd)];
}

void mutate_attribute(onnx::AttributeProto* a, Random& random) {
  if (a->ints_size() > 0 && random() % 4 != 0) {
    if (random() % 4 == 0)
      a->add_ints(odd_number(random));
    else
      a->set_ints(any_of(a->ints(), random), odd_number(random));
  } else if (a->type() == onnx::AttributeProto::INT) {
    a->set_i(odd_number(random));
  } else if (a->type() == onnx::AttributeProto::FLOAT) {
    a->set_f(static_cast<float>(odd_number(random)));
  } else if (a->type() == onnx::AttributeProto::STRING) {
    a->set_s(random() % 2 == 0 ? "" : "SAME_UPPER");
  } else {
    a->set_type(static_cast<onnx::AttributeProto::AttributeType>(random() % 12));
  }
}

void mutate_tensor(onnx::TensorProto* t, Random& random) {
  switch (random() % 5) {
    case 0:
      t->add_dims(odd_number(random));
      break;
    case 1:
      if (t->dims_size() > 0) t->set_dims(any_of(t->dims(), random), odd_number(random));
      break;
    case 2:
      t->set_data_type(static_cast<int>(random() % 18));
      break;
    case 3:
      if (t->int64_data_size() > 0) t->set_int64_data(any_of(t->int64_data(), random), odd_number(random));
      [[fallthrough]];
    default:
      if (std::string* raw = t->mutable_raw_data(); raw->size() >= 8) {
        const int64_t value = odd_number(random);
        std::memcpy(raw->data() + random() % (raw->size() / 8) * 8, &value, sizeof value);
      }
  }
}

void mutate_node(onnx::GraphProto* graph, onnx::NodeProto* node, Random& random) {
  const onnx::NodeProto other = graph->node(any_of(graph->node(), random));
  switch (random() % 6) {
    case 0:
      node->set_op_type(other.op_type());
      break;
    case 1:
      if (node->input_size() > 0 && other.output_size() > 0)
        node->set_input(any_of(node->input(), random), other.output(any_of(other.output(), random)));
      break;
    case 2:
      if (node->input_size() > 0) node->mutable_input()->RemoveLast();
      break;
    case 3:
      node->add_input(other.input_size() > 0 ? other.input(0) : "");
      break;
    case 4:
      if (other.attribute_size() > 0)
        *node->add_attribute() = other.attribute(any_of(other.attribute(), random));
      break;
    default:
      if (node->attribute_size() > 0) {
        onnx::AttributeProto* a = node->mutable_attribute(any_of(node->attribute(), random));
        a->has_t() ? mutate_tensor(a->mutable_t(), random) : mutate_attribute(a, random);
      }
  }
}

void mutate_input(onnx::GraphProto* graph, Random& random) {
  onnx::ValueInfoProto* info = graph->mutable_input(any_of(graph->input(), random));
  onnx::TypeProto::Tensor* type = info->mutable_type()->mutable_tensor_type();
  if (random() % 3 == 0)
    type->set_elem_type(static_cast<int>(random() % 18));
  else if (type->shape().dim_size() > 0 && random() % 3 != 0)
    type->mutable_shape()
        ->mutable_dim(any_of(type->shape().dim(), random))
        ->set_dim_value(odd_number(random));
  else
    type->mutable_shape()->add_dim()->set_dim_value(odd_number(random));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= kMaxInput) import_bytes(data, size);
  return 0;
}

// The new size, or 0 when the bytes are no model (the driver then changes bytes).
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  onnx::ModelProto model;
  if (!model.ParseFromArray(data, static_cast<int>(size)) || model.graph().node_size() == 0) return 0;
  onnx::GraphProto* graph = model.mutable_graph();
  for (uint32_t n = 1 + random() % 3; n > 0; --n) {
    const uint32_t what = random() % 8;
    if (what < 4)
      mutate_node(graph, graph->mutable_node(any_of(graph->node(), random)), random);
    else if (what < 6 && graph->initializer_size() > 0)
      mutate_tensor(graph->mutable_initializer(any_of(graph->initializer(), random)), random);
    else if (what == 6 && graph->input_size() > 0)
      mutate_input(graph, random);
    else if (model.opset_import_size() > 0)
      model.mutable_opset_import(0)->set_version(1 + random() % 24);
  }
  const std::string bytes = model.SerializeAsString();
  if (bytes.size() > max_size) return 0;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
