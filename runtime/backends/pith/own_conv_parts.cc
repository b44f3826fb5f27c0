// One set of panels per phase and group, packed when a session is prepared. Tasks are the parts of all images, their rows divided
// where there are fewer parts than threads.
#include "runtime/backends/pith/own_conv_parts.h"

#include <algorithm>

#include "runtime/backends/pith/codes_state.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using kernels::ConvPartsShape;
using kernels::ConvPhase;

struct PartsState final : NodeState {
  PartsState() { owner = kPithOwner; }
  ConvPartsShape shape{};
  std::vector<ConvPhase> phases;
  std::vector<size_t> at;  // of a phase's panels within those of its group
  size_t group_bytes = 0, padded = 0, scratch_bytes = 0, splits = 1;
  AlignedCodes packed;
  CodesGrid grid;
  CodesFinish finish;  // [phases, groups, padded]
  size_t threads = 1;
  BriefWork brief;
};

size_t align(size_t n) { return (n + 63) / 64 * 64; }

void run_part(const NodeView& node, const PartsState& s, size_t task, uint8_t* scratch) {
  const size_t phases = s.phases.size(), groups = s.shape.groups;
  const size_t split = task % s.splits, part = task / s.splits;
  const size_t group = part % groups, phase = part / groups % phases, image = part / groups / phases;
  const size_t first = (phase * groups + group) * s.padded;
  const kernels::ConvI8Args a{node.in(0).data,
                              s.packed.get() + group * s.group_bytes + s.at[phase],
                              s.finish.start.data() + first,
                              s.finish.scale.data() + first,
                              node.out(0).data,
                              s.grid.x_zero,
                              s.grid.y_zero,
                              s.grid.y_lo,
                              s.grid.y_hi,
                              s.grid.y_flip};
  const Range rows = share_of(s.phases[phase].h.count, 1, s.splits, split);
  kernels::conv_i8_part(s.shape, s.phases[phase], a, {image, group}, rows, scratch);
}

void run_parts(const NodeView& node, RunContext& context) {
  auto& s = *static_cast<PartsState*>(context.state);
  const size_t tasks = s.shape.whole.images * s.phases.size() * s.shape.groups * s.splits;
  const bool share = s.threads > 1 && s.brief.may_share();
  parallel_for(share ? context.pool : nullptr, s.threads, 1, [&](Range workers) {
    for (size_t w = workers.begin; w < workers.end; ++w) {
      const Range mine = share_of(tasks, 1, s.threads, w);
      auto* scratch = static_cast<uint8_t*>(context.scratch) + w * s.scratch_bytes;
      for (size_t t = mine.begin; t < mine.end; ++t) run_part(node, s, t, scratch);
    }
  });
  if (share) s.brief.shared();
}

kernels::ConvI8Weights weights_of(const ConvPartsShape& s, const ConvPhase& p) {
  return {s.out_each(), p.h.taps, p.w.taps * s.in_each()};
}

Status plan_phases(const kernels::ConvI8Kernel& kernel, PartsState* s) {
  s->phases.resize(s->shape.phases());
  for (size_t i = 0; i < s->phases.size(); ++i) {
    ConvPhase& p = s->phases[i];
    if (!plan_conv_phase(s->shape, i, kernel, s->grid.x_is_u8, &p))
      return leave("too large or dilated a kernel");
    s->at.push_back(s->group_bytes);
    if (!p.bare) s->group_bytes += kernels::conv_i8_bytes(weights_of(s->shape, p));
    s->scratch_bytes = std::max(s->scratch_bytes, align(p.scratch_bytes));
  }
  s->padded = (s->shape.out_each() + 31) / 32 * 32;
  return Status::ok();
}

// Panels of phase i for every group.
void pack_phase(const SignedCodes& codes, size_t i, PartsState* s) {
  const ConvPhase& p = s->phases[i];
  if (p.bare) return;
  const size_t each = s->shape.out_each();
  const kernels::ConvI8Weights w = weights_of(s->shape, p);
  std::vector<int8_t> ordered(each * w.rows * w.run);
  for (size_t g = 0; g < s->shape.groups; ++g) {
    kernels::conv_phase_weights(s->shape, p, g, codes.codes, ordered.data());
    kernels::pack_conv_i8(w, ordered.data(), codes.scales.data() + g * each,
                          s->packed.get() + g * s->group_bytes + s->at[i]);
  }
}

Status read_weights(const NodeView& node, const kernels::ConvI8Kernel& kernel, SignedCodes* codes,
                    PartsState* s) {
  const bool takes_lowest = kernel.flip != 0 || kernel.needs == Cpu::none;
  PITH_RETURN_IF_ERROR(read_signed_codes(node, takes_lowest ? -128 : -127, codes));
  s->packed = allocate_codes(std::max<size_t>(s->group_bytes * s->shape.groups, 1));
  if (s->packed == nullptr) return Status(Code::no_memory, "no memory for packed weights");
  for (size_t i = 0; i < s->phases.size(); ++i) pack_phase(*codes, i, s);
  return Status::ok();
}

