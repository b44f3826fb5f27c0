// Our kernels, XNNPACK and the reference, operator by operator: who loses here should decline.
//   pith_backends_bench [PART]     PART: only nodes whose name has it; one thread; lower quarter of the CPU times of many runs
#include <cmath>
#include <cstdio>
#include <vector>

#include "bench/bench_timing.h"
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#include "runtime/exec/dispatch.h"
#include "tests/support/op_runner.h"

namespace pith {
namespace {

TestTensor floats(const Shape& shape, float step = 0.37f) {
  std::vector<float> v(static_cast<size_t>(shape.count()));
  for (size_t i = 0; i < v.size(); ++i) v[i] = 3 * std::sin(step * static_cast<float>(i + 1));
  return tensor<float>(shape, v);
}
TestTensor codes(const Shape& shape) {
  std::vector<int8_t> v(static_cast<size_t>(shape.count()));
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<int8_t>(i * 37);
  return tensor<int8_t>(shape, v).quantized(0.03f, 4);
}
TestTensor at_run(TestTensor t) {
  t.has_value = false;
  return t;
}

// Microseconds of one backend; -1: it does not take the node.
double measure(NodeView& node, const OpDef& def, BackendChoice choice) {
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  PrepareContext context(&kernel, &state, nullptr, detect_cpu());
  if (!choose_kernel(def, node, {choice}, context, &kernel).is_ok()) return -1;
  if (std::string(kernel.backend) != name_of(choice)) return -1;
  std::vector<uint8_t> scratch(kernel.scratch_bytes + 256);
  auto* aligned = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 127) / 128 * 128);
  if (kernel.bind != nullptr && !kernel.bind(node, state.get(), aligned, nullptr).is_ok()) return -1;
  RunContext run{nullptr, aligned, state.get()};
  return bench::quick_microseconds([&] { kernel.run(node, run); });
}

const char* part = "";

template <class OptionsT>
void pair(const char* what, const OptionsT& options, const std::vector<TestTensor>& inputs,
          TestTensor declared = {}) {
  using Table = typename OptionsT::TableType;
  if (std::string(what).find(part) == std::string::npos) return;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(Table::Pack(builder, &options));
  NodeView node;
  node.op = schema::OpTraits<Table>::enum_value;
  node.options = flatbuffers::GetRoot<Table>(builder.GetBufferPointer());
  std::vector<TensorView> views;
  for (const TestTensor& t : inputs) {
    views.push_back(op_runner_detail::view_of(t, "in"));
    views.back().data = const_cast<uint8_t*>(t.bytes.data());
  }
  views.push_back(op_runner_detail::view_of(declared, "out"));
  std::vector<TensorView*> pointers;
  for (size_t i = 0; i < views.size(); ++i)
    pointers.push_back(i < inputs.size() && inputs[i].dtype == DType::none ? nullptr : &views[i]);
  node.inputs = std::span(pointers).first(inputs.size());
  node.outputs = std::span(pointers).subspan(inputs.size());
  const OpDef* def = find_op(node.op);
  if (def == nullptr || !def->infer(node).is_ok()) return void(std::printf("%-28s cannot run\n", what));
  std::vector<uint8_t> y(node.out(0).byte_size() + 256);
  node.out(0).data = y.data();
  const double own = measure(node, *def, BackendChoice::pith);
  const double x = measure(node, *def, BackendChoice::xnnpack);
  const double r = measure(node, *def, BackendChoice::reference);
  std::printf("%-30s %9.1f %9.1f %9.1f %8.2f\n", what, own, x, r, own < 0 || x < 0 ? 0.0 : x / own);
}

schema::UnaryOptionsT unary(schema::UnaryKind kind) {
  schema::UnaryOptionsT o;
  o.kind = kind;
  o.beta = 1;
  return o;
}
schema::BinaryOptionsT binary(schema::BinaryKind kind) {
  schema::BinaryOptionsT o;
  o.kind = kind;
  return o;
}

