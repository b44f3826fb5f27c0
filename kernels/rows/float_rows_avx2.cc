// Float functions of rows with AVX2.
#include "kernels/rows/float_rows_vectors.h"

namespace pith::kernels {

using Rows = FloatRows<F32x8>;
const FloatRowsKernel kFloatRows_avx2 = {"float_rows_avx2", Cpu::avx2,    Rows::layer_norm, Rows::rms_norm,
                                         Rows::softmax,     Rows::rotate, Rows::swiglu};

}  // namespace pith::kernels
