// One time step of LSTM, GRU and RNN cells for one batch row; H = hidden units. The caller has multiplied the
// matrices: `x` holds W x + bias of every gate, `h_part` holds R h of every gate, gates one after the other
// (LSTM: i o f c; GRU: z r h; RNN: one). Formulas and gate order are those of the ONNX operators. `clip`
// bounds what enters an activation.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith::kernels {

enum class CellFunction : uint8_t {
  sigmoid,
  tanh,
  relu,
  leaky_relu,        // x < 0 ? alpha x : x
  thresholded_relu,  // x > alpha ? x : 0
  hard_sigmoid,      // clamp(alpha x + beta, 0, 1)
  elu,               // x < 0 ? alpha (e^x - 1) : x
  softsign,
  softplus,
};
struct CellActivation {
  CellFunction function;
  float alpha, beta;
};
// v[i] = function(clamp(v[i], -clip, clip)); within 2 ulp of the exact function, more where it cancels.
void activate_ref(const CellActivation& f, float clip, float* v, size_t n);

// Every cell overwrites x and may overwrite h_part; h and y may be the same memory.
struct LstmCell {
  size_t hidden;
  float* x;               // [4, H] i o f c
  const float* h_part;    // [4, H]
  const float* peephole;  // [3, H] i o f, or null
  float* c;               // [H], updated
  float* h;               // [H], result
  CellActivation f, g, out;
  float clip;
  bool input_forget;  // the forget gate is 1 - i
};
//   i = f(x_i + h_i + p_i c)   f = f(x_f + h_f + p_f c)   c' = f c + i g(x_c + h_c)   o = f(x_o + h_o + p_o
//   c')   h = o out(c')
void lstm_cell_ref(const LstmCell& a);

struct GruCell {
  size_t hidden;
  float* x;       // [3, H] z r h
  float* h_part;  // [2, H] R h of z and r; then [H]: of the third gate
  float* h;       // [H], updated by gru_finish_ref
  CellActivation f, g;
  float clip;
  const float* reset_bias;  // linear_before_reset: bias [H] added to R h before the reset gate; or null
};
// z, r = f(x + h_part) into x; then `reset` = r h (what R of the third gate multiplies), unless reset is
// null.
void gru_gates_ref(const GruCell& a, float* reset);
// h = (1 - z) n + z h, with n = g(x_h + h_h), or g(x_h + r (h_h + reset_bias)) when linear.
void gru_finish_ref(const GruCell& a, bool linear);

// h = f(x + h_part)
void rnn_cell_ref(size_t hidden, float* x, const float* h_part, float* h, const CellActivation& f,
                  float clip);

}  // namespace pith::kernels
