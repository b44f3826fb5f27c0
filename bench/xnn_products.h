// XNNPACK's fully connected operators with random weights, ready to run: the opponents of gemm_bench.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench_timing.h"

namespace pith::bench {

// y[m, n] with x quantized beforehand (not measured): "qd8-qb4w" (block 32), "qd8-qc4w", "qd8-qc8w", "qs8-qc8w".
// threads: a pthreadpool of that many. Empty function when XNNPACK refuses.
std::function<void()> xnn_product(const std::string& kind, size_t m, size_t n, size_t k, size_t threads);

}  // namespace pith::bench
