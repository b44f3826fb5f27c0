// The AVX-VNNI products in AVX-512 encoding: the same source, so that it is tested on processors without VEX VNNI.
#include <immintrin.h>

#define PITH_DPBUSD _mm256_dpbusd_epi32
#define PITH_DPWSSD _mm256_dpwssd_epi32
#include "kernels/gemm/ymm_vectors.h"

#define PITH_NAME(layout) panel_##layout##_ymm
#include "kernels/gemm/panel_gemm_ymm.inc"
