// Products with packed weights, AVX-VNNI (256-bit dot products in VEX encoding).
#include <immintrin.h>

#define PITH_DPBUSD _mm256_dpbusd_avx_epi32
#define PITH_DPWSSD _mm256_dpwssd_avx_epi32
#include "kernels/gemm/ymm_vectors.h"

#define PITH_NAME(layout) panel_##layout##_avxvnni
#include "kernels/gemm/panel_gemm_ymm.inc"
