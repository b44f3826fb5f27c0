// The default number of threads follows affinity, control groups and core types.
#include "runtime/port/processors.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/threads/parallel.h"
#include "tests/support/temp_folder.h"

namespace pith {
namespace {

using test::TempFolder;

size_t affinity() {
  cpu_set_t mask;
  REQUIRE(sched_getaffinity(0, sizeof mask, &mask) == 0);
  return static_cast<size_t>(CPU_COUNT(&mask));
}

}  // namespace

TEST_CASE("without limits every processor of the affinity mask may be used") {
  const TempFolder folder;
  CHECK(usable_processors(folder.path().c_str()) == affinity());
}

TEST_CASE("a cgroup v2 quota anywhere above the process is obeyed, rounded up") {
  const TempFolder folder;
  folder.write("proc/self/cgroup", "0::/a/b\n");
  folder.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(usable_processors(folder.path().c_str()) == affinity());
  folder.write("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  CHECK(usable_processors(folder.path().c_str()) == 1);
  folder.write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  CHECK(usable_processors(folder.path().c_str()) == std::min<size_t>(2, affinity()));
}

TEST_CASE("a cgroup v1 quota is obeyed") {
  const TempFolder folder;
  folder.write("proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/x\n");
  folder.write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  folder.write("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  CHECK(usable_processors(folder.path().c_str()) == affinity());
  folder.write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
  CHECK(usable_processors(folder.path().c_str()) == 1);
}

TEST_CASE("slow cores are left out when the system tells core speeds") {
  const TempFolder folder;
  cpu_set_t mask;
  REQUIRE(sched_getaffinity(0, sizeof mask, &mask) == 0);
  bool first = true;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    folder.write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpu_capacity",
                 first ? "1024\n" : "400\n");
    first = false;
  }
  CHECK(usable_processors(folder.path().c_str()) == 1);
}

TEST_CASE("parallel_for covers every index once with any number of threads") {
  for (size_t threads : {size_t{1}, size_t{2}, size_t{3}}) {
    const std::unique_ptr<ThreadPool> pool = ThreadPool::create(threads);
    CHECK(pool->threads() == threads);
    for (size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{1000}}) {
      std::vector<int> hits(count, 0);
      parallel_for(pool.get(), count, 3, [&](Range r) {
        for (size_t i = r.begin; i < r.end; ++i) ++hits[i];
      });
      CHECK(std::all_of(hits.begin(), hits.end(), [](int n) { return n == 1; }));
    }
  }
}

}  // namespace pith
