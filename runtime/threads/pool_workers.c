// The threads below pthreadpool, in place of its own pthreads.c: they spin for 50 us at most, then sleep, and nobody waits
// for a thread that has not begun.
//
// Idle threads that spin for milliseconds, as the library's do, hold the cores that other sessions need; and a library that
// waits until every thread has reported makes the caller wait for one that lost its processor, although the caller has long
// done its share. Here a job is a gate: a thread that comes while it is open goes in, takes work until there is none, and
// leaves. The caller does the same, then shuts the gate and waits for those inside. Who comes late finds it shut.
//
// Systems like to wake a thread on the processor of the one that woke it, where it is of no use: it keeps away.
//
// Compiled with pthreadpool's internal headers (cmake/PithDependencies.cmake); Linux and Android only, others use the library's file.
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <pthreadpool.h>
#include <threadpool-atomics.h>
#include <threadpool-common.h>
#include <threadpool-object.h>
#include <threadpool-utils.h>

// The gate: number of the job << 16 | flags | threads inside.
#define GATE_OPEN 0x8000u
#define GATE_CALLER_SLEEPS 0x4000u
#define GATE_STOP 0x2000u
#define GATE_INSIDE 0x1fffu
#define GATE_JOB_SHIFT 16

// What a wake-up costs (a futex call and 30 to 60 us until the thread runs) is about what spinning may cost at most.
#define SPIN_NS 50000u
#define PAUSES_PER_CLOCK 16u

// Before the struct pthreadpool in memory. Spinning threads read the gate: it has a cache line to itself.
struct crew {
  _Alignas(PTHREADPOOL_CACHELINE_SIZE) _Atomic(uint32_t) gate;
  _Alignas(PTHREADPOOL_CACHELINE_SIZE) _Atomic(uint32_t)
      jobs;  // counts them; sleeping threads wait for it to change
  _Atomic(uint32_t) sleepers;
  _Atomic(int) caller_cpu;  // where the last job came from
  cpu_set_t allowed;        // of the thread that made the pool
};

static struct crew* crew_of(struct pthreadpool* pool) { return (struct crew*)(void*)pool - 1; }

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Returns at once when *word is not `value`; may return for no reason.
static void sleep_on(_Atomic(uint32_t)* word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wake(_Atomic(uint32_t)* word, int threads) {
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, threads, NULL, NULL, 0);
}

// Before a thread falls asleep, so that it wakes up elsewhere. *away: the processor that it avoids already.
static void keep_away(struct crew* crew, int* away) {
  const int taken = atomic_load_explicit(&crew->caller_cpu, memory_order_relaxed);
  if (taken == *away || taken < 0 || taken >= CPU_SETSIZE) return;
  *away = taken;
  cpu_set_t others = crew->allowed;
  CPU_CLR(taken, &others);
  if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
}

struct spin {
  uint64_t end;  // 0: not known yet
  unsigned pauses;
};

static bool keep_spinning(struct spin* s) {
  pthreadpool_yield();
  if (++s->pauses % PAUSES_PER_CLOCK != 0) return true;
  const uint64_t now = now_ns();
  if (s->end == 0) s->end = now + SPIN_NS;
  return now < s->end;
}

// A job with another number than `last` that may be joined, or the order to stop.
static bool concerns(uint32_t gate, uint32_t last) {
  return (gate & GATE_STOP) != 0 || ((gate & GATE_OPEN) != 0 && gate >> GATE_JOB_SHIFT != last);
}

static uint32_t spin_for_job(struct crew* crew, uint32_t last) {
  uint32_t gate = atomic_load_explicit(&crew->gate, memory_order_acquire);
  for (struct spin s = {0, 0}; !concerns(gate, last) && keep_spinning(&s);)
    gate = atomic_load_explicit(&crew->gate, memory_order_acquire);
  return gate;
}