// Start values and scales of phase i, each group's padded to whole panels.
Status finish_phase(const NodeView& node, const SignedCodes& codes, size_t i, uint8_t flip, PartsState* s) {
  const size_t each = s->shape.out_each(), outputs = s->shape.whole.out_channels, groups = s->shape.groups;
  std::vector<int32_t> sums(outputs, 0);
  const ConvPhase& p = s->phases[i];
  for (size_t g = 0; g < groups && !p.bare; ++g)
    kernels::conv_i8_sums(weights_of(s->shape, p), s->packed.get() + g * s->group_bytes + s->at[i],
                          sums.data() + g * each);
  CodesFinish all;
  const CodesSums totals{sums.data(), codes.scales.data(), outputs, outputs,
                         p.h.taps * p.w.taps * s->shape.in_each()};
  PITH_RETURN_IF_ERROR(make_finish(node, s->grid, totals, flip, &all));
  for (size_t g = 0; g < groups; ++g) {
    const size_t to = (i * groups + g) * s->padded;
    std::copy_n(all.start.begin() + static_cast<ptrdiff_t>(g * each), each, s->finish.start.data() + to);
    std::copy_n(all.scale.begin() + static_cast<ptrdiff_t>(g * each), each, s->finish.scale.data() + to);
  }
  return Status::ok();
}

void split_work(PartsState* s, ThreadPool* pool, uint64_t speed) {
  const kernels::ConvI8Shape& w = s->shape.whole;
  const uint64_t pixels = s->shape.transposed ? uint64_t{w.in_h} * w.in_w : uint64_t{w.out_h} * w.out_w;
  const uint64_t work =
      w.images * pixels * w.out_channels * w.kernel_h * w.kernel_w * uint64_t{s->shape.in_each()};
  s->threads = useful_threads(pool, work, speed);
  s->brief.expect(is_brief(work, speed));
  const size_t parts = w.images * s->phases.size() * s->shape.groups;
  s->splits = parts % s->threads == 0 || parts >= 4 * s->threads ? 1 : s->threads;
  s->threads = std::min(s->threads, parts * s->splits);
}

}  // namespace

bool flat_conv_shape(const NodeView& node, const kernels::Window& w, kernels::ConvI8Shape* s) {
  if (w.in[0] != 1 || w.out[0] != 1 || w.kernel[0] != 1 || w.pad[0] != 0) return false;
  const auto size = [](int64_t v) { return static_cast<size_t>(v); };
  const auto last = [&](const TensorView& t) { return size(t.shape[t.shape.rank() - 1]); };
  *s = {size(node.in(0).shape[0]),
        size(w.in[1]),
        size(w.in[2]),
        size(w.out[1]),
        size(w.out[2]),
        last(node.in(0)),
        last(node.out(0)),
        size(w.kernel[1]),
        size(w.kernel[2]),
        size(w.stride[1]),
        size(w.stride[2]),
        size(w.dilation[1]),
        size(w.dilation[2]),
        size(w.pad[1]),
        size(w.pad[2])};
  return true;
}

Status take_conv_parts(const NodeView& node, PrepareContext& context, const ConvPartsShape& shape,
                       RealClamp clamp) {
  const kernels::ConvI8Kernel& kernel = kernels::select_conv_i8(context.cpu());
  if (!worth_taking(kernel.needs, context.cpu())) return leave_scalar();
  auto s = std::make_unique<PartsState>();
  s->shape = shape;
  PITH_RETURN_IF_ERROR(read_codes_grid(node, clamp.min, clamp.max, &s->grid));
  PITH_RETURN_IF_ERROR(plan_phases(kernel, s.get()));
  SignedCodes codes;
  PITH_RETURN_IF_ERROR(read_weights(node, kernel, &codes, s.get()));
  s->finish.start.assign(s->phases.size() * shape.groups * s->padded, 0);
  s->finish.scale.assign(s->finish.start.size(), 0);
  for (size_t i = 0; i < s->phases.size(); ++i)
    PITH_RETURN_IF_ERROR(finish_phase(node, codes, i, kernel.flip, s.get()));
  split_work(s.get(), context.pool(), kernel.speed);
  context.request_scratch(s->threads * s->scratch_bytes);
  context.keep(std::move(s));
  context.use(shape.transposed ? "conv_transpose_i8" : "grouped_conv_i8", run_parts);
  return Status::ok();
}

Status take_conv_transpose(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::ConvTransposeOptions>();
  if (node.in(0).dtype != DType::i8 && node.in(0).dtype != DType::u8)
    return leave("works on 8-bit codes only");
  kernels::ConvI8Shape s{};
  if (!flat_conv_shape(node, conv_window(node, window_options(o)), &s))
    return leave("a window of three dims");
  // One phase per place in a stride: as many sets of weights.
  constexpr size_t kMostPhases = 64;
  if (s.stride_h > kMostPhases || s.stride_w > kMostPhases || s.stride_h * s.stride_w > kMostPhases)
    return leave("too large a stride");
  return take_conv_parts(node, context, {s, o.groups(), true}, {o.clamp_min(), o.clamp_max()});
}

}  // namespace pith
