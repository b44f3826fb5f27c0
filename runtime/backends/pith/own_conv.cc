// Conv and FullyConnected over 8-bit codes: kernels/conv/conv_i8.h for dense ones, kernels/depthwise/depthwise_i8.h where
// every channel has its own kernel.
#include <algorithm>

#include "kernels/conv/conv_i8.h"
#include "kernels/depthwise/depthwise_i8.h"
#include "runtime/backends/pith/codes_state.h"
#include "runtime/backends/pith/own_conv_parts.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/panel_codes.h"
#include "runtime/ops/panel_conv.h"
#include "runtime/ops/panel_product.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using kernels::ConvI8Shape;

struct ConvState : NodeState {
  ConvState() { owner = kPithOwner; }
  kernels::ConvI8Plan plan;
  CodesGrid grid;
  CodesFinish finish;
  AlignedCodes packed;  // null: the weights are read in place
  const int8_t* panels = nullptr;
  size_t threads = 1;
  bool by_panels = false;  // threads share the panels, not the pixels
  size_t unit = 1;         // pixels of a tile
  BriefWork brief;
};

void run_conv(const NodeView& node, RunContext& context) {
  auto& s = *static_cast<ConvState*>(context.state);
  const kernels::ConvI8Args a{node.in(0).data,  s.panels,      s.finish.start.data(), s.finish.scale.data(),
                              node.out(0).data, s.grid.x_zero, s.grid.y_zero,         s.grid.y_lo,
                              s.grid.y_hi,      s.grid.y_flip};
  const bool share = s.threads > 1 && s.brief.may_share();
  parallel_for(share ? context.pool : nullptr, s.threads, 1, [&](Range parts) {
    for (size_t part = parts.begin; part < parts.end; ++part) {
      auto* scratch = static_cast<uint8_t*>(context.scratch) + part * s.plan.scratch_bytes;
      const Range pixels =
          s.by_panels ? Range{0, s.plan.pixels} : share_of(s.plan.pixels, s.unit, s.threads, part);
      const Range panels =
          s.by_panels ? share_of(s.plan.panels, 1, s.threads, part) : Range{0, s.plan.panels};
      kernels::conv_i8(s.plan, a, pixels, panels, scratch);
    }
  });
  if (share) s.brief.shared();
}

// Panels as they are needed by all shares of the work; the slowest share counts.
void split_work(ConvState* s, ThreadPool* pool) {
  const kernels::ConvI8Plan& p = s->plan;
  const uint64_t work = uint64_t{p.pixels} * p.panels * 32 * p.run_count * p.run_bytes;
  s->unit = p.panels > 1 ? p.kernel->rows_wide : p.kernel->rows_narrow;
  s->threads = useful_threads(pool, work, p.kernel->speed);
  s->brief.expect(is_brief(work, p.kernel->speed));
  const size_t tiles = (p.pixels + s->unit - 1) / s->unit, n = s->threads;
  s->by_panels = (p.panels + n - 1) / n * tiles < (tiles + n - 1) / n * p.panels;
  s->threads = std::min(n, s->by_panels ? p.panels : tiles);
}

// Panels in the file are used where they are mapped; row-major weights are packed.
Status read_weights(const NodeView& node, const kernels::ConvI8Weights& shape,
                    const kernels::ConvI8Kernel& kernel, SignedCodes* codes, ConvState* s) {
  if (has_code_panels(node)) {
    codes->scales = scales_of_code_panels(node.in(1));
    s->panels = node.in(1).as<int8_t>();
    return Status::ok();
  }
  const bool takes_lowest = kernel.flip != 0 || kernel.needs == Cpu::none;
  PITH_RETURN_IF_ERROR(read_signed_codes(node, takes_lowest ? -128 : -127, codes));
  s->packed = allocate_codes(kernels::conv_i8_bytes(shape));
  if (s->packed == nullptr) return Status(Code::no_memory, "no memory for packed weights");
  kernels::pack_conv_i8(shape, codes->codes, codes->scales.data(), s->packed.get());
  s->panels = s->packed.get();
  return Status::ok();
}

Status take_dense(const NodeView& node, PrepareContext& context, const ConvI8Shape& shape, float clamp_min,
                  float clamp_max, const char* name) {
  auto s = std::make_unique<ConvState>();
  const kernels::ConvI8Kernel& kernel = kernels::select_conv_i8(context.cpu());
  if (!worth_taking(kernel.needs, context.cpu())) return leave_scalar();
  PITH_RETURN_IF_ERROR(read_codes_grid(node, clamp_min, clamp_max, &s->grid));
  if (!kernels::plan_conv_i8(shape, kernel, s->grid.x_is_u8, &s->plan))
    return leave("too large or dilated a kernel");
  const kernels::ConvI8Weights weights{shape.out_channels, shape.kernel_h,
                                       shape.kernel_w * shape.in_channels};
  SignedCodes codes;
  PITH_RETURN_IF_ERROR(read_weights(node, weights, kernel, &codes, s.get()));
  std::vector<int32_t> sums(shape.out_channels);
  kernels::conv_i8_sums(weights, s->panels, sums.data());
  const CodesSums all{sums.data(), codes.scales.data(), shape.out_channels, s->plan.panels * 32,
                      weights.rows * weights.run};
  PITH_RETURN_IF_ERROR(make_finish(node, s->grid, all, kernel.flip, &s->finish));
  split_work(s.get(), context.pool());
  context.request_scratch(s->threads * s->plan.scratch_bytes);
  context.keep(std::move(s));
  context.use(name, run_conv);
  return Status::ok();
}

