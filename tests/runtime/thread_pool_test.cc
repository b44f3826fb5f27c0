// The pool: idle threads sleep, nobody waits for a thread that has not begun, sessions and threads may share one.
#include <doctest/doctest.h>
#include <pith/pith.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/threads/parallel.h"
#include "tests/support/shared_data.h"

namespace pith {
namespace {

using std::chrono::milliseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
constexpr bool kTimesCount = false;  // a sanitizer or an emulator says nothing about time
#else
constexpr bool kTimesCount = true;
#endif

double process_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

// 0 + 1 + ... by chunks of one.
size_t sum_below(ThreadPool* pool, size_t count) {
  std::atomic<size_t> sum{0};
  parallel_for(pool, count, 1, [&](Range r) {
    for (size_t i = r.begin; i < r.end; ++i) sum.fetch_add(i, std::memory_order_relaxed);
  });
  return sum.load();
}

// Every thread of the process that is started while this lives shares one processor with it.
class OneProcessor {
 public:
  OneProcessor() {
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

struct Opened {
  pith_model* model = nullptr;
  ~Opened() { pith_model_destroy(model); }
};

pith_session* session_on(const pith_model* model, pith_thread_pool* pool) {
  pith_session_options options{};
  options.size = sizeof options;
  options.pool = pool;
  pith_session* session = nullptr;
  REQUIRE(pith_session_create(model, &options, &session) == PITH_OK);
  for (size_t i = 0; i < pith_session_input_count(session); ++i) {
    pith_tensor x = pith_session_input(session, i);
    for (int32_t d = 0; d < x.rank; ++d) x.dims[d] = std::max<int64_t>(x.dims[d], 1);
    REQUIRE(pith_session_set_input_shape(session, i, x.dims, x.rank) == PITH_OK);
  }
  REQUIRE(pith_session_prepare(session) == PITH_OK);
  for (size_t i = 0; i < pith_session_input_count(session); ++i) {
    const pith_tensor x = pith_session_input(session, i);
    std::memset(x.data, 1, x.bytes);
  }
  return session;
}

std::string run_and_read(pith_session* session) {
  if (pith_session_run(session) != PITH_OK) return "";
  const pith_tensor y = pith_session_output(session, 0);
  return {static_cast<const char*>(y.data), y.bytes};
}

}  // namespace

TEST_CASE("threads of a pool that has nothing to do take no processor time") {
  const auto pool = ThreadPool::create(4);
  REQUIRE(pool->threads() == 4);
  CHECK(sum_below(pool.get(), 1000) == 499500);
  const double before = process_ms();
  std::this_thread::sleep_for(milliseconds(60));
  const double used = process_ms() - before;
  CAPTURE(used);
  if (kTimesCount) CHECK(used < 6);  // three threads may spin for 50 us each
}

TEST_CASE("work that finds no free processor is done by the caller, without waiting for other threads") {
  const OneProcessor one;
  const auto pool = ThreadPool::create(3);
  std::vector<double> ms;
  for (int i = 0; i < 51; ++i) {
    std::this_thread::sleep_for(milliseconds(1));  // the others fall asleep
    const auto begin = std::chrono::steady_clock::now();
    CHECK(sum_below(pool.get(), 64) == 2016);
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(ms.begin(), ms.end());
  CAPTURE(ms[25]);
  if (kTimesCount) CHECK(ms[25] < 1);
}

TEST_CASE("a pool gives the same sums whatever the number of threads and of items, asleep or awake") {
  for (size_t threads = 1; threads <= 5; ++threads) {
    const auto pool = ThreadPool::create(threads);
    for (size_t count = 0; count < 300; ++count) {
      CHECK(sum_below(pool.get(), count) == (count == 0 ? 0 : count * (count - 1) / 2));
      if (count % 100 == 7) std::this_thread::sleep_for(milliseconds(1));
    }
  }
}

TEST_CASE("several threads may use one pool at once") {
  const auto pool = ThreadPool::create(3);
  std::atomic<size_t> wrong{0};
  std::vector<std::thread> callers;
  for (size_t c = 0; c < 3; ++c)
    callers.emplace_back([&, c] {
      for (size_t i = 0; i < 400; ++i) {
        const size_t count = 2 + (i * 7 + c) % 50;
        if (sum_below(pool.get(), count) != count * (count - 1) / 2) ++wrong;
      }
    });
  for (std::thread& t : callers) t.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("sessions share a pool through the C interface and outlive its handle") {
  Opened opened;
  const std::string path = test::project_file("tests/data/format/v1.0/conv-bn-relu.pith");
  REQUIRE(pith_model_open(path.c_str(), nullptr, &opened.model) == PITH_OK);
  pith_thread_pool* pool = nullptr;
  REQUIRE(pith_thread_pool_create(2, &pool) == PITH_OK);
  CHECK(pith_thread_pool_threads(pool) == 2);
  pith_session* a = session_on(opened.model, pool);
  pith_session* b = session_on(opened.model, pool);
  pith_thread_pool_destroy(pool);
  const std::string alone = run_and_read(a);
  REQUIRE(!alone.empty());
  std::atomic<size_t> wrong{0};
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) wrong += run_and_read(b) != alone;
  });
  for (int i = 0; i < 20; ++i) wrong += run_and_read(a) != alone;
  other.join();
  CHECK(wrong.load() == 0);
  pith_session_destroy(a);
  pith_session_destroy(b);
}

TEST_CASE("thread pools refuse what they cannot give") {
  pith_thread_pool* pool = nullptr;
  CHECK(pith_thread_pool_create(2, nullptr) == PITH_BAD_ARGUMENT);
  CHECK(pith_thread_pool_create(5000, &pool) == PITH_BAD_ARGUMENT);
  CHECK(pool == nullptr);
  CHECK(pith_thread_pool_threads(nullptr) == 0);
  pith_thread_pool_destroy(nullptr);
}

}  // namespace pith
