// Hull, path and dynamic programme against exhaustive search.
#include "converter/compress/budget_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

using namespace pith::compress;

namespace {

class Noise {
 public:
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / double{1 << 24};
  }

 private:
  uint64_t state_ = 1;
};

std::vector<std::vector<Option>> random_units(Noise& noise, size_t count) {
  std::vector<std::vector<Option>> units(count);
  for (auto& options : units)
    for (size_t o = 0; o < 3 + count % 2; ++o) options.push_back({noise.next(), 1 + 9 * noise.next()});
  return units;
}

// The least of `measure` over every combination that `allowed` admits; infinity without any.
template <class MeasureFn>
double best_of_all(const std::vector<std::vector<Option>>& units, const MeasureFn& measure) {
  std::vector<size_t> option(units.size(), 0);
  double best = std::numeric_limits<double>::infinity();
  for (;;) {
    best = std::min(best, measure(sum_up(units, option)));
    size_t u = 0;
    while (u < units.size() && ++option[u] == units[u].size()) option[u++] = 0;
    if (u == units.size()) return best;
  }
}

}  // namespace

TEST_CASE("budget search: the hull drops what is dominated or above the line between its neighbours") {
  const std::vector<Option> options = {{0, 10}, {0, 12}, {1, 9}, {2, 2}, {3, 3}, {9, 1}, {9, 2}};
  CHECK(lower_hull(options) == std::vector<size_t>{0, 3, 5});
  CHECK(lower_hull(std::vector<Option>{{5, 5}}) == std::vector<size_t>{0});
  CHECK(lower_hull({}).empty());
}

TEST_CASE("budget search: every point of the path is the best trade at some price, and costs fall") {
  Noise noise;
  for (int round = 0; round < 20; ++round) {
    const auto units = random_units(noise, 4);
    const std::vector<Choice> path = nested_path(units);
    REQUIRE(!path.empty());
    CHECK(path.front().damage ==
          doctest::Approx(best_of_all(units, [](const Choice& c) { return c.damage; })));
    CHECK(path.back().cost == doctest::Approx(best_of_all(units, [](const Choice& c) { return c.cost; })));
    for (size_t i = 1; i < path.size(); ++i) {
      CHECK(path[i].cost < path[i - 1].cost);
      CHECK(path[i].damage >= path[i - 1].damage);
      size_t changed = 0;
      for (size_t u = 0; u < units.size(); ++u) changed += path[i].option[u] != path[i - 1].option[u];
      CHECK(changed == 1);
      // Between the slopes on both sides this point minimizes damage + price * cost.
      if (i + 1 == path.size()) continue;
      const auto slope = [](const Choice& a, const Choice& b) {
        return (b.damage - a.damage) / (a.cost - b.cost);
      };
      const double price = (slope(path[i - 1], path[i]) + slope(path[i], path[i + 1])) / 2;
      const auto total = [&](const Choice& c) { return c.damage + price * c.cost; };
      CHECK(total(path[i]) == doctest::Approx(best_of_all(units, total)));
    }
  }
}

TEST_CASE(
    "budget search: the programme finds the least damage under a budget, within its rounding of costs") {
  Noise noise;
  for (int round = 0; round < 20; ++round) {
    const auto units = random_units(noise, 5);
    const double cheapest = best_of_all(units, [](const Choice& c) { return c.cost; });
    for (const double factor : {1.01, 1.3, 2.0, 10.0}) {
      const double budget = cheapest * factor;
      const auto found = select_under(units, budget);
      const auto damage_below = [&](double limit) {
        return best_of_all(units, [&](const Choice& c) {
          return c.cost <= limit ? c.damage : std::numeric_limits<double>::infinity();
        });
      };
      if (!found) {
        CHECK(cheapest > budget * (1 - 5e-3));
        continue;
      }
      CHECK(found->cost <= budget);
      CHECK(found->damage >= damage_below(budget) - 1e-12);
      CHECK(found->damage <= damage_below(budget * (1 - 5e-3)) + 1e-12);  // five units, a thousandth each
    }
    CHECK_FALSE(select_under(units, cheapest * 0.9));
    CHECK_FALSE(select_under(units, 0));
  }
}