struct DepthwiseState : NodeState {
  DepthwiseState() { owner = kPithOwner; }
  kernels::DepthwiseI8Plan plan;
  CodesGrid grid;
  CodesFinish finish;
  AlignedCodes packed;
  const int8_t* weights = nullptr;
  size_t threads = 1;
  BriefWork brief;
};

void run_depthwise(const NodeView& node, RunContext& context) {
  auto& s = *static_cast<DepthwiseState*>(context.state);
  const kernels::DepthwiseI8Args a{
      node.in(0).data, s.weights,     s.finish.start.data(), s.finish.scale.data(), node.out(0).data,
      s.grid.x_zero,   s.grid.y_zero, s.grid.y_lo,           s.grid.y_hi,           s.grid.y_flip};
  const size_t rows = s.plan.shape.images * s.plan.shape.out_h;
  const bool share = s.threads > 1 && s.brief.may_share();
  parallel_for(share ? context.pool : nullptr, s.threads, 1, [&](Range parts) {
    for (size_t part = parts.begin; part < parts.end; ++part) {
      auto* scratch = static_cast<uint8_t*>(context.scratch) + part * s.plan.scratch_bytes;
      kernels::depthwise_i8(s.plan, a, share_of(rows, 1, s.threads, part), scratch);
    }
  });
  if (share) s.brief.shared();
}

Status take_depthwise(const NodeView& node, PrepareContext& context, const ConvI8Shape& c, float clamp_min,
                      float clamp_max) {
  auto s = std::make_unique<DepthwiseState>();
  const kernels::DepthwiseI8Kernel& kernel = kernels::select_depthwise_i8(context.cpu());
  if (!worth_taking(kernel.needs, context.cpu())) return leave_scalar();
  const kernels::DepthwiseI8Shape shape{c.images,      c.in_h,       c.in_w,     c.out_h,    c.out_w,
                                        c.in_channels, c.kernel_h,   c.kernel_w, c.stride_h, c.stride_w,
                                        c.dilation_h,  c.dilation_w, c.pad_top,  c.pad_left};
  PITH_RETURN_IF_ERROR(read_codes_grid(node, clamp_min, clamp_max, &s->grid));
  if (!kernels::plan_depthwise_i8(shape, kernel, s->grid.x_is_u8, &s->plan))
    return leave("too large a kernel");
  SignedCodes codes;
  const bool takes_lowest = kernel.flip != 0 || kernel.needs == Cpu::none;
  PITH_RETURN_IF_ERROR(read_signed_codes(node, takes_lowest ? -128 : -127, &codes));
  s->packed = allocate_codes(kernels::depthwise_bytes(shape.channels, shape.kernel_h, shape.kernel_w));
  if (s->packed == nullptr) return Status(Code::no_memory, "no memory for packed weights");
  kernels::pack_depthwise_i8(codes.codes, codes.scales.data(), shape.channels, shape.kernel_h, shape.kernel_w,
                             s->packed.get());
  s->weights = s->packed.get();
  const CodesSums all{kernels::depthwise_sums(s->weights, shape.channels, shape.kernel_h, shape.kernel_w),
                      codes.scales.data(), shape.channels, kernels::depthwise_channels(shape.channels),
                      shape.kernel_h * shape.kernel_w};
  PITH_RETURN_IF_ERROR(make_finish(node, s->grid, all, kernel.flip, &s->finish));
  const size_t rows = shape.images * shape.out_h;
  const uint64_t work = uint64_t{rows} * shape.out_w * shape.channels * shape.kernel_h * shape.kernel_w;
  s->threads = std::min(useful_threads(context.pool(), work, kernel.speed), rows);
  s->brief.expect(is_brief(work, kernel.speed));
  context.request_scratch(s->threads * s->plan.scratch_bytes);
  context.keep(std::move(s));
  context.use("depthwise_i8", run_depthwise);
  return Status::ok();
}

}  // namespace

Status take_conv(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::ConvOptions>();
  if (has_panels(node) && !has_code_panels(node))
    return prepare_panel_conv(node, context, context.cpu(), kPithOwner);
  if (node.in(0).dtype != DType::i8 && node.in(0).dtype != DType::u8)
    return leave("works on 8-bit codes only");
  ConvI8Shape s{};
  if (!flat_conv_shape(node, conv_window(node, window_options(o)), &s))
    return leave("a window of three dims");
  if (o.groups() == 1) return take_dense(node, context, s, o.clamp_min(), o.clamp_max(), "conv_i8");
  const bool small = s.kernel_w <= kernels::kDepthwiseMaxWidth && s.kernel_h <= kernels::kDepthwiseMaxHeight;
  if (o.groups() == s.in_channels && s.in_channels == s.out_channels && small)
    return take_depthwise(node, context, s, o.clamp_min(), o.clamp_max());
  return take_conv_parts(node, context, {s, o.groups(), false}, {o.clamp_min(), o.clamp_max()});
}

Status take_fully_connected(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::FullyConnectedOptions>();
  const TensorView &x = node.in(0), &w = node.in(1);
  if (x.dtype != DType::i8 && x.dtype != DType::u8) return leave("works on 8-bit codes only");
  const auto rows = static_cast<size_t>(x.shape.count(0, x.shape.rank() - 1));
  const ConvI8Shape s{
      1, 1, rows, 1, rows, static_cast<size_t>(w.shape[1]), static_cast<size_t>(w.shape[0]), 1, 1, 1,
      1, 1, 1,    0, 0};
  return take_dense(node, context, s, o.clamp_min(), o.clamp_max(), "fully_connected_i8");
}

}  // namespace pith
