// The table of expected times: what a node's work is, and that every backend has a row for everything.
#include "runtime/exec/cost_table.h"

#include <doctest/doctest.h>

#include "kernels/base/cpu.h"

namespace pith {
namespace {

constexpr Cpu kWide{Cpu::avx2 | Cpu::avx512vnni, false}, kPlain{Cpu::none, false};

uint64_t ns(BackendChoice b, WorkKind kind, WorkType type, uint64_t units, uint64_t depth, Cpu cpu) {
  return expected_ns(b, {kind, type, units, depth}, cpu);
}

}  // namespace

TEST_CASE("every backend has an expectation for all work on every processor, and more work takes longer") {
  for (BackendChoice b : {BackendChoice::pith, BackendChoice::xnnpack, BackendChoice::reference})
    for (WorkKind kind : {WorkKind::dense, WorkKind::depthwise, WorkKind::each})
      for (WorkType type : {WorkType::any, WorkType::f32, WorkType::codes, WorkType::panels})
        for (Cpu cpu : {kWide, kPlain}) {
          CHECK(ns(b, kind, type, 0, 1, cpu) >= 1);
          CHECK(ns(b, kind, type, 1 << 20, 64, cpu) > ns(b, kind, type, 1 << 10, 64, cpu));
          CHECK(ns(b, kind, type, UINT64_MAX, 64, cpu) > uint64_t{1} << 50);  // no overflow
        }
}

TEST_CASE("the table knows what the benches show on wide processors") {
  const auto ours = BackendChoice::pith, xnn = BackendChoice::xnnpack, ref = BackendChoice::reference;
  const uint64_t n = 1'000'000;
  CHECK(ns(ours, WorkKind::depthwise, WorkType::codes, n, 9, kWide) * 2 <
        ns(xnn, WorkKind::depthwise, WorkType::codes, n, 9, kWide));
  CHECK(ns(ours, WorkKind::dense, WorkType::codes, n, 27, kWide) * 2 <
        ns(xnn, WorkKind::dense, WorkType::codes, n, 27, kWide) + 1000);
  CHECK(ns(xnn, WorkKind::dense, WorkType::f32, n, 64, kWide) * 10 <
        ns(ref, WorkKind::dense, WorkType::f32, n, 64, kWide));
  // A handful of numbers is not worth setting up an XNNPACK operator.
  CHECK(ns(ref, WorkKind::each, WorkType::f32, 10, 1, kWide) <
        ns(xnn, WorkKind::each, WorkType::f32, 10, 1, kWide));
}

TEST_CASE("the work of a convolution is its multiply-adds, of other nodes their elements") {
  TensorView x, w, y;
  x.shape = Shape({1, 8, 8, 16}), w.shape = Shape({32, 3, 3, 16}), y.shape = Shape({1, 8, 8, 32});
  x.dtype = w.dtype = y.dtype = DType::i8;
  TensorView* inputs[] = {&x, &w};
  TensorView* outputs[] = {&y};
  flatbuffers::FlatBufferBuilder b;
  b.Finish(schema::CreateConvOptions(b));
  NodeView node;
  node.op = schema::Op::ConvOptions;
  node.options = flatbuffers::GetRoot<schema::ConvOptions>(b.GetBufferPointer());
  node.inputs = inputs;
  node.outputs = outputs;
  Work work = work_of(node);
  CHECK(work.kind == WorkKind::dense);
  CHECK(work.type == WorkType::codes);
  CHECK(work.depth == 144);
  CHECK(work.units == 8 * 8 * 32 * 144);
  node.op = schema::Op::SoftmaxOptions;
  x.dtype = DType::f32;
  work = work_of(node);
  CHECK(work.kind == WorkKind::each);
  CHECK(work.type == WorkType::f32);
  CHECK(work.units == 8 * 8 * 32);
}

}  // namespace pith
