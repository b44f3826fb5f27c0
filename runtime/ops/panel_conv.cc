// A window of one pixel: rows of x are quantized as those of a product are. Larger windows: each picture is quantized once, on
// one grid, and patches are made of its codes.
// Pixels go in tiles: patches are gathered a few at a time (so that they stay in the first cache), become row codes, and the
// tile's codes meet every panel. Threads take tiles; where there are few pixels and many outputs they make the codes
// together and then take panels.
#include "runtime/ops/panel_conv.h"

#include <algorithm>
#include <cstring>

#include "kernels/conv/patch_rows.h"
#include "kernels/gemm/panel_gemm.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/panel_codes.h"
#include "runtime/ops/panel_product.h"
#include "runtime/ops/panel_weights.h"
#include "runtime/ops/window_shape.h"
#include "runtime/threads/brief_work.h"

namespace pith {
namespace {

using kernels::RowCodes;
using kernels::RowGrid;
using kernels::RowRange;

constexpr size_t kTileBytes = size_t{128} << 10;  // codes of a tile
constexpr size_t kTileRows = 64;                  // what kernels take at once
constexpr size_t kMostBytes = size_t{512} << 10;  // of codes before tiles become lower than that
constexpr size_t kGatherBytes = size_t{16} << 10;
constexpr uint64_t kThreadWork = uint64_t{1} << 19;  // multiply-adds of about 10 us: worth another thread
constexpr uint64_t kBriefWork = uint64_t{1} << 25;   // about 0.7 ms

size_t align(size_t n) { return (n + 127) / 128 * 128; }

struct PanelConvState final : NodeState {
  const kernels::PanelGemmKernel* kernel = nullptr;
  const kernels::RowQuantizer* quantizer = nullptr;
  kernels::PatchShape patches;
  bool plain = false;              // rows are pixels of x: nothing is gathered
  bool once = false;               // pictures are quantized before patches are gathered
  size_t images = 0, picture = 0;  // floats of one of them
  size_t pixels = 0, n = 0, k = 0;
  size_t tile = 1, gather = 1;  // rows of codes; rows gathered at once
  size_t gather_bytes = 0, codes_bytes = 0;
  size_t threads = 1;
  bool by_panels = false;  // one tile, whose codes all threads share
  BriefWork brief;

  // Scratch: codes, grid and the threads' ranges of every picture; what each thread has; codes that all share.
  size_t picture_bytes() const { return once ? align(picture) : 0; }
  size_t grid_bytes() const { return once ? align(sizeof(RowGrid)) + align(threads * sizeof(RowRange)) : 0; }
  size_t pictures_bytes() const { return images * (picture_bytes() + grid_bytes()); }
  size_t per_thread() const { return gather_bytes + (by_panels ? 0 : codes_bytes); }
  size_t scratch_bytes() const {
    return pictures_bytes() + threads * per_thread() + (by_panels ? codes_bytes : 0);
  }
};

RowCodes rows_from(RowCodes r, size_t row) {
  r.codes += row * kernels::kRowGroup;
  if (r.sums != nullptr) r.sums += row * kernels::sum_words(r.form);
  if (r.scales != nullptr) r.scales += row;
  if (r.grids != nullptr) r.grids += row;
  return r;
}

class PanelConvRun {
 public:
  PanelConvRun(const NodeView& node, const PanelConvState& s, void* scratch)
      : s_(s),
        x_(node.in(0).as<float>()),
        y_(node.out(0).as_mutable<float>()),
        scratch_(static_cast<uint8_t*>(scratch)) {
    const auto& o = node.opt<schema::ConvOptions>();
    args_.w = kernels::panel_weights(panel_matrix_of(node.in(1)), node.in(1).data, node.in(1).codebook);
    args_.clamp_min = o.clamp_min(), args_.clamp_max = o.clamp_max();
  }

  // Share `part` of every picture: its range; then, when all parts have done so, its codes.
  void ranges(size_t part) const {
    for (size_t i = 0; i < s_.images; ++i) {
      const Range r = share_of_picture(part);
      ranges_of(i)[part] = s_.quantizer->range(x_ + i * s_.picture + r.begin, r.end - r.begin);
    }
  }
  void make_grids() const {
    for (size_t i = 0; i < s_.images; ++i) {
      RowRange all = ranges_of(i)[0];
      for (size_t part = 1; part < s_.threads; ++part) {
        const RowRange& r = ranges_of(i)[part];
        all = {std::min(all.lo, r.lo), std::max(all.hi, r.hi), all.finite && r.finite};
      }
      grid_of(i) = one_grid(s_.kernel->form, all);
    }
  }
  void picture_codes(size_t part) const {
    for (size_t i = 0; i < s_.images; ++i) {
      const Range r = share_of_picture(part);
      if (r.begin == r.end) continue;
      RowCodes to{kernels::RowForm::grid, 1, r.end - r.begin, codes_of(i) + r.begin};
      to.grids = &grid_of(i);
      s_.quantizer->on_grids(x_ + i * s_.picture + r.begin, to, {0, 1});
    }
  }

