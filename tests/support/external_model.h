// A small ONNX model of matrix products in a row, its weights in a data file or inside; the same numbers either way.
//   ExternalModel m{.type = ExternalModel::kHalf};   m.write(folder.path());   // model.onnx, model.data
#pragma once
#include <doctest/doctest.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "converter/data/npy.h"
#include "kernels/base/float16.h"
#include "tests/support/distributions.h"

namespace pith::test {

struct ExternalModel {
  static constexpr int kFloat = 1, kHalf = 10;
  std::vector<int64_t> widths = {64, 96, 80, 64, 48};  // of the values between products
  int type = kHalf;
  bool external = true;
  uint64_t seed = 1;
  int64_t rows = 8;
  size_t alignment = 64;                 // of offsets in the data file
  std::string offset = {}, length = {};  // of the first weight, instead of what is right

  void write(const std::string& folder) const {
    onnx::ModelProto model;
    model.set_ir_version(8);
    model.add_opset_import()->set_version(17);
    onnx::GraphProto& graph = *model.mutable_graph();
    graph.set_name("products");
    declare(*graph.add_input(), "x", widths.front());
    std::string data, value = "x";
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
      add_weight(graph, i, &data);
      value = add_product(graph, i, value);
    }
    declare(*graph.add_output(), value, widths.back());
    std::ofstream(folder + "/model.onnx", std::ios::binary) << model.SerializeAsString();
    if (external) std::ofstream(folder + "/model.data", std::ios::binary) << data;
  }

  // A data set for it: items of [rows, widths[0]].
  std::string write_items(const std::string& folder, int64_t items) const {
    const auto x = testing::normals(static_cast<size_t>(items * rows * widths[0]), 0, 1, seed + 99);
    const std::string path = folder + "/items.npy";
    const int64_t shape[] = {items, rows, widths[0]};
    const Status s = data::write_npy(path, DType::f32, shape, x.data());
    REQUIRE_MESSAGE(s.is_ok(), s.message());
    return path;
  }

 private:
  void declare(onnx::ValueInfoProto& info, const std::string& name, int64_t width) const {
    info.set_name(name);
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(kFloat);
    for (int64_t d : {int64_t{1}, rows, width}) tensor->mutable_shape()->add_dim()->set_dim_value(d);
  }

  void add_weight(onnx::GraphProto& graph, size_t i, std::string* data) const {
    const auto w = testing::normals(static_cast<size_t>(widths[i] * widths[i + 1]), 0, 0.1, seed + i);
    std::string bytes(w.size() * (type == kHalf ? 2 : 4), '\0');
    for (size_t j = 0; j < w.size(); ++j) {
      const f16 half = to_f16(w[j]);
      if (type == kHalf) std::memcpy(bytes.data() + 2 * j, &half, 2);
      if (type != kHalf) std::memcpy(bytes.data() + 4 * j, &w[j], 4);
    }
    onnx::TensorProto& t = *graph.add_initializer();
    t.set_name("w" + std::to_string(i));
    t.set_data_type(type);
    t.add_dims(widths[i]);
    t.add_dims(widths[i + 1]);
    if (!external) return t.set_raw_data(bytes);
    data->resize((data->size() + alignment - 1) / alignment * alignment);
    if (alignment % 16 != 0) data->push_back('\0'), data->push_back('\0');
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto say = [&](const char* key, const std::string& told) {
      auto* entry = t.add_external_data();
      entry->set_key(key);
      entry->set_value(told);
    };
    say("location", "model.data");
    say("offset", i == 0 && !offset.empty() ? offset : std::to_string(data->size()));
    say("length", i == 0 && !length.empty() ? length : std::to_string(bytes.size()));
    *data += bytes;
  }

  std::string add_product(onnx::GraphProto& graph, size_t i, const std::string& value) const {
    const auto node = [&](const char* op, const std::string& name, std::vector<std::string> inputs) {
      onnx::NodeProto& n = *graph.add_node();
      n.set_op_type(op);
      n.set_name(name);
      for (const std::string& input : inputs) n.add_input(input);
      n.add_output(name);
      return &n;
    };
    const auto cast = [&](const std::string& name, const std::string& from, int to) {
      onnx::AttributeProto* a = node("Cast", name, {from})->add_attribute();
      a->set_name("to");
      a->set_type(onnx::AttributeProto::INT);
      a->set_i(to);
      return name;
    };
    const std::string n = std::to_string(i);
    std::string x = type == kHalf ? cast("in" + n, value, kHalf) : value;
    node("MatMul", "product" + n, {x, "w" + n});
    x = "product" + n;
    if (type == kHalf) x = cast("out" + n, x, kFloat);
    node("Relu", "relu" + n, {x});
    return "relu" + n;
  }
};

}  // namespace pith::test
