// Unrolling at parse time, so that arrays of vectors become registers: with loops GCC 12 keeps them in memory.
// For ISA files and their templates; everything is in the anonymous namespace of the file that includes it.
#pragma once
#include <cstddef>

#define PITH_INLINE [[gnu::always_inline]] inline

namespace pith::kernels {
namespace {

template <size_t... i>
struct Indices {};
template <size_t n, size_t... i>
struct MakeIndices : MakeIndices<n - 1, n - 1, i...> {};
template <size_t... i>
struct MakeIndices<0, i...> {
  using type = Indices<i...>;
};
template <size_t n>
using IndicesTo = typename MakeIndices<n>::type;

}  // namespace
}  // namespace pith::kernels
