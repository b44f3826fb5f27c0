// Counts heap allocations of the calling process: {AllocCounter c; run(); CHECK(c.count() == 0);}
// Interposes malloc and friends (weakly, so that several .cc of a program may include this). Inactive under
// sanitizers, which own malloc.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace pith {
inline std::atomic<long> g_allocations{0};

class AllocCounter {
 public:
  AllocCounter() : start_(g_allocations.load()) {}
  long count() const { return g_allocations.load() - start_; }

 private:
  long start_;
};
}  // namespace pith

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
inline constexpr bool kCountsAllocations = false;
#else
inline constexpr bool kCountsAllocations = true;
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
__attribute__((weak)) void* malloc(size_t n) {
  ++pith::g_allocations;
  return __libc_malloc(n);
}
__attribute__((weak)) void* calloc(size_t n, size_t m) {
  ++pith::g_allocations;
  return __libc_calloc(n, m);
}
__attribute__((weak)) void* realloc(void* p, size_t n) {
  ++pith::g_allocations;
  return __libc_realloc(p, n);
}
__attribute__((weak)) void* aligned_alloc(size_t a, size_t n) {
  ++pith::g_allocations;
  return __libc_memalign(a, n);
}
__attribute__((weak)) int posix_memalign(void** out, size_t a, size_t n) {
  ++pith::g_allocations;
  *out = __libc_memalign(a, n);
  return *out == nullptr ? 12 : 0;
}
}
#endif
