// Convolutions of i8 codes made of dense ones (conv_i8.h): those in groups, and transposed ones.
//
// Groups: one dense convolution per group, over its slice of the channels.
// Transposed, strides s: one dense convolution of stride 1 per phase, since output pixels of equal p mod s see the same taps, in
// reverse order. Kernel 3, stride 2, pad 1:   y[2 i] = x[i] w[1]     y[2 i + 1] = x[i] w[2] + x[i + 1] w[0]
// A part, one phase of one group of one image, reads a dense copy of its input (or the image, where that is dense) and
// writes a dense output, whose pixels are then put in their places.
//
//   plan_conv_phase(shape, phase, kernel, x_is_u8, &phases[phase])      // for every phase, once per shape
//   conv_i8_part(shape, phases[phase], args, {image, group}, rows, scratch)
#pragma once
#include "kernels/conv/conv_i8.h"

namespace pith::kernels {

struct ConvPartsShape {
  ConvI8Shape whole;  // of the operator; channels of all groups
  size_t groups;
  bool transposed;
  size_t phases() const { return transposed ? whole.stride_h * whole.stride_w : 1; }
  size_t in_each() const { return whole.in_channels / groups; }
  size_t out_each() const { return whole.out_channels / groups; }
};

// The taps of a phase along one dim, in the order in which the input is read: first, first - step, ...; and which outputs they make.
struct ConvPhaseDim {
  size_t taps, first, step;     // no taps: the outputs are biases
  size_t dilation, pad;         // of the dense convolution
  size_t crop, inputs;          // it reads inputs crop .. crop + inputs - 1
  size_t begin, stride, count;  // outputs begin, begin + stride, ...
};

struct ConvPhase {
  ConvI8Plan plan;  // of one group of one image; not used when `bare`
  ConvPhaseDim h, w;
  bool bare;  // no input reaches these outputs
  size_t scratch_bytes;
};

// Phase number i: rows i / stride_w, columns i % stride_w. False: conv_i8.h cannot do it.
bool plan_conv_phase(const ConvPartsShape& s, size_t i, const ConvI8Kernel& kernel, bool x_is_u8,
                     ConvPhase* phase);

// w[O, kh, kw, C / groups], the outputs of one group, as the phase reads it: [out_each, taps of h, taps of w * in_each].
// `out` has as many bytes as there are codes; nothing for a bare phase.
void conv_phase_weights(const ConvPartsShape& s, const ConvPhase& phase, size_t group, const int8_t* w,
                        int8_t* out);

struct ConvPart {
  size_t image, group;
};
// args: x and y of the whole operator; w, start and scale of this phase and group. rows: of the phase's outputs.
void conv_i8_part(const ConvPartsShape& s, const ConvPhase& phase, const ConvI8Args& args, ConvPart part,
                  Range rows, uint8_t* scratch);

}  // namespace pith::kernels
