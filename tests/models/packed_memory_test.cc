// Packed weights are used where the file is mapped: running a model of 285 MB takes no memory of its own beyond activations.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "kernels/base/cpu.h"
#include "kernels/base/panel_layout.h"
#include "runtime/exec/session.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/graph_maker.h"
#include "tests/support/temp_folder.h"

using namespace pith;

namespace {

constexpr int64_t kWide = 16384, kDeep = 8192;

// Kilobytes of memory that belongs to no file; -1 where the system does not tell.
long anonymous_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("RssAnon:", 0) == 0) return std::stol(line.substr(8));
  return -1;
}

// A constant of arbitrary codes whose panels are full; `tail` writes the last plane of a panel.
template <class F>
ir::Value* add_packed(GraphMaker& g, const PanelMatrix& m, const Shape& shape, int i, F&& tail) {
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(static_cast<size_t>(panel_matrix_bytes(m)), &bytes);
  for (size_t at = 0; at < owned.size; ++at)
    bytes[at] = static_cast<uint8_t>(at * 37 + at / 4096 + static_cast<size_t>(i));
  for (uint64_t p = 0; p < panel_count(m.n); ++p) {
    const PanelPlanes planes = panel_planes(m, kPanelWidth);
    void* words = bytes + p * planes.bytes + planes.tail;
    tail(static_cast<float*>(words));
  }
  ir::Value* w = g.graph.add_constant("w" + std::to_string(i), dtype_of(m.layout), shape, std::move(owned));
  w->layout = m.layout;
  w->group = m.group;
  return w;
}

void write_file(const GraphMaker& g, const std::string& path) {
  const Status s = emit_file(g.graph, {}, path);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
}

// y = A (B x) twice, with 4-bit matrices of 71 MB each.
void write_model(const std::string& path) {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {1, kDeep});
  for (int i = 0; i < 4; ++i) {
    const int64_t n = i % 2 == 0 ? kWide : kDeep, k = i % 2 == 0 ? kDeep : kWide;
    const PanelMatrix m{Layout::i4s8, 32, static_cast<uint64_t>(n), static_cast<uint64_t>(k)};
    ir::Value* w = add_packed(g, m, {n, k}, i, [](float* tail) {  // sane scales and biases
      for (size_t c = 0; c < 64; ++c) tail[c] = c < 32 ? 1e-6f : 0.0f;
    });
    x = g.node("product" + std::to_string(i), schema::FullyConnectedOptionsT{}, {x, w});
  }
  g.output("y", x);
  write_file(g, path);
}

// A node whose output holds codes.
template <class OptionsT>
ir::Value* code_node(GraphMaker& g, const std::string& name, std::vector<ir::Value*> inputs) {
  schema::OpUnion op;
  op.Set(OptionsT{});
  ir::Value* y = g.graph.add_node(g.graph.main, nullptr, name, std::move(op), std::move(inputs))->out();
  y->dtype = DType::i8;
  y->quant = ir::Quant{{0.1f}, {3}, -1, 0};
  REQUIRE(ir::infer_node(*y->producer).is_ok());
  return y;
}

// An 8-bit network: 3x3 convolutions of 37 MB each over a picture that shrinks from 8 x 8 pixels to 2 x 2.
void write_code_model(const std::string& path) {
  constexpr int64_t kChannels = 2048;
  GraphMaker g;
  ir::Value* x =
      code_node<schema::QuantizeOptionsT>(g, "quantize", {g.input("x", DType::f32, {1, 8, 8, kChannels})});
  for (int i = 0; i < 3; ++i) {
    const Shape shape{kChannels, 3, 3, kChannels};
    const PanelMatrix m{Layout::i8c, 0, kChannels, 9 * kChannels};
    ir::Value* w = add_packed(g, m, shape, i, [](float* tail) {
      for (size_t c = 0; c < 96; ++c) tail[c] = c / 32 == 1 ? 1e-4f : 0.0f;
    });
    x = code_node<schema::ConvOptionsT>(g, "conv" + std::to_string(i), {x, w});
  }
  g.output("y", g.node("dequantize", schema::DequantizeOptionsT{}, {x}));
  write_file(g, path);
}

// Opens and runs a model of one input; the anonymous memory that took must stay below `kilobytes`.
void check_memory(const std::string& path, long kilobytes) {
  const long before = anonymous_kilobytes();
  if (before < 0) return;
  const uint64_t begin = monotonic_ns();
  auto model = Model::open(path.c_str());
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  auto session = Session::create(std::move(model).value(), {});
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  REQUIRE(session.value()->prepare().is_ok());
  const uint64_t prepared = monotonic_ns();
  std::memset(session.value()->input(0).data, 0, session.value()->input(0).byte_size());
  session.value()->input(0).as_mutable<float>()[5] = 1;
  REQUIRE(session.value()->run().is_ok());
  const uint64_t first = monotonic_ns();
  const long used = anonymous_kilobytes() - before;
  REQUIRE(session.value()->run().is_ok());
  const uint64_t second = monotonic_ns();
  MESSAGE("open and prepare " << static_cast<double>(prepared - begin) / 1e6 << " ms, first run "
                              << static_cast<double>(first - prepared) / 1e6 << " ms, second "
                              << static_cast<double>(second - first) / 1e6 << " ms, " << used
                              << " kB of memory");
  CHECK(used < kilobytes);
}

}  // namespace

TEST_CASE("a model with 285 MB of packed weights is opened and run without copying them") {
  if (!kCountsAllocations || sizeof(void*) < 8) return;  // sanitizers keep shadows; 32 bits may not map it
  const test::TempFolder folder;
  const std::string path = folder / "wide.pith";
  write_model(path);
  check_memory(path, 2900);  // 1 % of the weights
}

TEST_CASE("an 8-bit convolutional network of 113 MB is opened and run without copying its weights") {
  if (!kCountsAllocations || sizeof(void*) < 8 || !detect_cpu().has(Cpu::avx2)) return;
  const test::TempFolder folder;
  const std::string path = folder / "codes.pith";
  write_code_model(path);
  check_memory(
      path,
      1130 + 1100);  // 1 % of the weights; activations: 512 kB of floats, 2 x 128 kB of codes, 160 kB scratch
}
