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
double dot_run_ymm(Cpu cpu);    // 256-bit VNNI
double dot_run_words(Cpu cpu);  // vpmaddwd and vpaddd: AVX2's exact products of any s8 (bytes would saturate)
double dot_run_avx2(Cpu cpu);   // vpmaddubsw and vpaddw: AVX2's exact products of 4-bit codes

// What products of 8-bit codes can reach, in 10^9 operations per second (1 multiply-add = 2): the best of zmm, ymm and words. One
// thread, CPU time, best of several short runs.
double dot_peak_gops();
// The same for weights of 4 bits, which byte products without VNNI serve, too.
double nibble_peak_gops();

}  // namespace pith::bench
