// Work is split into blocks of rows, outermost, so that the weights are read once per block, and panels.
#include "runtime/ops/panel_product.h"

#include <algorithm>

#include "kernels/gemm/panel_f16.h"
#include "kernels/gemm/panel_gemm.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/panel_weights.h"

namespace pith {
namespace {

using kernels::PanelGemmKernel;
using kernels::RowQuantizer;

class PanelProductState : public NodeState {
 public:
  const PanelGemmKernel* kernel = nullptr;
  const RowQuantizer* quantizer = nullptr;
  size_t rows_per_block = 1;
  bool serial = false;  // too little work to wake other threads
};

constexpr size_t kBlockBytes = size_t{512} << 10;    // codes of a block of rows stay in the second cache
constexpr size_t kRowStep = 64;                      // what kernels take at once
constexpr uint64_t kSerialWork = uint64_t{1} << 17;  // multiply-adds: about 2 us, less than a hand-over

struct Extents {
  size_t m, n, k;
};
Extents extents(const NodeView& node) {
  const Shape &x = node.in(0).shape, &w = node.in(1).shape;
  return {static_cast<size_t>(x.count(0, x.rank() - 1)), static_cast<size_t>(w[0]),
          static_cast<size_t>(w[1])};
}

size_t rows_per_block(const Extents& e, size_t threads) {
  size_t rows = std::max(kRowStep, kBlockBytes / e.k / kRowStep * kRowStep);
  if (panel_count(e.n) < 4 * threads) rows = kRowStep;  // too few panels to keep all threads busy
  const size_t blocks = (e.m + rows - 1) / rows;
  return (e.m + blocks - 1) / blocks;  // dealt evenly
}

// kernel(panels, rows) for all panels of one block of rows after the other.
template <class F>
void each_block(ThreadPool* pool, size_t m, size_t per_block, size_t panels, const F& kernel) {
  const size_t blocks = (m + per_block - 1) / per_block;
  parallel_for(pool, blocks * panels, 1, [&](Range tasks) {
    for (size_t t = tasks.begin; t < tasks.end;) {
      const size_t row = t / panels * per_block, first = t % panels;
      const size_t count = std::min(panels - first, tasks.end - t);
      kernel(Range{first, first + count}, Range{row, std::min(m, row + per_block)});
      t += count;
    }
  });
}

void run(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const PanelProductState*>(context.state);
  const Extents e = extents(node);
  const auto& o = node.opt<schema::FullyConnectedOptions>();
  ThreadPool* pool = state.serial ? nullptr : context.pool;
  kernels::PanelGemmArgs a;
  a.w = kernels::panel_weights(panel_matrix_of(node.in(1)), node.in(1).data, node.in(1).codebook);
  a.x = kernels::place_row_codes(state.kernel->form, e.m, e.k, context.scratch);
  a.y = node.out(0).as_mutable<float>();
  a.clamp_min = o.clamp_min(), a.clamp_max = o.clamp_max();
  const auto* x = node.in(0).as<float>();
  parallel_for(pool, e.m, 1, [&](Range rows) { state.quantizer->fn(x, a.x, rows); });
  each_block(pool, e.m, state.rows_per_block, a.w.panels,
             [&](Range panels, Range rows) { state.kernel->fn(a, panels, rows); });
}

// Weights in halves: float rows are read as they are.
class HalfProductState : public NodeState {
 public:
  const kernels::PanelF16Kernel* kernel = nullptr;
  bool serial = false;
};

constexpr size_t kHalfRows = 48;  // of x in a block: a multiple of every kernel's rows

void run_halves(const NodeView& node, RunContext& context) {
  const auto& state = *static_cast<const HalfProductState*>(context.state);
  const Extents e = extents(node);
  const auto& o = node.opt<schema::FullyConnectedOptions>();
  kernels::PanelF16Args a;
  a.w = kernels::panel_weights(panel_matrix_of(node.in(1)), node.in(1).data, nullptr);
  a.x = node.in(0).as<float>();
  a.y = node.out(0).as_mutable<float>();
  a.clamp_min = o.clamp_min(), a.clamp_max = o.clamp_max();
  each_block(state.serial ? nullptr : context.pool, e.m, kHalfRows, a.w.panels,
             [&](Range panels, Range rows) { state.kernel->fn(a, panels, rows); });
}

Status prepare_halves(const NodeView& node, PrepareContext& context, Cpu cpu, const char* owner) {
  const Extents e = extents(node);
  auto state = std::make_unique<HalfProductState>();
  state->owner = owner;
  state->kernel = &kernels::select_panel_f16(cpu);
  state->serial = static_cast<uint64_t>(e.m) * e.n * e.k < kSerialWork;
  context.use(state->kernel->name, run_halves);
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

Status check_panel_product(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32}));
  if (node.has(2))
    return node_error(node, Code::bad_file, "packed weights hold their bias; a third input must be omitted");
  const bool halves = node.in(1).layout == Layout::f16_panel && node.op == schema::Op::FullyConnectedOptions;
  if (!halves && kernels::select_panel_gemm(node.in(1).layout, Cpu{}) == nullptr)
    return node_error(node, Code::unsupported, "no kernel multiplies weights of this layout");
  return Status::ok();
}

Status prepare_panel_product(const NodeView& node, PrepareContext& context, Cpu cpu, const char* owner) {
  if (node.in(1).layout == Layout::f16_panel) return prepare_halves(node, context, cpu, owner);
  const Extents e = extents(node);
  auto state = std::make_unique<PanelProductState>();
  state->owner = owner;
  state->kernel = kernels::select_panel_gemm(node.in(1).layout, cpu);
  state->quantizer = &kernels::select_row_quantizer(cpu);
  context.use(state->kernel->name, run);
  if (node.out(0).count() > 0) {
    const size_t threads = context.pool() == nullptr ? 1 : context.pool()->threads();
    state->rows_per_block = rows_per_block(e, threads);
    state->serial = static_cast<uint64_t>(e.m) * e.n * e.k < kSerialWork;
    context.request_scratch(kernels::row_codes_bytes(state->kernel->form, e.m, e.k));
  }
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace pith
