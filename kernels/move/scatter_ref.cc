// ScatterElements and ScatterND, one typed loop for every rule.
#include "kernels/move/scatter.h"

#include <algorithm>
#include <type_traits>

namespace pith::kernels {
namespace {

// Integer sums and products wrap.
template <ScatterRule kRule, class T>
T combine(T old, T update) {
  if constexpr (kRule == ScatterRule::none) return update;
  if constexpr (kRule == ScatterRule::max) return std::max(old, update);
  if constexpr (kRule == ScatterRule::min) return std::min(old, update);
  if constexpr (std::is_floating_point_v<T>) return kRule == ScatterRule::add ? old + update : old * update;
  if constexpr (std::is_integral_v<T>) {
    const auto a = static_cast<uint64_t>(old), b = static_cast<uint64_t>(update);
    return static_cast<T>(kRule == ScatterRule::add ? a + b : a * b);
  }
}

// -n..n-1 -> 0..n-1; false for anything else.
inline bool resolve(int64_t* i, int64_t n) {
  if (*i < 0) *i += n;
  return *i >= 0 && *i < n;
}

template <ScatterRule kRule, class T>
void elements(const ScatterElementsArgs& a) {
  auto* y = static_cast<T*>(a.y);
  const auto* updates = static_cast<const T*>(a.updates);
  size_t at[kScatterMaxRank] = {}, base = 0, total = 1;
  for (int d = 0; d < a.rank; ++d) total *= a.dims[d];
  for (size_t k = 0; k < total; ++k) {
    int64_t index = a.indices[k];
    if (resolve(&index, a.n)) {
      T& place = y[base + static_cast<size_t>(index) * a.y_stride[a.axis]];
      place = combine<kRule>(place, updates[k]);
    }
    for (int d = a.rank - 1; d >= 0; --d) {
      const size_t step = d == a.axis ? 0 : a.y_stride[d];
      base += step;
      if (++at[d] < a.dims[d]) break;
      base -= step * a.dims[d];
      at[d] = 0;
    }
  }
}

template <ScatterRule kRule, class T>
void nd(const ScatterNdArgs& a) {
  const auto* update = static_cast<const T*>(a.updates);
  for (size_t t = 0; t < a.tuples; ++t, update += a.inner) {
    int64_t offset = 0;
    bool inside = true;
    for (int d = 0; d < a.depth; ++d) {
      int64_t index = a.indices[t * static_cast<size_t>(a.depth) + static_cast<size_t>(d)];
      inside = inside && resolve(&index, a.dims[d]);
      if (inside) offset += index * a.stride[d];
    }
    if (!inside) continue;
    T* y = static_cast<T*>(a.y) + offset;
    for (size_t i = 0; i < a.inner; ++i) y[i] = combine<kRule>(y[i], update[i]);
  }
}

template <ScatterRule kRule, class T>
void apply(const ScatterElementsArgs& a) {
  elements<kRule, T>(a);
}
template <ScatterRule kRule, class T>
void apply(const ScatterNdArgs& a) {
  nd<kRule, T>(a);
}

template <class T, class Args>
void with_rule(const Args& a) {
  switch (a.rule) {
    case ScatterRule::none:
      return apply<ScatterRule::none, T>(a);
    case ScatterRule::add:
      return apply<ScatterRule::add, T>(a);
    case ScatterRule::mul:
      return apply<ScatterRule::mul, T>(a);
    case ScatterRule::max:
      return apply<ScatterRule::max, T>(a);
    case ScatterRule::min:
      return apply<ScatterRule::min, T>(a);
  }
}

template <class Args>
void with_type(const Args& a) {
  if (a.rule == ScatterRule::none)
    return with_word(size_of(a.dtype), [&](auto word) { apply<ScatterRule::none, decltype(word)>(a); });
  switch (a.dtype) {
    case DType::f32:
      return with_rule<float>(a);
    case DType::f64:
      return with_rule<double>(a);
    case DType::i8:
      return with_rule<int8_t>(a);
    case DType::u8:
      return with_rule<uint8_t>(a);
    case DType::i16:
      return with_rule<int16_t>(a);
    case DType::u16:
      return with_rule<uint16_t>(a);
    case DType::i32:
      return with_rule<int32_t>(a);
    case DType::u32:
      return with_rule<uint32_t>(a);
    case DType::i64:
      return with_rule<int64_t>(a);
    case DType::u64:
      return with_rule<uint64_t>(a);
    default:
      return;  // refused by scatter_supports
  }
}

}  // namespace

void scatter_elements_ref(const ScatterElementsArgs& a) { with_type(a); }
void scatter_nd_ref(const ScatterNdArgs& a) { with_type(a); }

bool scatter_supports(DType dtype, ScatterRule rule) {
  if (rule == ScatterRule::none) return size_of(dtype) > 0;
  return dtype == DType::f32 || dtype == DType::f64 || (is_integer(dtype) && size_of(dtype) > 0);
}

}  // namespace pith::kernels
