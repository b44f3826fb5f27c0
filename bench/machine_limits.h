// What the machine can do at most, measured in the same run as the kernels: pure reading and pure dot products.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/cpu.h"

namespace pith::bench {

// Reads all bytes (a multiple of 512) with the widest loads, without software prefetch.
void read_all(const uint8_t* bytes, size_t count);

// One run of independent byte dot products in registers; returns multiply-adds done (0: not on this processor).
double dot_run_zmm(Cpu cpu);
double dot_run_ymm(Cpu cpu);   // 256-bit VNNI
double dot_run_avx2(Cpu cpu);  // vpmaddubsw and vpaddw

// The best of those in 10^9 operations per second (1 multiply-add = 2): one thread, CPU time, best of several short runs.
double dot_peak_gops();

}  // namespace pith::bench
