// Float functions of rows with AVX-512.
#include "kernels/rows/float_rows_vectors.h"

namespace pith::kernels {

using Rows = FloatRows<F32x16>;
const FloatRowsKernel kFloatRows_avx512vnni = {
    "float_rows_avx512vnni", Cpu::avx512vnni, Rows::layer_norm, Rows::rms_norm,
    Rows::softmax,           Rows::rotate,    Rows::swiglu};

}  // namespace pith::kernels
