// Float functions of rows: our vectors against our plain loops, and XNNPACK's softmax, in alternating rounds of one process.
//   pith_float_rows_bench [ROWS=256]       one thread, its CPU time, medians; nanoseconds for an element
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "bench/bench_timing.h"
#include "kernels/rows/float_rows.h"
#include "runtime/backends/xnnpack/xnnpack_backend.h"

namespace pith {
namespace {

using namespace kernels;

// One softmax node of XNNPACK, prepared and bound.
struct XnnSoftmax {
  schema::SoftmaxOptionsT options;
  flatbuffers::FlatBufferBuilder builder;
  TensorView x, y;
  TensorView *inputs[1] = {&x}, *outputs[1] = {&y};
  NodeView node;
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  bool works = false;

  XnnSoftmax(float* from, float* to, size_t rows, size_t n) {
    options.axis = -1;
    builder.Finish(schema::SoftmaxOptions::Pack(builder, &options));
    x.dtype = y.dtype = DType::f32;
    x.shape = y.shape = Shape{static_cast<int64_t>(rows), static_cast<int64_t>(n)};
    x.data = from, y.data = to;
    node.op = schema::Op::SoftmaxOptions;
    node.options = flatbuffers::GetRoot<schema::SoftmaxOptions>(builder.GetBufferPointer());
    node.inputs = inputs, node.outputs = outputs;
    PrepareContext context(&kernel, &state, nullptr, detect_cpu());
    works = prepare_xnnpack(node, context).is_ok();
    if (works && kernel.bind != nullptr) works = kernel.bind(node, state.get(), nullptr, nullptr).is_ok();
  }
  void run() {
    RunContext context{nullptr, nullptr, state.get()};
    kernel.run(node, context);
  }
};

void compare(const char* what, std::vector<bench::Contestant> all) {
  bench::take_turns(all, 15, 0.01, false);
  std::printf("%-12s", what);
  for (const bench::Contestant& c : all)
    std::printf("  %s %.3f ns (%.1f x)", c.name.c_str(), 1e9 / c.rate, c.rate / all[0].rate);
  std::printf("\n");
}

void shapes(size_t rows, size_t n) {
  std::printf("%zu rows of %zu; x: against the plain loops\n", rows, n);
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(rows * n), y(rows * n), scale(n, 1.1f), up(rows * n);
  for (float& v : x) v = normal(rng);
  for (float& v : up) v = normal(rng);
  LayerNormArgs norm{};
  norm.x = x.data(), norm.y = y.data(), norm.n = n, norm.epsilon = 1e-5f;
  norm.scale = norm.bias = scale.data(), norm.scale_step = norm.bias_step = 1;
  const FloatRowsKernels all = float_rows_kernels();
  std::vector<bench::Contestant> layer, rms, soft, rotate, glu;
  const auto elements = static_cast<double>(rows * n);
  for (size_t i = all.count; i-- > 0;) {
    const FloatRowsKernel* k = all.data[i];
    if (!detect_cpu().has(k->needs)) continue;
    const std::string name = k->name + 11;  // behind "float_rows_"
    layer.push_back({name, [=] { k->layer_norm(norm, {0, rows}); }, elements});
    rms.push_back({name, [=] { k->rms_norm(norm, {0, rows}); }, elements});
    soft.push_back({name, [&, k] { k->softmax({x.data(), y.data(), n}, {0, rows}); }, elements});
    rotate.push_back({name,
                      [&, k] {
                        for (size_t r = 0; r < rows; ++r)
                          k->rotate({&x[r * n], scale.data(), scale.data(), &y[r * n], n / 2, n, false});
                      },
                      elements});
    glu.push_back({name, [&, k] { k->swiglu(x.data(), up.data(), y.data(), rows * n); }, elements});
  }
  XnnSoftmax xnn(x.data(), y.data(), rows, n);
  if (xnn.works) soft.push_back({"XNNPACK", [&] { xnn.run(); }, elements});
  compare("layer_norm", layer), compare("rms_norm", rms), compare("softmax", soft);
  compare("rotate", rotate), compare("swiglu", glu);
}

}  // namespace
}  // namespace pith

int main(int argc, char** argv) {
  const size_t rows = argc > 1 ? static_cast<size_t>(std::strtoul(argv[1], nullptr, 10)) : 256;
  for (size_t n : {128, 768, 4096}) pith::shapes(rows < 1 ? 1 : rows, n);
  return 0;
}
