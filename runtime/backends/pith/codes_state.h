// What nodes over i8 weights share: the weights as signed codes, start values and scales of every output channel, and
// the split of the work over threads.
#pragma once
#include <memory>
#include <vector>

#include "runtime/backends/pith/own_kernels.h"
#include "runtime/threads/brief_work.h"

namespace pith {

struct FreeBytes {
  void operator()(int8_t* p) const;
};
using AlignedCodes = std::unique_ptr<int8_t, FreeBytes>;
AlignedCodes allocate_codes(size_t bytes);  // 64-byte aligned; null: out of memory

// Grids and bounds of a node whose x and y hold codes of one scale each; y as i8 codes (u8 ones minus 128).
struct CodesGrid {
  float x_scale = 0, y_scale = 0;
  int32_t x_zero = 0;  // as stored
  int32_t x_signed_zero = 0;
  int32_t y_zero = 0, y_lo = 0, y_hi = 0;
  uint8_t y_flip = 0;
  bool x_is_u8 = false;
};
// Declines anything but i8 and u8 codes with one usable scale, and empty clamps.
Status read_codes_grid(const NodeView& node, float clamp_min, float clamp_max, CodesGrid* grid);

// Weights of input 1 as i8 codes with zero points 0, one scale per output: a copy of row-major ones. Declines codes
// below -127 unless `lowest` is -128, and anything that is not constant.
struct SignedCodes {
  AlignedCodes memory;
  const int8_t* codes = nullptr;
  std::vector<float> scales;  // one per output
};
Status read_signed_codes(const NodeView& node, int lowest, SignedCodes* out);

// start[n] = bias[n] - (x_zero + flip) sums[n], scale[n] = x_scale w_scale / y_scale; both padded with zeros to `padded`.
// `products`: how many are summed, to bound what the kernel may see. Declines sums or scales that it may not.
struct CodesFinish {
  std::vector<int32_t> start;
  std::vector<float> scale;
};
struct CodesSums {
  const int32_t* sums;
  const float* w_scales;
  size_t outputs, padded, products;
};
Status make_finish(const NodeView& node, const CodesGrid& grid, const CodesSums& sums, uint8_t flip,
                   CodesFinish* out);

// Expected to take less than 0.7 ms on one thread: see runtime/threads/brief_work.h.
constexpr bool is_brief(uint64_t multiply_adds, uint64_t per_ns) { return multiply_adds / per_ns < 700'000; }
// How many threads a node is worth. Handing work to a thread that is awake costs 0.4 us; whether sleeping ones are woken is
// decided for whole runs (runtime/threads/wake_policy.h).
constexpr uint64_t kShareNs = 1500;  // the least a thread gets
size_t useful_threads(const ThreadPool* pool, uint64_t multiply_adds, uint64_t per_ns);
// Share `index` of `parts` nearly equal shares of [0, count), on multiples of `unit`.
Range share_of(size_t count, size_t unit, size_t parts, size_t index);

}  // namespace pith
