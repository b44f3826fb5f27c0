// Float functions of rows with NEON.
#include "kernels/rows/float_rows_vectors.h"

namespace pith::kernels {

using Rows = FloatRows<F32x4>;
const FloatRowsKernel kFloatRows_neon = {"float_rows_neon", Cpu::neon,    Rows::layer_norm, Rows::rms_norm,
                                         Rows::softmax,     Rows::rotate, Rows::swiglu};

}  // namespace pith::kernels
