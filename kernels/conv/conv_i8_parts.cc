// Which taps and pixels a part has, and the copies around its dense convolution.
#include "kernels/conv/conv_i8_parts.h"

#include <algorithm>
#include <cstring>

#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

struct Dim {
  size_t in, out, kernel, stride, dilation, pad;
};

// Output q + stride j reads, through tap t, input (q + pad - t dilation) / stride + j where that division is exact.
ConvPhaseDim transposed_dim(const Dim& d, size_t q) {
  ConvPhaseDim p{};
  p.step = p.dilation = 1;
  p.begin = q, p.stride = d.stride, p.count = q < d.out ? (d.out - q + d.stride - 1) / d.stride : 0;
  const auto signed_of = [](size_t n) { return static_cast<int64_t>(n); };
  int64_t least = 0, before = 0;  // inputs of output j = 0 through the last tap found, and the one before it
  for (size_t t = 0; t < d.kernel; ++t) {
    const int64_t at = signed_of(q) + signed_of(d.pad) - signed_of(t) * signed_of(d.dilation);
    if (at % signed_of(d.stride) != 0) continue;
    if (p.taps == 1) p.step = t - p.first;
    before = least, least = at / signed_of(d.stride);
    ++p.taps, p.first = t;
  }
  if (p.taps > 1) p.dilation = static_cast<size_t>(before - least);
  p.pad = least < 0 ? static_cast<size_t>(-least) : 0;
  p.crop = least > 0 ? static_cast<size_t>(least) : 0;
  if (p.taps == 0 || p.count == 0 || p.crop >= d.in) return p;
  const size_t reach = p.count - 1 + (p.taps - 1) * p.dilation + 1;
  p.inputs = reach > p.pad ? std::min(reach - p.pad, d.in - p.crop) : 0;
  return p;
}

ConvPhaseDim plain_dim(const Dim& d) { return {d.kernel, 0, 1, d.dilation, d.pad, 0, d.in, 0, 1, d.out}; }

template <size_t kBytes>
void copy_fixed(uint8_t* to, size_t to_step, const uint8_t* from, size_t from_step, size_t count) {
  for (size_t i = 0; i < count; ++i, to += to_step, from += from_step) std::memcpy(to, from, kBytes);
}

// `bytes` of each of `count` pixels.
void copy_pixels(uint8_t* to, size_t to_step, const uint8_t* from, size_t from_step, size_t bytes,
                 size_t count) {
  switch (bytes) {
    case 4:
      return copy_fixed<4>(to, to_step, from, from_step, count);
    case 8:
      return copy_fixed<8>(to, to_step, from, from_step, count);
    case 16:
      return copy_fixed<16>(to, to_step, from, from_step, count);
    case 32:
      return copy_fixed<32>(to, to_step, from, from_step, count);
    default:
      for (size_t i = 0; i < count; ++i, to += to_step, from += from_step) std::memcpy(to, from, bytes);
  }
}

size_t align(size_t n) { return (n + 63) / 64 * 64; }

class PartRun {
 public:
  PartRun(const ConvPartsShape& s, const ConvPhase& phase, const ConvI8Args& a, ConvPart part,
          uint8_t* scratch)
      : s_(s), phase_(phase), a_(a), part_(part), in_(scratch), out_(in_ + in_bytes(s, phase)) {}

  static size_t in_bytes(const ConvPartsShape& s, const ConvPhase& p) {
    const ConvI8Shape& d = p.plan.shape;
    return p.bare || is_dense(s, p) ? 0 : align(d.in_h * d.in_w * d.in_channels);
  }
  static size_t out_bytes(const ConvPartsShape& s, const ConvPhase& p) {
    return align(p.h.count * p.w.count * s.out_each());
  }

  // The image itself is the dense input.
  static bool is_dense(const ConvPartsShape& s, const ConvPhase& p) {
    return s.groups == 1 && p.w.inputs == s.whole.in_w;
  }

  void rows(Range r) const {
    const size_t columns = phase_.w.count;
    if (phase_.bare) {
      fill_bare(r);
    } else {
      ConvI8Args a = a_;
      a.x = input();
      a.y = out_;
      conv_i8(phase_.plan, a, {r.begin * columns, r.end * columns}, {0, phase_.plan.panels},
              out_ + out_bytes(s_, phase_));
    }
    scatter(r);
  }

