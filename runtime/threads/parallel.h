// parallel_for over a thread pool, or inline without one. Sessions may share a pool, also from several threads: their calls
// then take turns.
#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

#include "kernels/base/types.h"

struct pthreadpool;

namespace pith {

class ThreadPool {
 public:
  // threads <= 1 gives a pool that runs everything on the caller.
  static std::unique_ptr<ThreadPool> create(size_t threads);
  ~ThreadPool();
  size_t threads() const { return threads_; }
  pthreadpool* handle() const { return handle_; }  // null when threads() == 1; for XNNPACK

 private:
  ThreadPool() = default;
  pthreadpool* handle_ = nullptr;
  size_t threads_ = 1;
};

using RangeFn = void (*)(void* context, Range range);
// Calls fn on disjoint ranges covering [0, count), each of about `grain` items or more.
void parallel_for(ThreadPool* pool, size_t count, size_t grain, RangeFn fn, void* context);

template <class F>  // f(Range)
void parallel_for(ThreadPool* pool, size_t count, size_t grain, F&& f) {
  parallel_for(
      pool, count, grain,
      [](void* context, Range range) { (*static_cast<std::remove_reference_t<F>*>(context))(range); }, &f);
}

}  // namespace pith
