// Broadcast: how up to three operands are walked under numpy broadcasting, with dims merged as far as
// possible. Same shapes become one dim; a bias over the last axis two. The innermost stride of an operand is
// 0 or 1.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pith::kernels {

inline constexpr int kBroadcastRank = 8, kBroadcastOperands = 3;

struct Broadcast {
  int rank = 1;
  size_t dims[kBroadcastRank] = {1};
  size_t stride[kBroadcastOperands][kBroadcastRank] = {};  // in elements; 0: repeated
};

// y: dims of the result, none of them 0; operands: their dims, aligned at the end, each 1 or that of y.
inline Broadcast make_broadcast(std::span<const int64_t> y,
                                std::span<const std::span<const int64_t>> operands) {
  Broadcast b;
  size_t natural[kBroadcastOperands];
  std::fill(natural, natural + kBroadcastOperands, size_t{1});
  b.rank = 0;
  for (size_t back = 0; back < y.size(); ++back) {  // innermost first; reversed below
    const auto n = static_cast<size_t>(y[y.size() - 1 - back]);
    size_t step[kBroadcastOperands] = {};
    bool merges = b.rank > 0;
    for (size_t o = 0; o < operands.size(); ++o) {
      const auto& dims = operands[o];
      const size_t own = back < dims.size() ? static_cast<size_t>(dims[dims.size() - 1 - back]) : 1;
      step[o] = own == 1 ? 0 : natural[o];
      natural[o] *= own;
      if (merges) merges = step[o] == b.stride[o][b.rank - 1] * b.dims[b.rank - 1];
    }
    if (n == 1) continue;
    if (merges) {
      b.dims[b.rank - 1] *= n;
      continue;
    }
    b.dims[b.rank] = n;
    for (size_t o = 0; o < operands.size(); ++o) b.stride[o][b.rank] = step[o];
    ++b.rank;
  }
  if (b.rank == 0) b.dims[b.rank++] = 1;
  std::reverse(b.dims, b.dims + b.rank);
  for (auto& stride : b.stride) std::reverse(stride, stride + b.rank);
  return b;
}

// Calls f(y position, operand positions[], n) for runs along the innermost dim that cover [begin, end) of y.
template <class F>
void each_run(const Broadcast& b, size_t begin, size_t end, F&& f) {
  const int last = b.rank - 1;
  size_t index[kBroadcastRank], at[kBroadcastOperands] = {};
  size_t rest = begin;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % b.dims[d];
    rest /= b.dims[d];
    for (int o = 0; o < kBroadcastOperands; ++o) at[o] += index[d] * b.stride[o][d];
  }
  for (size_t y = begin; y < end;) {
    const size_t n = std::min(b.dims[last] - index[last], end - y);
    f(y, static_cast<const size_t*>(at), n);
    y += n;
    for (int o = 0; o < kBroadcastOperands; ++o) at[o] -= index[last] * b.stride[o][last];
    index[last] = 0;
    for (int d = last - 1; d >= 0; --d) {
      for (int o = 0; o < kBroadcastOperands; ++o) at[o] += b.stride[o][d];
      if (++index[d] < b.dims[d]) break;
      for (int o = 0; o < kBroadcastOperands; ++o) at[o] -= b.dims[d] * b.stride[o][d];
      index[d] = 0;
    }
  }
}

}  // namespace pith::kernels