void elementwise() {
  using schema::BinaryKind;
  using schema::UnaryKind;
  const TestTensor map = floats({1, 56, 56, 64}), coded = codes({1, 56, 56, 64});
  pair("relu f32", unary(UnaryKind::relu), {map});
  pair("clip f32", unary(UnaryKind::clip), {map});
  pair("abs f32", unary(UnaryKind::abs), {map});
  pair("sqrt f32", unary(UnaryKind::sqrt), {map});
  pair("log f32", unary(UnaryKind::log), {map});
  pair("sigmoid f32", unary(UnaryKind::sigmoid), {map});
  pair("sigmoid f32, 100", unary(UnaryKind::sigmoid), {floats({1, 100})});
  pair("hard_swish i8", unary(UnaryKind::hard_swish), {coded}, codes({0}));
  pair("add f32", binary(BinaryKind::add), {map, map});
  pair("add f32, 10", binary(BinaryKind::add), {floats({10}), floats({10})});
  pair("add f32, bias of 64", binary(BinaryKind::add), {map, floats({64})});
  pair("add f32, bias of 8", binary(BinaryKind::add), {floats({1, 56, 56, 8}), floats({8})});
  pair("add f32, number", binary(BinaryKind::add), {map, floats({1})});
  pair("mul f32, column", binary(BinaryKind::mul), {map, floats({1, 56, 56, 1})});
  pair("mul f32, column, 8 wide", binary(BinaryKind::mul), {floats({1, 56, 56, 8}), floats({1, 56, 56, 1})});
  pair("div f32", binary(BinaryKind::div), {map, map});
  pair("add i8", binary(BinaryKind::add), {coded, coded}, codes({0}));
  pair("mul i8", binary(BinaryKind::mul), {coded, coded}, codes({0}));
}

void moving() {
  schema::TransposeOptionsT to_last, to_first, plain;
  to_last.perm = {0, 2, 3, 1};
  to_first.perm = {0, 3, 1, 2};
  plain.perm = {1, 0};
  pair("transpose 3x224x224 to last", to_last, {floats({1, 3, 224, 224})});
  pair("transpose 64x56x56 to last", to_last, {floats({1, 64, 56, 56})});
  pair("transpose 56x56x64 to first", to_first, {floats({1, 56, 56, 64})});
  pair("transpose 56x56x64 i8", to_first, {codes({1, 56, 56, 64})});
  pair("transpose 512x512", plain, {floats({512, 512})});
  schema::TransposeOptionsT heads;
  heads.perm = {0, 2, 1, 3};
  pair("transpose heads 128x8x64", heads, {floats({1, 128, 8, 64})});
  schema::CastOptionsT cast;
  cast.to = static_cast<uint8_t>(DType::f16);
  TestTensor half;
  half.dtype = DType::f16;
  pair("cast f32 to f16", cast, {floats({200000})}, half);
}

void windows() {
  schema::PoolOptionsT pool;
  pool.kernel = {3, 3};
  pool.strides = {2, 2};
  pool.pads = {1, 1, 1, 1};
  pair("max pool 3x3 f32", pool, {floats({1, 112, 112, 64})});
  pair("max pool 3x3 i8", pool, {codes({1, 112, 112, 64})}, codes({0}));
  pool.kind = schema::PoolKind::average;
  pair("average pool 3x3 f32", pool, {floats({1, 56, 56, 64})});
  pool.kernel = {7, 7};
  pool.strides = {1, 1};
  pool.pads = {};
  pair("average pool 7x7 f32", pool, {floats({1, 7, 7, 1280})});
  schema::SoftmaxOptionsT softmax;
  pair("softmax 1000", softmax, {floats({1, 1000})});
  pair("softmax 10", softmax, {floats({1, 10})});
  pair("softmax 512x64", softmax, {floats({512, 64})});
  schema::ReduceOptionsT mean;
  mean.kind = schema::ReduceKind::mean;
  pair("mean 7x7x1280", mean, {floats({1, 7, 7, 1280}), tensor<int64_t>({2}, {1, 2})});
  pair("mean over last, 512x64", mean, {floats({512, 64}), tensor<int64_t>({1}, {1})});
}

void products() {
  schema::MatMulOptionsT o, t;
  t.transpose_b = true;
  for (int64_t m : {1, 4, 16, 64, 256}) {
    const std::string name = "matmul " + std::to_string(m) + "x64x256";
    pair(name.c_str(), o, {at_run(floats({4, m, 64})), at_run(floats({4, 64, 256}))});
    pair((name + " transposed").c_str(), t, {at_run(floats({4, m, 64})), at_run(floats({4, 256, 64}))});
  }
  schema::FullyConnectedOptionsT fc;
  TestTensor w = floats({512, 512});
  w.is_constant = true;
  pair("fully connected 1x512x512", fc, {at_run(floats({1, 512})), w});
  TestTensor wq = codes({512, 512});
  wq.is_constant = true;
  wq.zero_points = {0};
  pair("fully connected dynamic", fc, {at_run(floats({1, 512})), wq});
  pair("fully connected i8", fc, {at_run(codes({1, 512})), wq}, codes({0}));
}

