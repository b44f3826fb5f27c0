// f32 against i8 convolution by XNNPACK, shape by shape: is i8 ever the slower one? Prints one line per
// shape.
//   pith_xnn_conv_bench          one thread; lower quarter of the CPU times of many runs
#include <cstdio>
#include <vector>

#include "bench/bench_timing.h"
#include "runtime/backends/xnnpack/xnnpack_backend.h"

namespace pith {
namespace {

struct Layer {
  const char* what;
  int64_t size, in, out;
  uint32_t kernel, stride, groups;
};
const Layer kLayers[] = {
    {"first 3x3 s2", 224, 3, 32, 3, 2, 1},
    {"1x1 early", 112, 32, 16, 1, 1, 1},
    {"1x1 expand", 56, 24, 144, 1, 1, 1},
    {"1x1 project", 56, 144, 24, 1, 1, 1},
    {"1x1 middle", 14, 384, 64, 1, 1, 1},
    {"1x1 late", 7, 320, 1280, 1, 1, 1},
    {"1x1 tiny", 7, 16, 16, 1, 1, 1},
    {"3x3 resnet8", 32, 16, 16, 3, 1, 1},
    {"3x3 resnet8 s2", 32, 16, 32, 3, 2, 1},
    {"3x3 middle", 28, 64, 64, 3, 1, 1},
    {"3x3 late", 7, 256, 256, 3, 1, 1},
    {"dw 3x3 early", 112, 32, 32, 3, 1, 32},
    {"dw 3x3 s2", 56, 144, 144, 3, 2, 144},
    {"dw 3x3 middle", 14, 384, 384, 3, 1, 384},
    {"dw 3x3 late", 7, 960, 960, 3, 1, 960},
    {"dw 3x3 few", 25, 8, 8, 3, 1, 8},
    {"dw 5x5", 28, 120, 120, 5, 1, 120},
    {"dw 7x7", 14, 96, 96, 7, 1, 96},
    {"1x1 on one pixel", 1, 576, 1024, 1, 1, 1},
};

struct Buffers {
  std::vector<uint8_t> x, w, bias, y;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
};

// type i8 or f32 everywhere but x, which may be u8 with i8 weights.
double measure(const Layer& l, DType type, DType x_type) {
  const auto pad = l.kernel / 2;
  const int64_t out = (l.size + 2 * pad - l.kernel) / l.stride + 1;
  schema::ConvOptionsT o;
  o.strides = {l.stride, l.stride};
  o.pads = {pad, pad, pad, pad};
  o.groups = l.groups;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::ConvOptions::Pack(builder, &o));
  Buffers b;
  b.scales.assign(static_cast<size_t>(l.out), 0.01f);
  b.zeros.assign(static_cast<size_t>(l.out), 0);
  const float one_scale = 0.02f;
  const int32_t one_zero = 3;
  TensorView x, w, bias, y;
  x.shape = {1, l.size, l.size, l.in};
  w.shape = {l.out, l.kernel, l.kernel, l.in / l.groups};
  bias.shape = {l.out};
  y.shape = {1, out, out, l.out};
  x.dtype = x_type, w.dtype = type, y.dtype = x_type;
  bias.dtype = type == DType::f32 ? DType::f32 : DType::i32;
  if (type != DType::f32) {
    x.quant = y.quant = {{&one_scale, 1}, {&one_zero, 1}, -1, 0};
    w.quant = {b.scales, b.zeros, 0, 0};
  }
  TensorView* all[] = {&x, &w, &bias, &y};
  std::vector<uint8_t>* memory[] = {&b.x, &b.w, &b.bias, &b.y};
  for (int i = 0; i < 4; ++i) {
    memory[i]->assign(all[i]->byte_size() + 256, type == DType::f32 ? 0x3f : 1);
    all[i]->data = memory[i]->data();
    all[i]->is_constant = all[i]->has_value = i == 1 || i == 2;
  }
  NodeView node;
  node.op = schema::Op::ConvOptions;
  node.options = flatbuffers::GetRoot<schema::ConvOptions>(builder.GetBufferPointer());
  node.inputs = {all, 3};
  node.outputs = {all + 3, 1};
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  PrepareContext context(&kernel, &state, nullptr);
  if (!prepare_xnnpack(node, context).is_ok()) return -1;
  std::vector<uint8_t> scratch(kernel.scratch_bytes + 128);
  RunContext run{nullptr, scratch.data(), state.get()};
  if (!kernel.bind(node, state.get(), scratch.data(), nullptr).is_ok()) return -1;
  return bench::quick_microseconds([&] { kernel.run(node, run); });
}

}  // namespace
}  // namespace pith

int main() {
  using pith::DType;
  std::printf("%-18s %10s %10s %10s %8s %8s\n", "layer", "f32 us", "i8 us", "u8 us", "i8/f32", "u8/f32");
  for (const pith::Layer& l : pith::kLayers) {
    const double f = pith::measure(l, DType::f32, DType::f32), q = pith::measure(l, DType::i8, DType::i8),
                 u = pith::measure(l, DType::i8, DType::u8);
    std::printf("%-18s %10.1f %10.1f %10.1f %8.2f %8.2f\n", l.what, f, q, u, q / f, u / f);
  }
}
