// Quantization of nodes that multiply 8-bit codes: checks, and the table a kernel needs to requantize.
#pragma once
#include <memory>
#include <vector>

#include "runtime/ops/op.h"
#include "runtime/ops/panel_codes.h"

namespace pith {

inline bool is_codes(DType t) { return t == DType::i8 || t == DType::u8; }

// One scale and zero point for the whole tensor, the zero point within the range of its codes.
Status expect_tensor_grid(const NodeView& node, const TensorView& t, const char* role);
// The same, or one per channel along `axis`.
Status expect_channel_grid(const NodeView& node, const TensorView& t, int axis, const char* role);

// The declared type of output 0 where the file may choose between i8 and u8; the type of `x` when nothing is
// declared.
DType declared_codes(const NodeView& node, const TensorView& x);

// What prepare keeps for kernels that requantize: scale sx * sw / sy and zero point of w, for all or per
// channel.
class RequantState : public NodeState {
 public:
  // Grids were checked by check().
  static std::unique_ptr<RequantState> make(const TensorView& x, const TensorView& w, const TensorView& y,
                                            float clamp_min, float clamp_max);
  std::vector<float> scale;
  std::span<const int32_t> w_zero;
  UnpackedCodes unpacked;  // packed weights, row by row
  int32_t x_zero = 0, y_zero = 0, y_lo = 0, y_hi = 0;
  size_t stride() const { return scale.size() == 1 ? 0 : 1; }

  // Tensors x, w, bias (optional), y of the node and the numbers above, in the arguments of its kernel.
  template <class CodesArgs>
  void fill(const NodeView& node, CodesArgs* a) const {
    a->x = node.in(0).data;
    a->w = unpacked.codes.empty() ? node.in(1).data : unpacked.view.data;
    a->bias = node.has(2) ? node.in(2).as<int32_t>() : nullptr;
    a->y = node.out(0).data;
    a->x_zero = x_zero;
    a->w_zero = w_zero.data();
    a->scale = scale.data();
    a->w_zero_stride = a->scale_stride = stride();
    a->y_zero = y_zero, a->y_lo = y_lo, a->y_hi = y_hi;
  }
};

// Calls f(X{}, W{}) with X and W the types of two tensors of 8-bit codes.
template <class F>
void with_code_types(DType x, DType w, F&& f) {
  if (x == DType::i8 && w == DType::i8) return f(int8_t{}, int8_t{});
  if (x == DType::i8) return f(int8_t{}, uint8_t{});
  if (w == DType::i8) return f(uint8_t{}, int8_t{});
  return f(uint8_t{}, uint8_t{});
}

}  // namespace pith
