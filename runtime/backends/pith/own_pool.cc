// Pooling of 8-bit codes, and means over all pixels of a picture: rows of channels, kernels/pool/code_rows.h.
#include <algorithm>
#include <cstring>

#include "kernels/base/requant.h"
#include "kernels/pool/code_rows.h"
#include "kernels/reduce/reduce.h"
#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/pool_window.h"
#include "runtime/ops/quant_helpers.h"
#include "runtime/ops/reduce_axes.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

constexpr size_t kMostRows = 1024;       // pixels under a window: their addresses are on the stack
constexpr size_t kStrip = 512;           // channels summed at a time
constexpr size_t kGrainBytes = 1 << 18;  // read in about 10 us

struct PoolState final : NodeState {
  PoolState() { owner = kPithOwner; }
  const kernels::CodeRowsKernel* kernel = nullptr;
  kernels::Window window;
  size_t channels = 0, pixels = 0;
  bool is_signed = false, average = false, count_padding = false;
  float scale = 1;  // of x in steps of y
  int32_t x_zero = 0, y_zero = 0;
};

struct Patch {
  const uint8_t* rows[kMostRows];
  size_t count = 0;
  bool whole = false;  // nothing of the window is left or right of the picture
};

// Of the pixel behind the one that the patch is of. Inside a line all rows move on alike.
void find_rows(const PoolState& s, const uint8_t* x, const kernels::Pixel& at, Patch* patch) {
  const kernels::Window& w = s.window;
  kernels::Taps taps[3];
  taps[2] = taps_of(w, 2, at.at[2]);
  const bool whole = taps[2].count() == w.kernel[2];
  if (whole && patch->whole && at.at[2] > 0) {
    const size_t step = static_cast<size_t>(w.stride[2]) * s.channels;
    for (size_t r = 0; r < patch->count; ++r) patch->rows[r] += step;
    return;
  }
  patch->whole = whole;
  for (int d = 0; d < 2; ++d) taps[d] = taps_of(w, d, at.at[d]);
  const uint8_t* image = x + at.image * w.in_count() * s.channels;
  patch->count = 0;
  for (int64_t i = taps[0].begin; i < taps[0].end; ++i)
    for (int64_t j = taps[1].begin; j < taps[1].end; ++j)
      for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
        const int64_t line = taps[0].at(i, w.dilation[0]) * w.in[1] + taps[1].at(j, w.dilation[1]);
        const auto pixel = static_cast<size_t>(line * w.in[2] + taps[2].at(k, w.dilation[2]));
        patch->rows[patch->count++] = image + pixel * s.channels;
      }
}

size_t padded_taps(const kernels::Window& w, const kernels::Pixel& at) {
  int64_t count = 1;
  for (int d = 0; d < 3; ++d) count *= taps_of(w, d, at.at[d], true).count();
  return static_cast<size_t>(count);
}

void average_pixel(const PoolState& s, const kernels::Pixel& at, Patch* patch, uint8_t* y) {
  const size_t taps = s.count_padding ? padded_taps(s.window, at) : patch->count;
  const float scale = taps == 0 ? 0.0f : s.scale / static_cast<float>(taps);
  const int32_t lo = s.is_signed ? -128 : 0, zeros = static_cast<int32_t>(patch->count) * s.x_zero;
  int32_t sums[kStrip] = {};
  for (size_t c = 0; c < s.channels; c += kStrip) {
    const size_t n = std::min(kStrip, s.channels - c);
    if (patch->count > 0) s.kernel->sum({patch->rows, patch->count, n, s.is_signed}, sums);
    for (size_t i = 0; i < n; ++i)
      y[c + i] = static_cast<uint8_t>(requantize(sums[i] - zeros, scale, s.y_zero, lo, lo + 255));
    for (size_t r = 0; r < patch->count; ++r) patch->rows[r] += n;
  }
  for (size_t r = 0; r < patch->count; ++r) patch->rows[r] -= s.channels;
}

void run_pool(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const PoolState*>(context.state);
  const auto* x = node.in(0).as<uint8_t>();
  auto* y = node.out(0).as_mutable<uint8_t>();
  parallel_for(context.pool, s.pixels, 1 + kGrainBytes / (s.window.taps() * s.channels), [&](Range pixels) {
    Patch patch;
    kernels::Pixel at = pixel_of(s.window, pixels.begin);
    for (size_t p = pixels.begin; p < pixels.end; ++p, next_pixel(s.window, &at)) {
      find_rows(s, x, at, &patch);
      uint8_t* to = y + p * s.channels;
      if (s.average)
        average_pixel(s, at, &patch, to);
      else if (patch.count > 0)
        s.kernel->max({patch.rows, patch.count, s.channels, s.is_signed}, to);
      else
        std::memset(to, s.is_signed ? 0x80 : 0, s.channels);
    }
  });
}

