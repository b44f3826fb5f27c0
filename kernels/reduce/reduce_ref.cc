// Reductions by blocks in double, int64 or uint64.
#include "kernels/reduce/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace pith::kernels {
namespace {

using Walk = ReduceShape::Walk;

// Position in x of item `index` of a walk.
size_t position(const Walk& w, size_t index) {
  size_t at = 0;
  for (int d = w.rank - 1; d >= 0; --d) {
    at += index % w.dims[d] * w.stride[d];
    index /= w.dims[d];
  }
  return at;
}

template <class A>
A times(A p, A q) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(p) * static_cast<uint64_t>(q));
  else
    return p * q;
}
template <class A>
A plus(A p, A q) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(p) + static_cast<uint64_t>(q));
  else
    return p + q;
}
template <class A>
A magnitude(A p) {
  if constexpr (std::is_unsigned_v<A>)
    return p;
  else
    return p < 0 ? times<A>(p, A(-1)) : p;
}

// What a kind does with one element (term), with two partial results (join), and where it starts.
template <class A>
struct Sum {
  static constexpr A kStart = 0;
  static A term(A x) { return x; }
  static A join(A p, A q) { return plus(p, q); }
};
template <class A>
struct L1 : Sum<A> {
  static A term(A x) { return magnitude(x); }
};
template <class A>
struct Square : Sum<A> {
  static A term(A x) { return times(x, x); }
};
template <class A>
struct Prod {
  static constexpr A kStart = 1;
  static A term(A x) { return x; }
  static A join(A p, A q) { return times(p, q); }
};
template <class A>
constexpr A highest() {
  return std::is_integral_v<A> ? std::numeric_limits<A>::max() : std::numeric_limits<A>::infinity();
}
template <class A>
struct Max {
  static constexpr A kStart = std::is_integral_v<A> ? std::numeric_limits<A>::min() : -highest<A>();
  static A term(A x) { return x; }
  static A join(A p, A q) { return q > p || q != q ? q : p; }
};
template <class A>
struct Min {
  static constexpr A kStart = highest<A>();
  static A term(A x) { return x; }
  static A join(A p, A q) { return q < p || q != q ? q : p; }
};

// All elements of one result; the innermost group is reduced. Partial results in 8 lanes: fixed order,
// vectorizable.
template <class A, class F>
A fold_row(const ReduceArgs& a, size_t base, F) {
  A lane[8], block[kBlock];
  std::fill(lane, lane + 8, F::kStart);
  for (size_t r = 0; r < a.shape.reduced_count; ++r) {
    const size_t row = base + position(a.shape.reduced, r);
    for (size_t done = 0; done < a.shape.inner; done += kBlock) {
      const size_t n = std::min(kBlock, a.shape.inner - done);
      load_block(a.x, row + done, n, block);
      size_t i = 0;
      for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; ++j) lane[j] = F::join(lane[j], F::term(block[i + j]));
      for (size_t j = 0; i < n; ++i, ++j) lane[j] = F::join(lane[j], F::term(block[i]));
    }
  }
  for (size_t width = 4; width > 0; width /= 2)
    for (size_t j = 0; j < width; ++j) lane[j] = F::join(lane[j], lane[j + width]);
  return lane[0];
}

// n neighbouring results; the innermost group is kept.
template <class A, class F>
void fold_columns(const ReduceArgs& a, size_t base, size_t n, A* result, F) {
  A block[kBlock];
  std::fill(result, result + n, F::kStart);
  for (size_t r = 0; r < a.shape.reduced_count; ++r) {
    load_block(a.x, base + position(a.shape.reduced, r), n, block);
    for (size_t i = 0; i < n; ++i) result[i] = F::join(result[i], F::term(block[i]));
  }
}

// Calls f(first result, position in x, results) for every piece.
template <class F>
void each_piece(const ReduceShape& s, Range pieces, F&& f) {
  const size_t per_row = s.inner_kept ? (s.inner + kBlock - 1) / kBlock : 1;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t row = piece / per_row, column = piece % per_row * kBlock;
    const size_t n = s.inner_kept ? std::min(kBlock, s.inner - column) : 1;
    f((s.inner_kept ? row * s.inner : row) + column, position(s.kept, row) + column, n);
  }
}

template <class A>
A finish(ReduceKind kind, A v, double count) {
  switch (kind) {
    case ReduceKind::mean:
      if (std::is_integral_v<A> && count == 0) return 0;
      return v / static_cast<A>(count);
    case ReduceKind::l2:
      return static_cast<A>(std::sqrt(static_cast<double>(v)));
    case ReduceKind::log_sum: {
      const double log = std::log(static_cast<double>(v));
      if (std::is_integral_v<A> && !(log >= 0)) return 0;
      return static_cast<A>(log);
    }
    default:
      return v;
  }
}

template <class A, class F>
void run_with(const ReduceArgs& a, Range pieces, F f) {
  const auto count = static_cast<double>(a.shape.reduced_count * (a.shape.inner_kept ? 1 : a.shape.inner));
  each_piece(a.shape, pieces, [&](size_t first, size_t base, size_t n) {
    A result[kBlock];
    if (a.shape.inner_kept)
      fold_columns(a, base, n, result, f);
    else
      result[0] = fold_row<A>(a, base, f);
    for (size_t i = 0; i < n; ++i) result[i] = finish(a.kind, result[i], count);
    store_block(result, n, a.y, first);
  });
}