  // Share `part` of the pixels, tile by tile.
  void pixels(size_t part) const {
    const Range all = share(s_.pixels, part);
    const size_t count = all.end - all.begin;
    if (count == 0) return;
    const size_t tiles = (count + s_.tile - 1) / s_.tile;
    for (size_t t = 0; t < tiles; ++t) {
      const size_t begin = all.begin + count * t / tiles, rows = all.begin + count * (t + 1) / tiles - begin;
      const RowCodes codes = place_row_codes(s_.kernel->form, rows, s_.k, own(part) + s_.gather_bytes);
      quantize(begin, {0, rows}, codes, part);
      multiply(begin, codes, {0, args_.w.panels});
    }
  }
  // Share `part` of the rows of the one tile; of its panels.
  void rows(size_t part) const { quantize(0, share(s_.pixels, part), shared_codes(), part); }
  void panels(size_t part) const { multiply(0, shared_codes(), share(args_.w.panels, part)); }

 private:
  Range share(size_t count, size_t part) const {
    return {count * part / s_.threads, count * (part + 1) / s_.threads};
  }
  Range share_of_picture(size_t part) const {  // on multiples of 128: whole groups of codes
    const Range blocks = share((s_.picture + 127) / 128, part);
    return {std::min(s_.picture, blocks.begin * 128), std::min(s_.picture, blocks.end * 128)};
  }
  int8_t* codes_of(size_t image) const {
    void* at = scratch_ + image * s_.picture_bytes();
    return static_cast<int8_t*>(at);
  }
  uint8_t* grids_at(size_t image) const {
    return scratch_ + s_.images * s_.picture_bytes() + image * s_.grid_bytes();
  }
  RowGrid& grid_of(size_t image) const {
    void* at = grids_at(image);
    return *static_cast<RowGrid*>(at);
  }
  RowRange* ranges_of(size_t image) const {
    void* at = grids_at(image) + align(sizeof(RowGrid));
    return static_cast<RowRange*>(at);
  }
  uint8_t* own(size_t part) const { return scratch_ + s_.pictures_bytes() + part * s_.per_thread(); }
  RowCodes shared_codes() const { return place_row_codes(s_.kernel->form, s_.pixels, s_.k, own(s_.threads)); }
  // Rows of the codes from pixels first + rows.
  void quantize(size_t first, Range rows, const RowCodes& codes, size_t part) const {
    if (s_.plain) return s_.quantizer->fn(x_ + first * s_.k, codes, rows);
    void* memory = own(part);
    if (s_.once) std::memset(memory, 0, s_.gather_bytes);  // what follows K in every row
    for (size_t row = rows.begin; row < rows.end; row += s_.gather) {
      const size_t count = std::min(s_.gather, rows.end - row), pixel = first + row;
      if (s_.once) {
        adopt(pixel, count, rows_from(codes, row), memory);
        continue;
      }
      gather_patches(s_.patches, 0, x_, {pixel, pixel + count}, memory);
      s_.quantizer->fn(static_cast<const float*>(memory), rows_from(codes, row), {0, count});
    }
  }
  // Patches of codes, picture by picture, as each has its own zero.
  void adopt(size_t first, size_t count, const RowCodes& codes, void* memory) const {
    const size_t each = s_.pixels / s_.images;
    for (size_t row = 0; row < count;) {
      const size_t pixel = first + row, image = pixel / each;
      const size_t end = std::min(count, (image + 1) * each - first), at = pixel % each;
      const RowGrid& grid = grid_of(image);
      gather_patches(s_.patches, static_cast<uint8_t>(grid.zero), codes_of(image), {at, at + end - row},
                     memory);
      s_.quantizer->adopt(static_cast<const int8_t*>(memory), s_.patches.pitch, codes, {row, end});
      set_grid(codes, {row, end}, grid);
      row = end;
    }
  }
  void multiply(size_t first, const RowCodes& codes, Range panels) const {
    kernels::PanelGemmArgs a = args_;
    a.x = codes;
    a.y = y_ + first * s_.n;
    s_.kernel->fn(a, panels, {0, codes.m});
  }

