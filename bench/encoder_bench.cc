// A BERT-base encoder with random weights at every precision of its matrix products: time, share of the dot peak of the same
// run, and where the time goes.
//   pith_encoder_bench [layers] [tokens]     default 2 layers (all twelve are alike), 128 tokens; one thread
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "bench/bench_timing.h"
#include "bench/machine_limits.h"
#include "converter/compile/load_model.h"
#include "converter/ir/evaluate.h"
#include "converter/passes/pass.h"
#include "converter/quantize/dynamic_int8.h"
#include "converter/quantize/half_weights.h"
#include "converter/quantize/packed_products.h"
#include "runtime/exec/session.h"

namespace pith::bench {
namespace {

constexpr int64_t kWidth = 768, kInner = 3072, kHeads = 12;

class Encoder {
 public:
  explicit Encoder(int64_t tokens) : x_(graph.add_value("x", DType::f32, {1, tokens, kWidth})) {
    graph.inputs.push_back(x_);
  }
  void layer() {
    ir::Value *q = dense(x_, kWidth), *k = dense(x_, kWidth), *v = dense(x_, kWidth);
    schema::AttentionOptionsT attention;
    attention.q_heads = attention.kv_heads = kHeads;
    x_ = norm(add(x_, dense(node(attention, {q, k, v}), kWidth)));
    schema::UnaryOptionsT gelu;
    gelu.kind = schema::UnaryKind::gelu;
    x_ = norm(add(x_, dense(node(gelu, {dense(x_, kInner)}), kWidth)));
  }
  void finish() { graph.outputs.push_back({"y", x_}); }
  ir::Graph graph;

 private:
  template <class OptionsT>
  ir::Value* node(OptionsT options, std::vector<ir::Value*> inputs) {
    schema::OpUnion op;
    op.Set(std::move(options));
    ir::Node* n =
        graph.add_node(graph.main, nullptr, graph.unique_name("n"), std::move(op), std::move(inputs));
    if (Status s = ir::infer_node(*n); !s.is_ok()) {
      std::fprintf(stderr, "%s\n", s.message().c_str());
      std::exit(1);
    }
    return n->out();
  }
  ir::Value* random(const Shape& shape, float scale) {
    std::vector<float> values(static_cast<size_t>(shape.count()));
    for (float& v : values) v = scale * (static_cast<float>(rng_() % 2001) - 1000.0f) / 1000.0f;
    return graph.add_f32(graph.unique_name("w"), shape, values);
  }
  ir::Value* dense(ir::Value* x, int64_t outputs) {
    const int64_t inputs = x->shape[x->shape.rank() - 1];
    return node(schema::FullyConnectedOptionsT{},
                {x, random({outputs, inputs}, 1.7f / std::sqrt(static_cast<float>(inputs))),
                 random({outputs}, 0.1f)});
  }
  ir::Value* add(ir::Value* a, ir::Value* b) { return node(schema::BinaryOptionsT{}, {a, b}); }
  ir::Value* norm(ir::Value* x) {
    return node(schema::LayerNormOptionsT{}, {x, random({kWidth}, 1), random({kWidth}, 1)});
  }

  ir::Value* x_;
  std::mt19937 rng_{8};
};

Status quantize_as(const std::string& precision, ir::Graph& graph) {
  if (precision == "fp32") return Status::ok();
  if (precision == "fp16" || precision == "fp16 by rows") {  // by rows: XNNPACK widens a copy
    quantize::store_half_weights(graph);
    if (precision == "fp16") quantize::pack_half_products(graph);
    return Status::ok();
  }
  if (precision == "int8-dynamic") {
    PITH_RETURN_IF_ERROR(quantize::quantize_dynamic_int8(graph).status());
    return quantize::pack_dynamic_products(graph).status();
  }
  const bool table = precision == "nf4";
  return quantize::pack_grouped_products(
             graph, {table ? Layout::lut4 : Layout::i4s8, table ? size_t{64} : size_t{32}})
      .status();
}

struct ByKernel : TraceSink {  // nanoseconds
  std::map<std::string, uint64_t> spent;
  void on_step(const StepTrace& t) override {
    spent[std::string(t.kernel->backend) + ":" + t.kernel->name] += t.end_ns - t.begin_ns;
  }
};

Status measure(const std::string& precision, size_t layers, int64_t tokens) {
  Encoder encoder(tokens);
  for (size_t i = 0; i < layers; ++i) encoder.layer();
  encoder.finish();
  PITH_RETURN_IF_ERROR(run_passes(encoder.graph, {}));
  PITH_RETURN_IF_ERROR(quantize_as(precision, encoder.graph));
  PITH_ASSIGN(const LoadedModel loaded, compile_in_memory(encoder.graph));
  PITH_ASSIGN(const std::unique_ptr<Session> session, Session::create(loaded.model, {}));
  PITH_RETURN_IF_ERROR(session->prepare());
  std::mt19937 rng(9);
  auto* x = session->input(0).as_mutable<float>();
  for (int64_t i = 0; i < tokens * kWidth; ++i) x[i] = static_cast<float>(rng() % 2001) / 500.0f - 2.0f;
  PITH_RETURN_IF_ERROR(session->run());
  std::vector<double> times;
  const bool nibbles = precision == "int4";
  const double peak = nibbles ? nibble_peak_gops() : dot_peak_gops();
  for (int i = 0; i < 15; ++i) {
    const double begin = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    PITH_RETURN_IF_ERROR(session->run());
    times.push_back(clock_seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
  }
  std::nth_element(times.begin(), times.begin() + 7, times.end());
  const auto t = static_cast<double>(tokens);
  const double ops = 2.0 * static_cast<double>(layers) * t *
                     (4.0 * kWidth * kWidth + 2.0 * kWidth * kInner + 2 * t * kWidth);
  const double gops = 1e-9 * ops / times[7];
  std::printf("%-14s %8.2f ms  %6.1f GOPS  %4.0f %% of the dot peak %.0f\n", precision.c_str(),
              1e3 * times[7], gops, 100 * gops / peak, peak);
  ByKernel trace;
  session->set_trace(&trace);
  PITH_RETURN_IF_ERROR(session->run());
  for (const auto& [name, ns] : trace.spent)
    std::printf("    %-34s %8.2f ms\n", name.c_str(), 1e-6 * static_cast<double>(ns));
  return Status::ok();
}

}  // namespace
}  // namespace pith::bench

int main(int argc, char** argv) {
  const size_t layers = argc > 1 ? static_cast<size_t>(std::atol(argv[1])) : 2;
  const int64_t tokens = argc > 2 ? std::atol(argv[2]) : 128;
  for (const char* precision : {"fp32", "fp16", "fp16 by rows", "int8-dynamic", "int4", "nf4"})
    if (const pith::Status s = pith::bench::measure(precision, layers, tokens); !s.is_ok()) {
      std::fprintf(stderr, "%s: %s\n", precision, s.message().c_str());
      return 1;
    }
  return 0;
}