// A thread that was woken too late for its job spins for the next one.
static uint32_t wait_for_job(struct crew* crew, uint32_t last, bool may_spin, int* away) {
  for (;;) {
    const uint32_t jobs = atomic_load(&crew->jobs);
    uint32_t gate = may_spin ? spin_for_job(crew, last) : atomic_load(&crew->gate);
    if (concerns(gate, last)) return gate;
    keep_away(crew, away);
    atomic_fetch_add(&crew->sleepers,
                     1);              // too many, if this one does not sleep after all, costs one futex call
    gate = atomic_load(&crew->gate);  // after being counted: whoever opens it from now on sees a sleeper
    if (concerns(gate, last)) return gate;
    sleep_on(&crew->jobs, jobs);
  }
}

static bool enter(struct crew* crew, uint32_t gate) {
  const int cpu = sched_getcpu();
  if (atomic_load_explicit(&crew->caller_cpu, memory_order_relaxed) != cpu)
    atomic_store(&crew->caller_cpu, cpu);
  const uint32_t job = gate >> GATE_JOB_SHIFT;
  while ((gate & GATE_OPEN) != 0 && gate >> GATE_JOB_SHIFT == job)
    if (atomic_compare_exchange_weak_explicit(&crew->gate, &gate, gate + 1, memory_order_acquire,
                                              memory_order_acquire))
      return true;
  return false;
}

static void leave(struct crew* crew) {
  const uint32_t left = atomic_fetch_sub_explicit(&crew->gate, 1, memory_order_release) - 1;
  if ((left & GATE_INSIDE) == 0 && (left & GATE_CALLER_SLEEPS) != 0) wake(&crew->gate, 1);
}

static void run(struct pthreadpool* pool, struct thread_info* thread, uint32_t flags) {
  const thread_function_t function =
      (thread_function_t)pthreadpool_load_relaxed_void_p(&pool->thread_function);
  if ((flags & PTHREADPOOL_FLAG_DISABLE_DENORMALS) == 0) {
    function(pool, thread);
    return;
  }
  const struct fpu_state saved = get_fpu_state();
  disable_fpu_denormals();
  function(pool, thread);
  set_fpu_state(saved);
}

static void* work(void* argument) {
  struct thread_info* thread = argument;
  struct pthreadpool* pool = thread->threadpool;
  struct crew* crew = crew_of(pool);
  uint32_t last = 0, flags = 0;
  int away = -1;
  for (;;) {
    const uint32_t gate = wait_for_job(crew, last, (flags & PTHREADPOOL_FLAG_YIELD_WORKERS) == 0, &away);
    if ((gate & GATE_STOP) != 0) return NULL;
    last = gate >> GATE_JOB_SHIFT;
    if (!enter(crew, gate)) continue;
    flags = pthreadpool_load_relaxed_uint32_t(&pool->flags);
    run(pool, thread, flags);
    leave(crew);
  }
}

// Nobody comes in any more; waits until nobody is inside.
static void shut(struct crew* crew) {
  uint32_t gate = atomic_fetch_and_explicit(&crew->gate, ~GATE_OPEN, memory_order_acquire) & ~GATE_OPEN;
  for (struct spin s = {0, 0}; (gate & GATE_INSIDE) != 0 && keep_spinning(&s);)
    gate = atomic_load_explicit(&crew->gate, memory_order_acquire);
  while ((gate & GATE_INSIDE) != 0) {
    const uint32_t asleep = gate | GATE_CALLER_SLEEPS;
    if (gate == asleep || atomic_compare_exchange_strong(&crew->gate, &gate, asleep))
      sleep_on(&crew->gate, asleep);
    gate = atomic_load_explicit(&crew->gate, memory_order_acquire);
  }
}