  const PanelConvState& s_;
  const float* const x_;
  float* const y_;
  uint8_t* const scratch_;
  kernels::PanelGemmArgs args_;
};

void run(const NodeView& node, RunContext& context) {
  auto& s = *static_cast<PanelConvState*>(context.state);
  const PanelConvRun conv(node, s, context.scratch);
  const bool together = s.threads > 1 && s.brief.may_share();
  ThreadPool* pool = together ? context.pool : nullptr;
  const auto each_part = [&](auto&& f) {
    parallel_for(pool, s.threads, 1, [&](Range parts) {
      for (size_t part = parts.begin; part < parts.end; ++part) f(part);
    });
  };
  if (s.once) {
    each_part([&](size_t part) { conv.ranges(part); });
    conv.make_grids();
    each_part([&](size_t part) { conv.picture_codes(part); });
  }
  if (s.by_panels) {
    each_part([&](size_t part) { conv.rows(part); });
    each_part([&](size_t part) { conv.panels(part); });
  } else {
    each_part([&](size_t part) { conv.pixels(part); });
  }
  if (together) s.brief.shared();
}

void read_geometry(const NodeView& node, PanelConvState* s) {
  const PanelMatrix m = panel_matrix_of(node.in(1));
  const Shape &x = node.in(0).shape, &y = node.out(0).shape;
  s->n = static_cast<size_t>(m.n), s->k = static_cast<size_t>(m.k);
  const kernels::Window w = conv_window(node, window_options(node.opt<schema::ConvOptions>()));
  s->once = w.taps() > 1;
  const size_t element = s->once ? 1 : sizeof(float);
  s->patches = {w, static_cast<size_t>(x[x.rank() - 1]) * element,
                s->k / static_cast<size_t>(w.kernel[0] * w.kernel[1]) * element};
  s->patches.pitch =
      s->once ? static_cast<size_t>(panel_round(s->k, kernels::kRowGroup)) : s->patches.row_bytes();
  s->plain = !s->once && kernels::is_plain(s->patches);
  s->pixels = static_cast<size_t>(y.count(0, y.rank() - 1));
  s->images = static_cast<size_t>(x[0]);
  s->picture = static_cast<size_t>(x.count(1, x.rank()));
}

size_t tile_rows(size_t k) {
  if (k * kTileRows > kMostBytes) return std::max<size_t>(kMostBytes / k / 8 * 8, 8);
  return std::max(kTileBytes / k / kTileRows * kTileRows, kTileRows);
}

// Threads, what they share, and the scratch for it.
void split_work(PanelConvState* s, size_t pool_threads) {
  const uint64_t work = uint64_t{s->pixels} * s->n * s->k, worth = work / kThreadWork;
  const size_t panels = static_cast<size_t>(panel_count(s->n));
  s->threads = worth >= pool_threads ? pool_threads : std::max<size_t>(static_cast<size_t>(worth), 1);
  s->brief.expect(work < kBriefWork);
  const size_t n = s->threads, tile = tile_rows(s->k);
  s->by_panels = s->pixels <= tile && (panels + n - 1) / n * s->pixels < (s->pixels + n - 1) / n * panels;
  s->threads = std::min(n, s->by_panels ? panels : s->pixels);
  s->tile = std::min(tile, s->by_panels ? s->pixels : (s->pixels + s->threads - 1) / s->threads);
}

}  // namespace

Status check_panel_conv(const NodeView& node) {
  if (node.opt<schema::ConvOptions>().groups() != 1)
    return node_error(node, Code::bad_file, "packed weights are for convolutions of one group");
  return has_code_panels(node) ? check_code_panels(node) : check_panel_product(node);
}

Status prepare_panel_conv(const NodeView& node, PrepareContext& context, Cpu cpu, const char* owner) {
  auto s = std::make_unique<PanelConvState>();
  s->owner = owner;
  s->kernel = kernels::select_panel_gemm(node.in(1).layout, cpu);
  s->quantizer = &kernels::select_row_quantizer(cpu);
  context.use(s->kernel->name, run);
  if (node.out(0).count() > 0) {
    read_geometry(node, s.get());
    split_work(s.get(), context.pool() == nullptr ? 1 : context.pool()->threads());
    s->gather = std::clamp<size_t>(kGatherBytes / s->patches.pitch, 1, s->tile);
    s->gather_bytes = s->plain ? 0 : align(s->gather * s->patches.pitch);
    s->codes_bytes = align(kernels::row_codes_bytes(s->kernel->form, s->tile, s->k));
    context.request_scratch(s->scratch_bytes());
  }
  context.keep(std::move(s));
  return Status::ok();
}

}  // namespace pith
