// Clocks and medians of the benchmarks: contestants take turns, and the median of their rounds counts.
#pragma once
#include <time.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace pith::bench {

inline double clock_seconds(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Microseconds of one run by this thread's clock: the lower quarter of up to 2000 runs or a quarter of a second. Little other load
// counts then, and none of the rare readings where the clock stood still.
template <class F>
double quick_microseconds(F&& run) {
  std::vector<double> times;
  double spent = 0;
  for (int i = 0; i < 2000 && spent < 0.25; ++i) {
    const double begin = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    run();
    times.push_back(clock_seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
    spent += times.back();
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 4), times.end());
  return times[times.size() / 4] * 1e6;
}

struct Contestant {
  std::string name;
  std::function<void()> run;
  double work = 1;  // of one run; results are work per second
  double rate = 0;  // median, filled by take_turns
};

// One warm-up, then `rounds` turns of about `seconds` each. wall: real time (memory, threads); else the time of this
// thread, which other programs on the machine do not lengthen.
inline void take_turns(std::vector<Contestant>& all, int rounds, double seconds, bool wall) {
  const clockid_t id = wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
  std::vector<std::vector<double>> rates(all.size());
  std::vector<int> repeats(all.size(), 1);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].run();
    const double begin = clock_seconds(id);
    all[i].run();
    const double once = std::max(clock_seconds(id) - begin, 1e-7);
    repeats[i] = std::max(1, static_cast<int>(seconds / once));
  }
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < all.size(); ++i) {
      const double begin = clock_seconds(id);
      for (int n = 0; n < repeats[i]; ++n) all[i].run();
      rates[i].push_back(all[i].work * repeats[i] / std::max(clock_seconds(id) - begin, 1e-9));
    }
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<double>& r = rates[i];
    std::nth_element(r.begin(), r.begin() + static_cast<long>(r.size() / 2), r.end());
    all[i].rate = r[r.size() / 2];
  }
}

}  // namespace pith::bench
