// Products with packed weights against XNNPACK and against what the machine can do, taking turns in one process.
//   pith_gemm_bench gemm [M ...]     K = 4096, N = 1024, one thread: GOPS (1 multiply-add = 2) and share of the dot peak
//   pith_gemm_bench gemv [MB]        one row, weights of MB (default 1200) from memory: GB/s and share of the read loop
//   pith_gemm_bench cached           one row, weights of 0.7 MB
// PITH_BENCH_ONLY=i4s8 keeps the kernels whose name holds that text.
// Activations arrive quantized on both sides; "quantize" says what that costs.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "bench/machine_limits.h"
#include "bench/xnn_products.h"
#include "kernels/gemm/panel_gemm.h"
#include "kernels/gemm/panel_pack.h"
#include "runtime/threads/parallel.h"

namespace pith::bench {
namespace {

using namespace kernels;

struct FreeBytes {
  void operator()(uint8_t* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<uint8_t, FreeBytes>;
Buffer buffer(size_t bytes) {
  return Buffer(static_cast<uint8_t*>(std::aligned_alloc(4096, (bytes + 8191) / 4096 * 4096)));
}

// One panel of random weights with sane scales, repeated: packing gigabytes would take longer than measuring.
Buffer weights(const PanelMatrix& m) {
  std::mt19937 rng(3);
  const auto k = static_cast<size_t>(m.k), n = size_t{kPanelWidth};
  const size_t groups = m.group == 0 ? 1 : (k + m.group - 1) / m.group;
  std::vector<int8_t> codes(n * k), scales(n * groups);
  std::vector<uint8_t> zeros(n * groups);
  std::vector<f16> halves(n * groups, to_f16(0.01f));
  std::vector<float> channel(n, 0.001f), bias(n, 0.5f);
  for (int8_t& c : codes)
    c = static_cast<int8_t>(m.layout == Layout::i8c ? static_cast<int>(rng() % 255) - 127
                                                    : static_cast<int>(rng() % 16));
  for (int8_t& s : scales) s = static_cast<int8_t>(rng() % 100 + 20);
  for (uint8_t& z : zeros) z = static_cast<uint8_t>(rng() % 16);
  PanelSource source;
  source.codes = codes.data();
  source.group_scales = has_half_scales(m.layout) ? static_cast<const void*>(halves.data()) : scales.data();
  source.zeros = zeros.data();
  source.channel_scale = channel.data();
  source.bias = bias.data();
  const PanelMatrix one{m.layout, m.group, n, m.k};
  const auto bytes = static_cast<size_t>(panel_matrix_bytes(one));
  Buffer all = buffer(static_cast<size_t>(panel_matrix_bytes(m)));
  pack_panels(one, source, all.get());
  for (size_t at = bytes; at < panel_matrix_bytes(m); at += bytes)
    std::memcpy(all.get() + at, all.get(), bytes);
  return all;
}

constexpr int8_t kBook[16] = {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127};

// A product ready to run, and its parts.
struct Product {
  PanelGemmArgs a;
  const PanelGemmKernel* kernel;
  Buffer codes, y;
  std::vector<float> x;
};
std::shared_ptr<Product> product(const PanelGemmKernel& kernel, const PanelMatrix& m, const uint8_t* bytes,
                                 size_t rows) {
  auto p = std::make_shared<Product>();
  const auto k = static_cast<size_t>(m.k), n = static_cast<size_t>(m.n);
  std::mt19937 rng(4);
  p->x.resize(rows * k);
  for (float& v : p->x) v = static_cast<float>(rng() % 2001) / 500.0f - 2.0f;
  p->codes = buffer(row_codes_bytes(kernel.form, rows, k));
  p->y = buffer(rows * n * sizeof(float));
  p->kernel = &kernel;
  p->a.w = panel_weights(m, bytes, kBook);
  p->a.x = place_row_codes(kernel.form, rows, k, p->codes.get());
  p->a.y = static_cast<float*>(static_cast<void*>(p->y.get()));
  p->a.clamp_min = -INFINITY, p->a.clamp_max = INFINITY;
  select_row_quantizer(detect_cpu()).fn(p->x.data(), p->a.x, {0, rows});
  return p;
}
std::function<void()> runner(const std::shared_ptr<Product>& p, ThreadPool* pool) {
  return [p, pool] {
    parallel_for(pool, p->a.w.panels, 1, [&](Range panels) { p->kernel->fn(p->a, panels, {0, p->a.x.m}); });
  };
}

// Which peak a kernel is compared with.
const char* peak_name(const PanelGemmKernel& k) {
  if (std::strstr(k.name, "avx512") != nullptr) return "dot peak zmm";
  if (k.needs != Cpu::avx2) return "dot peak ymm";
  return k.layout == Layout::i8c || k.layout == Layout::lut4 ? "peak vpmaddwd" : "peak vpmaddubsw";
}
void add_peaks(Cpu cpu, std::vector<Contestant>* all) {
  const std::pair<const char*, double (*)(Cpu)> peaks[] = {{"dot peak zmm", dot_run_zmm},
                                                           {"dot peak ymm", dot_run_ymm},
                                                           {"peak vpmaddwd", dot_run_words},
                                                           {"peak vpmaddubsw", dot_run_avx2}};
  for (const auto& [name, run] : peaks)
    if (run(cpu) > 0) all->push_back({name, [run = run, cpu] { (void)run(cpu); }, 2e-9 * run(cpu)});
}
double rate_of(const std::vector<Contestant>& all, const std::string& name) {
  for (const Contestant& c : all)
    if (c.name == name) return c.rate;
  return 0;
}

bool wanted(const PanelGemmKernel& k, Cpu cpu) {
  const char* only = std::getenv("PITH_BENCH_ONLY");
  return cpu.has(k.needs) && k.needs != Cpu::none &&
         (only == nullptr || std::strstr(k.name, only) != nullptr);
}
uint16_t group_of(Layout l) { return has_group_scales(l) ? 32 : 0; }

void gemm(const std::vector<size_t>& row_counts) {
  constexpr size_t kN = 1024, kK = 4096;
  const Cpu cpu = detect_cpu();
  for (size_t rows : row_counts) {
    std::printf("M = %zu, K = %zu, N = %zu, 1 thread\n", rows, kK, kN);
    const double ops = 2e-9 * static_cast<double>(rows * kN * kK);
    std::vector<Contestant> all;
    std::vector<Buffer> kept;
    std::vector<std::string> peak_of;
    const PanelGemmKernels kernels = panel_gemm_kernels();
    for (size_t i = 0; i < kernels.count; ++i) {
      const PanelGemmKernel& k = kernels.data[i];
      if (!wanted(k, cpu)) continue;
      const PanelMatrix m{k.layout, group_of(k.layout), kN, kK};
      kept.push_back(weights(m));
      all.push_back({k.name, runner(product(k, m, kept.back().get(), rows), nullptr), ops});
      peak_of.push_back(peak_name(k));
    }
    add_peaks(cpu, &all);
    peak_of.resize(all.size());
    for (const char* kind : {"qs8-qc8w", "qd8-qc8w", "qd8-qc4w", "qd8-qb4w"})
      if (std::function<void()> run = xnn_product(kind, rows, kN, kK, 1)) {
        all.push_back({std::string("XNNPACK ") + kind, std::move(run), ops});
        peak_of.push_back(dot_run_zmm(cpu) > 0                 ? "dot peak zmm"
                          : std::strstr(kind, "4w") != nullptr ? "peak vpmaddubsw"
                                                               : "peak vpmaddwd");
      }
    for (RowForm form : {RowForm::grid_u8, RowForm::minus8}) {
      const PanelGemmKernel k{"", Layout::i8c, 0, form, nullptr};
      const auto p = product(k, {Layout::i8c, 0, 32, kK}, nullptr, rows);
      all.push_back({form == RowForm::minus8 ? "quantize, blocks" : "quantize, grid",
                     [p, cpu] {
                       select_row_quantizer(cpu).fn(p->x.data(), p->a.x, {0, p->a.x.m});
                     },
                     ops});
      peak_of.emplace_back();
    }
    take_turns(all, 11, 0.02, false);
    for (size_t i = 0; i < all.size(); ++i) {
      const double peak = rate_of(all, peak_of[i]);
      std::printf("  %-26s %7.1f GOPS", all[i].name.c_str(), all[i].rate);
      if (peak > 0) std::printf("  %4.0f %% of %s", 100 * all[i].rate / peak, peak_of[i].c_str());
      std::printf("\n");
    }
  }
}

// threads: run with pools of 1 and that many.
void gemv(double megabytes, bool from_memory, size_t threads) {
  constexpr size_t kK = 4096;
  const Cpu cpu = detect_cpu();
  const PanelGemmKernels kernels = panel_gemm_kernels();
  for (size_t i = 0; i < kernels.count; ++i) {
    const PanelGemmKernel& k = kernels.data[i];
    if (!wanted(k, cpu)) continue;
    const PanelMatrix one{k.layout, group_of(k.layout), kPanelWidth, kK};
    const auto panel = static_cast<double>(panel_matrix_bytes(one));
    const auto panels = static_cast<uint64_t>(std::max(1.0, megabytes * 1e6 / panel));
    const PanelMatrix m{one.layout, one.group, panels * kPanelWidth, kK};
    const Buffer bytes = weights(m);
    const size_t total = static_cast<size_t>(panel_matrix_bytes(m)) / 4096 * 4096;
    for (size_t t = 1; t <= threads; ++t) {
      const std::unique_ptr<ThreadPool> pool = ThreadPool::create(t);
      const uint8_t* at = bytes.get();
      std::vector<Contestant> all;
      all.push_back({"read",
                     [&] {
                       parallel_for(pool.get(), total / 4096, 64, [&](Range r) {
                         read_all(at + r.begin * 4096, (r.end - r.begin) * 4096);
                       });
                     },
                     1e-9 * static_cast<double>(total)});
      all.push_back({k.name, runner(product(k, m, at, 1), pool.get()), 1e-9 * static_cast<double>(total)});
      take_turns(all, from_memory ? 9 : 15, from_memory ? 0.0 : 0.01, from_memory || t > 1);
      std::printf("  %-24s %zu thread%s  read %6.1f GB/s  kernel %6.1f GB/s  %4.0f %%  %6.1f Gw/s\n", k.name,
                  t, t > 1 ? "s" : " ", all[0].rate, all[1].rate, 100 * all[1].rate / all[0].rate,
                  all[1].rate * static_cast<double>(m.n * m.k) / static_cast<double>(total));
      std::fflush(stdout);
    }
  }
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "gemm") {
    std::vector<size_t> rows;
    for (int i = 2; i < argc; ++i) rows.push_back(static_cast<size_t>(std::atol(argv[i])));
    gemm(rows.empty() ? std::vector<size_t>{1, 4, 16, 128} : rows);
  } else if (what == "gemv") {
    gemv(argc > 2 ? std::atof(argv[2]) : 1200, true, 2);
  } else if (what == "cached") {
    gemv(0.7, false, 1);
  } else {
    std::printf("usage: pith_gemm_bench gemm [M ...] | gemv [MB] | cached\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace pith::bench

int main(int argc, char** argv) { return pith::bench::run(argc, argv); }