 private:
  const uint8_t* input() const {
    const ConvI8Shape &whole = s_.whole, &dense = phase_.plan.shape;
    const size_t c = whole.in_channels, row = whole.in_w * c, each = dense.in_channels;
    const uint8_t* x = static_cast<const uint8_t*>(a_.x) + part_.image * whole.in_h * row +
                       phase_.h.crop * row + phase_.w.crop * c + part_.group * each;
    if (is_dense(s_, phase_)) return x;
    for (size_t i = 0; i < dense.in_h; ++i)
      copy_pixels(in_ + i * dense.in_w * each, each, x + i * row, c, each, dense.in_w);
    return in_;
  }
  void fill_bare(Range r) const {
    const size_t each = s_.out_each(), columns = phase_.w.count;
    uint8_t* first = out_ + r.begin * columns * each;
    for (size_t o = 0; o < each; ++o) {
      const int32_t code = requantize(a_.start[o], a_.scale[o], a_.y_zero, a_.y_lo, a_.y_hi);
      first[o] = static_cast<uint8_t>(static_cast<uint8_t>(code) ^ a_.y_flip);
    }
    for (size_t i = 1; i < (r.end - r.begin) * columns; ++i) std::memcpy(first + i * each, first, each);
  }
  void scatter(Range r) const {
    const ConvI8Shape& whole = s_.whole;
    const size_t o = whole.out_channels, each = s_.out_each(), columns = phase_.w.count;
    uint8_t* y =
        static_cast<uint8_t*>(a_.y) + part_.image * whole.out_h * whole.out_w * o + part_.group * each;
    for (size_t i = r.begin; i < r.end; ++i) {
      const size_t row = phase_.h.begin + i * phase_.h.stride;
      copy_pixels(y + (row * whole.out_w + phase_.w.begin) * o, phase_.w.stride * o,
                  out_ + i * columns * each, each, each, columns);
    }
  }

  const ConvPartsShape& s_;
  const ConvPhase& phase_;
  const ConvI8Args& a_;
  const ConvPart part_;
  uint8_t *const in_, *const out_;
};

}  // namespace

bool plan_conv_phase(const ConvPartsShape& s, size_t i, const ConvI8Kernel& kernel, bool x_is_u8,
                     ConvPhase* p) {
  const ConvI8Shape& w = s.whole;
  const Dim h{w.in_h, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top};
  const Dim v{w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left};
  *p = ConvPhase{};
  p->h = s.transposed ? transposed_dim(h, i / w.stride_w) : plain_dim(h);
  p->w = s.transposed ? transposed_dim(v, i % w.stride_w) : plain_dim(v);
  p->bare = p->h.inputs == 0 || p->w.inputs == 0;
  if (!p->bare) {
    const ConvI8Shape dense{1,
                            p->h.inputs,
                            p->w.inputs,
                            p->h.count,
                            p->w.count,
                            s.in_each(),
                            s.out_each(),
                            p->h.taps,
                            p->w.taps,
                            s.transposed ? 1 : w.stride_h,
                            s.transposed ? 1 : w.stride_w,
                            p->h.dilation,
                            p->w.dilation,
                            p->h.pad,
                            p->w.pad};
    if (!plan_conv_i8(dense, kernel, x_is_u8, &p->plan)) return false;
  }
  p->scratch_bytes = PartRun::in_bytes(s, *p) + PartRun::out_bytes(s, *p) + align(p->plan.scratch_bytes);
  return true;
}

void conv_phase_weights(const ConvPartsShape& s, const ConvPhase& p, size_t group, const int8_t* w,
                        int8_t* out) {
  if (p.bare) return;
  const size_t each = s.in_each(), outputs = s.out_each();
  const auto tap = [&](const ConvPhaseDim& d, size_t i) { return s.transposed ? d.first - i * d.step : i; };
  for (size_t o = group * outputs; o < (group + 1) * outputs; ++o)
    for (size_t y = 0; y < p.h.taps; ++y)
      for (size_t x = 0; x < p.w.taps; ++x, out += each) {
        const size_t row = o * s.whole.kernel_h + tap(p.h, y);
        std::memcpy(out, w + (row * s.whole.kernel_w + tap(p.w, x)) * each, each);
      }
}

void conv_i8_part(const ConvPartsShape& s, const ConvPhase& phase, const ConvI8Args& args, ConvPart part,
                  Range rows, uint8_t* scratch) {
  if (rows.begin < rows.end && phase.w.count > 0) PartRun(s, phase, args, part, scratch).rows(rows);
}

}  // namespace pith::kernels
