// Linear resizing of pictures of 8-bit codes, kernels/resize/blend_codes.h: two rows of the input blend to a line of floats, and
// neighbouring pixels of that line to the codes of each output pixel.
#include <algorithm>

#include "kernels/resize/blend_codes.h"
#include "runtime/backends/pith/codes_state.h"
#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/quant_helpers.h"
#include "runtime/ops/requant_state.h"
#include "runtime/ops/resize_axes.h"

namespace pith {
namespace {

constexpr size_t kLeastChannels = 8;    // fewer do not fill a vector
constexpr uint64_t kElementsPerNs = 2;  // to decide on threads

struct ResizeCodesState final : NodeState {
  ResizeCodesState() { owner = kPithOwner; }
  const kernels::BlendCodesKernel* kernel = nullptr;
  ResizeTable h, w;
  size_t rows = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  size_t threads = 1;
  bool is_signed = false;
  size_t line() const { return in_w * channels; }
};

kernels::BlendWeights weights_of(const ResizeTable& t, size_t o) {
  return {t.weight[2 * o], t.weight[2 * o + 1]};
}

void resize_rows(const ResizeCodesState& s, const uint8_t* x, uint8_t* y, Range rows, float* line) {
  const size_t c = s.channels;
  for (size_t row = rows.begin; row < rows.end; ++row) {
    const size_t image = row / s.out_h, o = row % s.out_h;
    const auto in_row = [&](size_t tap) {
      return x + (image * s.in_h + static_cast<size_t>(s.h.index[2 * o + tap])) * s.line();
    };
    s.kernel->to_floats(in_row(0), in_row(1), weights_of(s.h, o), line, s.line(), s.is_signed);
    uint8_t* to = y + row * s.out_w * c;
    for (size_t p = 0; p < s.out_w; ++p, to += c) {
      const float* a = line + static_cast<size_t>(s.w.index[2 * p]) * c;
      const float* b = line + static_cast<size_t>(s.w.index[2 * p + 1]) * c;
      s.kernel->to_codes(a, b, weights_of(s.w, p), to, c, s.is_signed);
    }
  }
}

void run_resize(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const ResizeCodesState*>(context.state);
  parallel_for(s.threads > 1 ? context.pool : nullptr, s.threads, 1, [&](Range parts) {
    for (size_t part = parts.begin; part < parts.end; ++part)
      resize_rows(s, node.in(0).as<uint8_t>(), node.out(0).as_mutable<uint8_t>(),
                  share_of(s.rows, 1, s.threads, part),
                  static_cast<float*>(context.scratch) + part * s.line());
  });
}

// Every output looks at its own input.
ResizeTable same_places(size_t n) {
  ResizeTable t;
  t.taps = 2;
  for (size_t o = 0; o < n; ++o) {
    t.index.insert(t.index.end(), 2, static_cast<int64_t>(o));
    t.weight.push_back(1), t.weight.push_back(0);
  }
  return t;
}

Status make_tables(const NodeView& node, ResizeCodesState* s) {
  std::vector<ResizeAxis> axes;
  PITH_RETURN_IF_ERROR(changing_axes(node, &axes));
  s->h = same_places(s->out_h), s->w = same_places(s->out_w);
  for (const ResizeAxis& a : axes) {
    if (a.axis != 1 && a.axis != 2) return leave("not over the middle dims of [N, H, W, C]");
    ResizeTable& t = a.axis == 1 ? s->h : s->w;
    t = {};
    if (!make_resize_table(a, node.opt<schema::ResizeOptions>(), &t) || t.taps != 2 || !t.outside.empty())
      return leave("more than two neighbours, or places outside");
  }
  return Status::ok();
}

}  // namespace

Status take_resize(const NodeView& node, PrepareContext& context) {
  const TensorView &x = node.in(0), &y = node.out(0);
  if (!is_codes(x.dtype) || node.opt<schema::ResizeOptions>().mode() != schema::ResizeMode::linear)
    return leave("works on 8-bit codes, linearly, only");
  if (x.shape.rank() != 4) return leave("no picture");
  const auto size = [](int64_t n) { return static_cast<size_t>(n); };
  auto s = std::make_unique<ResizeCodesState>();
  s->kernel = &kernels::select_blend_codes(context.cpu());
  if (!worth_taking(s->kernel->needs, context.cpu())) return leave_scalar();
  s->in_h = size(x.shape[1]), s->in_w = size(x.shape[2]), s->channels = size(x.shape[3]);
  s->out_h = size(y.shape[1]), s->out_w = size(y.shape[2]);
  s->is_signed = x.dtype == DType::i8;
  if (s->channels < kLeastChannels) return leave("few channels");
  PITH_RETURN_IF_ERROR(make_tables(node, s.get()));
  s->rows = size(y.shape[0]) * s->out_h;
  const uint64_t work = uint64_t{s->rows} * (s->line() + s->out_w * s->channels);
  s->threads = std::min(useful_threads(context.pool(), work, kElementsPerNs), s->rows);
  context.request_scratch(s->threads * s->line() * sizeof(float));
  context.keep(std::move(s));
  context.use("resize_codes", run_resize);
  return Status::ok();
}

}  // namespace pith
