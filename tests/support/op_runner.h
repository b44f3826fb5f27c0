// Runs one operator on literal tensors, as a session would: check, infer, prepare, run by the reference
// kernel.
//   schema::ConcatOptionsT options;  options.axis = 1;
//   OpResult r = run_op(options, {tensor<float>({1, 2}, {1, 2}), tensor<float>({1, 1}, {3})});
//   CHECK(r.status.is_ok());  CHECK(r.out[0].values<float>() == std::vector<float>{1, 2, 3});
// Outputs are surrounded by guard bytes and scratch is poisoned; r.overrun tells that a kernel wrote outside.
#pragma once
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/ops/op.h"

namespace pith {

struct TestTensor {
  DType dtype = DType::none;  // none: an omitted input
  Shape shape;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;  // quantization; empty: none
  std::vector<int32_t> zero_points;
  int quant_axis = -1;
  bool is_constant = false;
  bool has_value = true;  // false: data may not be read while planning

  template <class T>
  std::vector<T> values() const {
    std::vector<T> v(bytes.size() / sizeof(T));
    if (!v.empty()) std::memcpy(v.data(), bytes.data(), v.size() * sizeof(T));
    return v;
  }
  TestTensor quantized(float scale, int32_t zero_point) && {
    scales = {scale};
    zero_points = {zero_point};
    return std::move(*this);
  }
  TestTensor known_at_run_only() && {
    has_value = false;
    return std::move(*this);
  }
};

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, int8_t>) return DType::i8;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::u8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::i16;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::u16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::u32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::u64;
  return DType::none;
}

// `as` gives the bytes another name: DType::boolean for uint8_t, f16 for uint16_t.
template <class T>
TestTensor tensor(Shape shape, const std::vector<T>& values, DType as = dtype_of<T>()) {
  TestTensor t;
  t.dtype = as;
  t.shape = shape;
  t.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}
inline TestTensor omitted() { return {}; }

struct OpRunSettings {
  size_t outputs = 1;
  std::vector<TestTensor> declared;  // dtype and quantization of outputs, where the file declares them
  size_t threads = 1;
  Status (*prepare)(const NodeView&, PrepareContext&) = nullptr;  // a backend's, instead of the reference
  Cpu cpu{};                                                      // what its kernels may use
};

struct OpResult {
  Status status;
  std::vector<TestTensor> out;
  std::string kernel;
  bool overrun = false;
};

namespace op_runner_detail {
inline constexpr size_t kGuard = 64;
inline constexpr uint8_t kPoison = 0xA5;

inline TensorView view_of(const TestTensor& t, const char* name) {
  TensorView v;
  v.name = name;
  v.dtype = t.dtype;
  v.shape = t.shape;
  v.quant = {t.scales, t.zero_points, t.quant_axis, 0};
  v.is_constant = t.is_constant;
  v.has_value = t.has_value;
  v.data = t.has_value ? const_cast<uint8_t*>(t.bytes.data()) : nullptr;
  return v;
}

inline OpResult run_view(const OpDef& def, NodeView& node, const std::vector<TestTensor>& inputs,
                         const OpRunSettings& settings) {
  OpResult r;
  if (r.status = def.check(node); !r.status.is_ok()) return r;
  if (r.status = def.infer(node); !r.status.is_ok()) return r;
  Kernel kernel;
  kernel.run = def.run;
  std::unique_ptr<NodeState> state;
  std::unique_ptr<ThreadPool> pool = ThreadPool::create(settings.threads);
  PrepareContext context(&kernel, &state, pool.get(), settings.cpu);
  const auto prepare = settings.prepare != nullptr ? settings.prepare : def.prepare;
  if (prepare != nullptr) r.status = prepare(node, context);
  if (!r.status.is_ok()) return r;
  std::vector<std::vector<uint8_t>> memory;
  for (TensorView* t : node.outputs) {
    memory.emplace_back(t->byte_size() + 2 * kGuard, kPoison);
    t->data = memory.back().data() + kGuard;
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (node.has(i)) node.inputs[i]->data = const_cast<uint8_t*>(inputs[i].bytes.data());
  std::vector<uint8_t> scratch(kernel.scratch_bytes + 128 + kGuard, kPoison);
  auto address = (reinterpret_cast<uintptr_t>(scratch.data()) + 127) / 128 * 128;
  RunContext run{pool.get(), reinterpret_cast<void*>(address), state.get()};
  if (kernel.bind != nullptr) r.status = kernel.bind(node, state.get(), run.scratch, pool.get());
  if (!r.status.is_ok()) return r;
  kernel.run(node, run);
  r.kernel = kernel.name;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const TensorView& t = *node.outputs[i];
    const auto body = memory[i].begin() + kGuard;
    TestTensor out;
    out.dtype = t.dtype;
    out.shape = t.shape;
    out.bytes.assign(body, body + static_cast<std::ptrdiff_t>(t.byte_size()));
    r.out.push_back(out);
    for (size_t g = 0; g < kGuard; ++g)
      r.overrun |= memory[i][g] != kPoison || memory[i][memory[i].size() - 1 - g] != kPoison;
  }
  return r;
}
}  // namespace op_runner_detail

template <class OptionsT>
OpResult run_op(const OptionsT& options, const std::vector<TestTensor>& inputs,
                const OpRunSettings& settings = {}) {
  using Table = typename OptionsT::TableType;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(Table::Pack(builder, &options));
  NodeView node;
  node.name = "node";
  node.op = schema::OpTraits<Table>::enum_value;
  node.options = flatbuffers::GetRoot<Table>(builder.GetBufferPointer());
  std::vector<TensorView> views;
  for (const TestTensor& t : inputs) views.push_back(op_runner_detail::view_of(t, "in"));
  for (size_t i = 0; i < settings.outputs; ++i) {
    const TestTensor none;
    views.push_back(
        op_runner_detail::view_of(i < settings.declared.size() ? settings.declared[i] : none, "out"));
  }
  std::vector<TensorView*> pointers;
  for (size_t i = 0; i < views.size(); ++i)
    pointers.push_back(i < inputs.size() && inputs[i].dtype == DType::none ? nullptr : &views[i]);
  node.inputs = std::span(pointers).first(inputs.size());
  node.outputs = std::span(pointers).subspan(inputs.size());
  const OpDef* def = find_op(node.op);
  if (def == nullptr) return {Status(Code::internal, "operator is not in this build"), {}, {}, false};
  return op_runner_detail::run_view(*def, node, inputs, settings);
}

}  // namespace pith