// The same over codes: the integer result is exact, the real one is rounded to y's grid.
template <class F>
void run_codes(const ReduceArgs& a, Range pieces, F f) {
  each_piece(a.shape, pieces, [&](size_t first, size_t base, size_t n) {
    int64_t result[kBlock];
    if (a.shape.inner_kept)
      fold_columns(a, base, n, result, f);
    else
      result[0] = fold_row<int64_t>(a, base, f);
    store_code_results(a, result, n, first);
  });
}

template <class A>
void run_in(const ReduceArgs& a, Range pieces) {
  switch (a.kind) {
    case ReduceKind::max:
      return run_with<A>(a, pieces, Max<A>());
    case ReduceKind::min:
      return run_with<A>(a, pieces, Min<A>());
    case ReduceKind::prod:
      return run_with<A>(a, pieces, Prod<A>());
    case ReduceKind::l1:
      return run_with<A>(a, pieces, L1<A>());
    case ReduceKind::l2:
    case ReduceKind::sum_square:
      return run_with<A>(a, pieces, Square<A>());
    default:
      return run_with<A>(a, pieces, Sum<A>());
  }
}

// log sum exp x = m + log sum exp(x - m), m = max x: two passes, so that exp never overflows.
void log_sum_exp(const ReduceArgs& a, Range pieces) {
  each_piece(a.shape, pieces, [&](size_t first, size_t base, size_t n) {
    double top[kBlock], sum[kBlock] = {}, block[kBlock];
    if (a.shape.inner_kept)
      fold_columns(a, base, n, top, Max<double>());
    else
      top[0] = fold_row<double>(a, base, Max<double>());
    for (size_t i = 0; i < n; ++i)
      if (std::isinf(top[i])) top[i] = 0;  // all -Inf: exp gives 0; +Inf: exp gives +Inf
    const size_t inner = a.shape.inner_kept ? 1 : a.shape.inner;
    for (size_t r = 0; r < a.shape.reduced_count; ++r)
      for (size_t done = 0; done < inner; done += kBlock) {
        const size_t width = a.shape.inner_kept ? n : std::min(kBlock, inner - done);
        load_block(a.x, base + position(a.shape.reduced, r) + done, width, block);
        for (size_t i = 0; i < width; ++i) {
          const size_t at = a.shape.inner_kept ? i : 0;
          sum[at] += std::exp(block[i] - top[at]);
        }
      }
    for (size_t i = 0; i < n; ++i) sum[i] = top[i] + std::log(sum[i]);
    store_block(sum, n, a.y, first);
  });
}

}  // namespace

ReduceShape make_reduce_shape(std::span<const int64_t> dims, uint32_t mask) {
  size_t group[kReduceRank + 1];
  bool reduced[kReduceRank + 1];
  int groups = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    const bool r = (mask >> d & 1u) != 0;
    if (dims[d] == 1) continue;
    if (groups > 0 && reduced[groups - 1] == r) {
      group[groups - 1] *= static_cast<size_t>(dims[d]);
    } else {
      group[groups] = static_cast<size_t>(dims[d]);
      reduced[groups++] = r;
    }
  }
  ReduceShape s;
  if (groups == 0) return s;  // one element
  s.inner = group[groups - 1];
  s.inner_kept = !reduced[groups - 1];
  size_t stride = s.inner;
  for (int g = groups - 2; g >= 0; --g) {
    Walk& walk = reduced[g] ? s.reduced : s.kept;
    walk.dims[walk.rank] = group[g];
    walk.stride[walk.rank++] = stride;
    (reduced[g] ? s.reduced_count : s.kept_count) *= group[g];
    stride *= group[g];
  }
  for (Walk* walk : {&s.kept, &s.reduced}) {
    std::reverse(walk->dims, walk->dims + walk->rank);
    std::reverse(walk->stride, walk->stride + walk->rank);
  }
  return s;
}

size_t pieces_of(const ReduceShape& s) {
  return s.kept_count * (s.inner_kept ? (s.inner + kBlock - 1) / kBlock : 1);
}

void store_code_results(const ReduceArgs& a, const int64_t* folded, size_t n, size_t first) {
  const auto count = static_cast<double>(a.shape.reduced_count * (a.shape.inner_kept ? 1 : a.shape.inner));
  const double zero = a.x.zero, scale = static_cast<double>(a.x.scale);
  for (size_t done = 0; done < n;) {
    float real[kBlock];
    const size_t some = std::min(n - done, size_t{kBlock});
    for (size_t i = 0; i < some; ++i) {
      const auto v = static_cast<double>(folded[done + i]);
      real[i] = static_cast<float>(scale * (a.kind == ReduceKind::mean  ? v / count - zero
                                            : a.kind == ReduceKind::sum ? v - count * zero
                                                                        : v - zero));
    }
    store_block(real, some, a.y, first + done);
    done += some;
  }
}

void reduce_ref(const ReduceArgs& a, Range pieces) {
  if (a.x.quantized) {
    if (a.kind == ReduceKind::max) return run_codes(a, pieces, Max<int64_t>());
    if (a.kind == ReduceKind::min) return run_codes(a, pieces, Min<int64_t>());
    return run_codes(a, pieces, Sum<int64_t>());
  }
  if (a.kind == ReduceKind::log_sum_exp) return log_sum_exp(a, pieces);
  const Wide wide = wide_of(a.x.dtype);
  if (wide == Wide::i64) return run_in<int64_t>(a, pieces);
  if (wide == Wide::u64) return run_in<uint64_t>(a, pieces);
  run_in<double>(a, pieces);
}

}  // namespace pith::kernels
