// The pool over pthreadpool, or nothing at all for one thread.
#include "runtime/threads/parallel.h"

#include <algorithm>
#include <type_traits>

#if PITH_WITH_PTHREADPOOL
#include <pthreadpool.h>
#endif

namespace pith {

#if PITH_WITH_PTHREADPOOL
std::unique_ptr<ThreadPool> ThreadPool::create(size_t threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool);
  if (threads > 1) pool->handle_ = pthreadpool_create(threads);
  if (pool->handle_ != nullptr) pool->threads_ = pthreadpool_get_threads_count(pool->handle_);
  return pool;
}

ThreadPool::~ThreadPool() {
  if (handle_ != nullptr) pthreadpool_destroy(handle_);
}

void parallel_for(ThreadPool* pool, size_t count, size_t grain, RangeFn fn, void* context) {
  const size_t threads = pool == nullptr ? 1 : pool->threads();
  if (threads == 1 || count <= grain) {
    if (count > 0) fn(context, {0, count});
    return;
  }
  // A few chunks per thread level out unequal cores without many hand-overs.
  const size_t chunk = std::max(std::max<size_t>(grain, 1), (count + threads * 4 - 1) / (threads * 4));
  struct Call {
    RangeFn fn;
    void* context;
  } call{fn, context};
  pthreadpool_parallelize_1d_tile_1d(
      pool->handle(),
      [](void* c, size_t begin, size_t n) {
        const auto* call_ = static_cast<Call*>(c);
        call_->fn(call_->context, {begin, begin + n});
      },
      &call, count, chunk, 0);
}
#else
std::unique_ptr<ThreadPool> ThreadPool::create(size_t) { return std::unique_ptr<ThreadPool>(new ThreadPool); }
ThreadPool::~ThreadPool() = default;
void parallel_for(ThreadPool*, size_t count, size_t, RangeFn fn, void* context) {
  if (count > 0) fn(context, {0, count});
}
#endif

}  // namespace pith
