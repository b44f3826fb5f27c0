// Our i8 convolutions against XNNPACK's, shape by shape, in alternating rounds of one process.
//   pith_codes_conv_bench [scalar|avx2|avxvnni|avx512vnni]     one thread, CPU time; medians of the rounds
// The level caps our kernels; XNNPACK always takes the best it knows. Columns: microseconds, our GOPS and its share of the
// peak of the dot product instruction measured in the same run, and the median of the ratios per round.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "bench/machine_limits.h"
#include "runtime/backends/pith/pith_backend.h"
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#include "runtime/base/isa_cap.h"

namespace pith {
namespace {

struct Layer {
  const char* what;
  int64_t size, in, out;
  uint32_t kernel, stride, groups;
};
const Layer kLayers[] = {
    {"dw 3x3 112x112x64", 112, 64, 64, 3, 1, 64},     {"dw 3x3 56x56x128", 56, 128, 128, 3, 1, 128},
    {"dw 3x3 28x28x256", 28, 256, 256, 3, 1, 256},    {"dw 3x3 14x14x512", 14, 512, 512, 3, 1, 512},
    {"dw 3x3 7x7x960", 7, 960, 960, 3, 1, 960},       {"dw 3x3 s2 112x112x96", 112, 96, 96, 3, 2, 96},
    {"dw 3x3 s2 14x14x576", 14, 576, 576, 3, 2, 576}, {"dw 5x5 28x28x120", 28, 120, 120, 5, 1, 120},
    {"dw 5x5 s2 28x28x240", 28, 240, 240, 5, 2, 240}, {"dw 3x3 25x25x64", 25, 64, 64, 3, 1, 64},
    {"first 3x3 s2 224", 224, 3, 32, 3, 2, 1},        {"3x3 32x32 16 to 16", 32, 16, 16, 3, 1, 1},
    {"3x3 16x16 32 to 32", 16, 32, 32, 3, 1, 1},      {"3x3 8x8 64 to 64", 8, 64, 64, 3, 1, 1},
    {"3x3 56x56 64 to 64", 56, 64, 64, 3, 1, 1},      {"3x3 14x14 256 to 256", 14, 256, 256, 3, 1, 1},
    {"1x1 112x112 32 to 16", 112, 32, 16, 1, 1, 1},   {"1x1 56x56 24 to 144", 56, 24, 144, 1, 1, 1},
    {"1x1 56x56 144 to 24", 56, 144, 24, 1, 1, 1},    {"1x1 14x14 64 to 384", 14, 64, 384, 1, 1, 1},
    {"1x1 14x14 384 to 64", 14, 384, 64, 1, 1, 1},    {"1x1 7x7 320 to 1280", 7, 320, 1280, 1, 1, 1},
    {"1x1 56x56 64 to 256", 56, 64, 256, 1, 1, 1},    {"1x1 s2 56x56 256 to 512", 56, 256, 512, 1, 2, 1},
    {"1x1 25x25 64 to 64", 25, 64, 64, 1, 1, 1},      {"1x1 1x1 1280 to 1000", 1, 1280, 1000, 1, 1, 1},
};

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Candidate {
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  std::vector<uint8_t> scratch_memory;
  RunContext run;
  bool taken = false;
  std::vector<double> us;
};

void prepare(Candidate* c, Status (*backend)(const NodeView&, PrepareContext&), const NodeView& node,
             Cpu cpu) {
  PrepareContext context(&c->kernel, &c->state, nullptr, cpu);
  const Status s = backend(node, context);
  if (!s.is_ok()) return void(std::printf("not taken: %s\n", s.message().c_str()));
  c->scratch_memory.resize(c->kernel.scratch_bytes + 256);
  void* aligned =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(c->scratch_memory.data()) + 127) / 128 * 128);
  c->taken = c->kernel.bind == nullptr || c->kernel.bind(node, c->state.get(), aligned, nullptr).is_ok();
  c->run = RunContext{nullptr, aligned, c->state.get()};
}