TestTensor weights(const Shape& shape) {
  TestTensor w = codes(shape);
  w.is_constant = true;
  w.zero_points = {0};
  for (uint8_t& code : w.bytes)
    if (code == 0x80) code = 0;  // AVX2 takes no -128
  return w;
}

void convolutions() {
  const auto conv = [](auto o, uint32_t stride, uint32_t pad, uint32_t groups) {
    o.strides = {stride, stride}, o.dilations = {1, 1}, o.pads = {pad, pad, pad, pad}, o.groups = groups;
    return o;
  };
  const schema::ConvOptionsT plain;
  const schema::ConvTransposeOptionsT back;
  for (int64_t each : {4, 8, 16, 32, 64}) {
    const std::string name = "conv 3x3 28x28x128, groups of " + std::to_string(each);
    pair(name.c_str(), conv(plain, 1, 1, static_cast<uint32_t>(128 / each)),
         {codes({1, 28, 28, 128}), weights({128, 3, 3, each})}, codes({0}));
  }
  pair("conv 1x1 28x28x240, 3 groups", conv(plain, 1, 0, 3),
       {codes({1, 28, 28, 240}), weights({240, 1, 1, 80})}, codes({0}));
  pair("conv depth multiplier 2", conv(plain, 1, 1, 64), {codes({1, 28, 28, 64}), weights({128, 3, 3, 1})},
       codes({0}));
  pair("conv depthwise 9x9", conv(plain, 1, 4, 64), {codes({1, 28, 28, 64}), weights({64, 9, 9, 1})},
       codes({0}));
  pair("deconv 2x2 stride 2", conv(back, 2, 0, 1), {codes({1, 28, 28, 64}), weights({32, 2, 2, 64})},
       codes({0}));
  pair("deconv 4x4 stride 2", conv(back, 2, 1, 1), {codes({1, 28, 28, 64}), weights({32, 4, 4, 64})},
       codes({0}));
  pair("deconv 3x3 stride 2", conv(back, 2, 1, 1), {codes({1, 64, 64, 32}), weights({16, 3, 3, 32})},
       codes({0}));
  pair("deconv 3x3 stride 1", conv(back, 1, 1, 1), {codes({1, 28, 28, 64}), weights({64, 3, 3, 64})},
       codes({0}));
  pair("deconv depthwise 4x4 stride 2", conv(back, 2, 1, 32),
       {codes({1, 28, 28, 32}), weights({32, 4, 4, 1})}, codes({0}));
}

void code_moves() {
  schema::ResizeOptionsT resize;
  TestTensor none, twice = tensor<int64_t>({4}, {1, 52, 52, 128});
  const TestTensor map = codes({1, 26, 26, 128});
  pair("resize nearest i8", resize, {map, none, none, twice}, codes({0}));
  resize.mode = schema::ResizeMode::linear;
  pair("resize linear i8", resize, {map, none, none, twice}, codes({0}));
  schema::ConcatOptionsT concat;
  concat.axis = 3;
  pair("concat i8 52x52x64 twice", concat, {codes({1, 52, 52, 64}), codes({1, 52, 52, 64})}, codes({0}));
  schema::PadOptionsT pad;
  pair("pad i8", pad, {map, tensor<int64_t>({8}, {0, 1, 1, 0, 0, 1, 1, 0})}, codes({0}));
  schema::SliceOptionsT slice;
  pair("slice i8, every second", slice,
       {map, tensor<int64_t>({2}, {0, 0}), tensor<int64_t>({2}, {26, 26}), tensor<int64_t>({2}, {1, 2}),
        tensor<int64_t>({2}, {2, 2})},
       codes({0}));
  schema::SoftmaxOptionsT softmax;
  pair("softmax i8 1000", softmax, {codes({1, 1000})}, codes({0}));
  pair("softmax i8 512x64", softmax, {codes({512, 64})}, codes({0}));
  pair("softmax i8 4420x2", softmax, {codes({4420, 2})}, codes({0}));
}

}  // namespace
}  // namespace pith

int main(int argc, char** argv) {
  if (argc > 1) pith::part = argv[1];
  std::printf("%-30s %9s %9s %9s %8s\n", "operator", "ours us", "xnn us", "ref us", "xnn/ours");
  pith::elementwise();
  pith::moving();
  pith::windows();
  pith::products();
  pith::convolutions();
  pith::code_moves();
}