struct MeanState final : NodeState {
  MeanState() { owner = kPithOwner; }
  const kernels::CodeRowsKernel* kernel = nullptr;
  kernels::ReduceArgs args{};
};

// Of all pixels of each picture, channel by channel.
void run_mean(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const MeanState*>(context.state);
  kernels::ReduceArgs a = s.args;
  a.x = lane_of(node.in(0)), a.y = lane_of(node.out(0));
  const size_t n = a.shape.inner, count = a.shape.reduced_count;
  const auto* x = node.in(0).as<uint8_t>();
  const bool is_signed = a.x.dtype == DType::i8;
  const size_t strips = (n + kStrip - 1) / kStrip;
  parallel_for(
      context.pool, a.shape.kept_count * strips, 1 + kGrainBytes / (kStrip * count), [&](Range range) {
        for (size_t task = range.begin; task < range.end; ++task) {
          const size_t image = task / strips, c = task % strips * kStrip, some = std::min(kStrip, n - c);
          const uint8_t* rows[kMostRows];
          for (size_t r = 0; r < count; ++r) rows[r] = x + (image * count + r) * n + c;
          int32_t sums[kStrip];
          int64_t wide[kStrip];
          s.kernel->sum({rows, count, some, is_signed}, sums);
          std::copy(sums, sums + some, wide);
          store_code_results(a, wide, some, image * n + c);
        }
      });
}

}  // namespace

Status take_pool(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<schema::PoolOptions>();
  const TensorView &x = node.in(0), &y = node.out(0);
  if (!is_codes(x.dtype)) return leave("works on 8-bit codes only");
  if (o.kind() == schema::PoolKind::lp || node.has_out(1)) return leave("no kernel for positions and norms");
  auto s = std::make_unique<PoolState>();
  s->kernel = &kernels::select_code_rows(context.cpu());
  if (!worth_taking(s->kernel->needs, context.cpu())) return leave_scalar();
  s->window = pool_window(node);
  if (s->window.taps() > kMostRows) return leave("too large a window");
  s->channels = static_cast<size_t>(x.shape[x.shape.rank() - 1]);
  s->pixels = static_cast<size_t>(y.shape.count(0, y.shape.rank() - 1));
  s->is_signed = x.dtype == DType::i8;
  s->average = o.kind() == schema::PoolKind::average;
  s->count_padding = o.count_include_pad();
  if (s->average) {
    s->x_zero = x.quant.zero_points[0], s->y_zero = y.quant.zero_points[0];
    s->scale = x.quant.scales[0] / y.quant.scales[0];
  }
  context.use(s->average ? "average_of_code_rows" : "max_of_code_rows", run_pool);
  context.keep(std::move(s));
  return Status::ok();
}

Status take_reduce(const NodeView& node, PrepareContext& context) {
  const TensorView& x = node.in(0);
  if (x.quant.empty() || !is_codes(x.dtype)) return leave("works on 8-bit codes only");
  if (node.opt<schema::ReduceOptions>().kind() != schema::ReduceKind::mean) return leave("not a mean");
  uint32_t mask = 0;
  PITH_RETURN_IF_ERROR(read_reduce_mask(node, &mask));
  auto s = std::make_unique<MeanState>();
  s->args.kind = kernels::ReduceKind::mean;
  s->args.shape = kernels::make_reduce_shape(x.shape.dims(), mask);
  const kernels::ReduceShape& shape = s->args.shape;
  const bool pictures = shape.inner_kept && shape.reduced.rank == 1 &&
                        shape.reduced.stride[0] == shape.inner && shape.kept.rank <= 1 &&
                        shape.reduced_count <= kMostRows;
  if (!pictures) return leave("not a mean over the pixels of pictures");
  s->kernel = &kernels::select_code_rows(context.cpu());
  if (!worth_taking(s->kernel->needs, context.cpu())) return leave_scalar();
  context.use("mean_of_code_rows", run_mean);
  context.keep(std::move(s));
  return Status::ok();
}

}  // namespace pith