void round(Candidate* c, const NodeView& node, int repeats) {
  const double begin = thread_seconds();
  for (int i = 0; i < repeats; ++i) c->kernel.run(node, c->run);
  c->us.push_back((thread_seconds() - begin) * 1e6 / repeats);
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

struct Tensors {
  std::vector<uint8_t> x, w, bias, y;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
};

void measure(const Layer& l, Cpu cpu, double peak) {
  const auto pad = l.kernel / 2;
  const int64_t out = (l.size + 2 * pad - l.kernel) / l.stride + 1;
  schema::ConvOptionsT o;
  o.strides = {l.stride, l.stride};
  o.pads = {pad, pad, pad, pad};
  o.groups = l.groups;
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::ConvOptions::Pack(builder, &o));
  Tensors b;
  b.scales.assign(static_cast<size_t>(l.out), 0.01f);
  b.zeros.assign(static_cast<size_t>(l.out), 0);
  const float one_scale = 0.02f;
  const int32_t one_zero = 3;
  TensorView x, w, bias, y;
  x.shape = {1, l.size, l.size, l.in};
  w.shape = {l.out, l.kernel, l.kernel, l.in / l.groups};
  bias.shape = {l.out};
  y.shape = {1, out, out, l.out};
  x.dtype = w.dtype = y.dtype = DType::i8;
  bias.dtype = DType::i32;
  x.quant = y.quant = {{&one_scale, 1}, {&one_zero, 1}, -1, 0};
  w.quant = {b.scales, b.zeros, 0, 0};
  TensorView* all[] = {&x, &w, &bias, &y};
  std::vector<uint8_t>* memory[] = {&b.x, &b.w, &b.bias, &b.y};
  for (int i = 0; i < 4; ++i) {
    memory[i]->assign(all[i]->byte_size() + 256, 1);
    all[i]->data = memory[i]->data();
    all[i]->is_constant = all[i]->has_value = i == 1 || i == 2;
  }
  NodeView node;
  node.op = schema::Op::ConvOptions;
  node.options = flatbuffers::GetRoot<schema::ConvOptions>(builder.GetBufferPointer());
  node.inputs = {all, 3};
  node.outputs = {all + 3, 1};
  Candidate ours, theirs;
  prepare(&ours, prepare_pith, node, cpu);
  prepare(&theirs, prepare_xnnpack, node, detect_cpu());
  if (!ours.taken || !theirs.taken) return;
  const double operations = 2.0 * static_cast<double>(y.count()) * static_cast<double>(w.count() / l.out);
  const int repeats = std::max(1, static_cast<int>(2e8 / operations));
  round(&ours, node, repeats), round(&theirs, node, repeats);  // warm
  ours.us.clear(), theirs.us.clear();
  for (int i = 0; i < 15; ++i) round(&ours, node, repeats), round(&theirs, node, repeats);
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.us.size(); ++i) ratios.push_back(theirs.us[i] / ours.us[i]);
  const double us = median(ours.us), gops = operations / us / 1e3;
  std::printf("%-26s %9.1f %9.1f %8.1f %6.1f %% %8.2f\n", l.what, us, median(theirs.us), gops,
              100 * gops / peak, median(ratios));
}

}  // namespace
}  // namespace pith

int main(int argc, char** argv) {
  const pith::Result<pith::Cpu> cpu = pith::capped_cpu(argc > 1 ? argv[1] : nullptr);
  if (!cpu.is_ok()) return 2;
  const double peak = pith::bench::dot_peak_gops();
  std::printf("dot product peak %.0f GOPS\n", peak);
  std::printf("%-26s %9s %9s %8s %8s %8s\n", "layer", "ours us", "xnn us", "GOPS", "of peak", "ratio");
  for (const pith::Layer& l : pith::kLayers) pith::measure(l, cpu.value(), peak);
}