struct pthreadpool* pthreadpool_create(size_t threads) {
  if (threads == 0) threads = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
  if (threads > GATE_INSIDE) threads = GATE_INSIDE;
  const size_t bytes =
      sizeof(struct crew) + sizeof(struct pthreadpool) + threads * sizeof(struct thread_info);
  void* memory = NULL;
  if (posix_memalign(&memory, PTHREADPOOL_CACHELINE_SIZE, bytes) != 0) return NULL;
  memset(memory, 0, bytes);
  struct pthreadpool* pool = (struct pthreadpool*)(void*)((struct crew*)memory + 1);
  for (size_t i = 0; i < threads; ++i) {
    pool->threads[i].thread_number = i;
    pool->threads[i].threadpool = pool;
  }
  struct crew* crew = memory;
  atomic_init(&crew->caller_cpu, -1);
  if (sched_getaffinity(0, sizeof crew->allowed, &crew->allowed) != 0) CPU_ZERO(&crew->allowed);
  pthread_mutex_init(&pool->execution_mutex, NULL);
  size_t made = 1;  // the caller is thread 0
  while (made < threads &&
         pthread_create(&pool->threads[made].thread_object, NULL, work, &pool->threads[made]) == 0)
    ++made;
  pool->threads_count = fxdiv_init_size_t(made);  // fewer than asked for when the system gives no more
  return pool;
}

static void share_out(struct pthreadpool* pool, size_t range) {
  const struct fxdiv_result_size_t each = fxdiv_divide_size_t(range, pool->threads_count);
  size_t begin = 0;
  for (size_t i = 0; i < pool->threads_count.value; ++i) {
    struct thread_info* thread = &pool->threads[i];
    const size_t length = each.quotient + (size_t)(i < each.remainder);
    pthreadpool_store_relaxed_size_t(&thread->range_start, begin);
    pthreadpool_store_relaxed_size_t(&thread->range_end, begin + length);
    pthreadpool_store_relaxed_size_t(&thread->range_length, length);
    begin += length;
  }
}

// Once for each time they fell asleep: until they run, further jobs need not call again.
static void wake_sleepers(struct crew* crew) {
  if (atomic_load(&crew->sleepers) != 0 && atomic_exchange(&crew->sleepers, 0) != 0)
    wake(&crew->jobs, INT_MAX);
}

PTHREADPOOL_INTERNAL void pthreadpool_parallelize(struct pthreadpool* pool, thread_function_t function,
                                                  const void* params, size_t params_size, void* task,
                                                  void* context, size_t range, uint32_t flags) {
  struct crew* crew = crew_of(pool);
  pthread_mutex_lock(&pool->execution_mutex);
  pthreadpool_store_relaxed_void_p(&pool->thread_function, (void*)function);
  pthreadpool_store_relaxed_void_p(&pool->task, task);
  pthreadpool_store_relaxed_void_p(&pool->argument, context);
  pthreadpool_store_relaxed_uint32_t(&pool->flags, flags);
  if (params_size != 0) memcpy(&pool->params, params, params_size);
  share_out(pool, range);
  const int cpu = sched_getcpu();
  if (atomic_load_explicit(&crew->caller_cpu, memory_order_relaxed) != cpu)
    atomic_store(&crew->caller_cpu, cpu);
  const uint32_t job = (atomic_load_explicit(&crew->gate, memory_order_relaxed) >> GATE_JOB_SHIFT) + 1;
  atomic_store(&crew->gate, job << GATE_JOB_SHIFT | GATE_OPEN);
  atomic_fetch_add(&crew->jobs, 1);
  wake_sleepers(crew);
  run(pool, &pool->threads[0], flags);
  shut(crew);
  pthread_mutex_unlock(&pool->execution_mutex);
}

void pthreadpool_destroy(struct pthreadpool* pool) {
  if (pool == NULL) return;
  struct crew* crew = crew_of(pool);
  atomic_store(&crew->gate, GATE_STOP);
  atomic_fetch_add(&crew->jobs, 1);
  wake(&crew->jobs, INT_MAX);
  for (size_t i = 1; i < pool->threads_count.value; ++i) pthread_join(pool->threads[i].thread_object, NULL);
  pthread_mutex_destroy(&pool->execution_mutex);
  free(crew);
}
