// Hulls, the path over them, and the dynamic programme.
#include "converter/compress/budget_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::compress {
namespace {

constexpr size_t kGrid = 1000;  // parts of the budget
constexpr double kNever = std::numeric_limits<double>::infinity();

struct Step {  // of one unit along its hull
  size_t unit, to;
  double price;  // damage per cost saved
};

// Dearest first per unit, so that a unit's steps come in order even where prices are equal.
std::vector<Step> all_steps(std::span<const std::vector<Option>> units,
                            const std::vector<std::vector<size_t>>& hulls) {
  std::vector<Step> steps;
  for (size_t u = 0; u < units.size(); ++u)
    for (size_t i = 1; i < hulls[u].size(); ++i) {
      const Option &from = units[u][hulls[u][i - 1]], &to = units[u][hulls[u][i]];
      steps.push_back({u, hulls[u][i], (to.damage - from.damage) / (from.cost - to.cost)});
    }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.price < b.price; });
  return steps;
}

}  // namespace

Choice sum_up(std::span<const std::vector<Option>> units, std::vector<size_t> option) {
  Choice out{std::move(option), 0, 0};
  for (size_t u = 0; u < units.size(); ++u) {
    out.damage += units[u][out.option[u]].damage;
    out.cost += units[u][out.option[u]].cost;
  }
  return out;
}

std::vector<size_t> lower_hull(std::span<const Option> options) {
  std::vector<size_t> order(options.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Option &x = options[a], &y = options[b];
    return x.damage != y.damage ? x.damage < y.damage : x.cost < y.cost;
  });
  std::vector<size_t> hull;
  const auto bends_in =
      [&](size_t c) {  // the last point lies on or above the line from the one before it to c
        const Option &a = options[hull[hull.size() - 2]], &b = options[hull.back()], &d = options[c];
        return (b.damage - a.damage) * (a.cost - d.cost) >= (d.damage - a.damage) * (a.cost - b.cost);
      };
  for (const size_t i : order) {
    if (!hull.empty() && options[i].cost >= options[hull.back()].cost) continue;
    while (hull.size() >= 2 && bends_in(i)) hull.pop_back();
    hull.push_back(i);
  }
  return hull;
}

std::vector<Choice> nested_path(std::span<const std::vector<Option>> units) {
  std::vector<std::vector<size_t>> hulls;
  std::vector<size_t> now;
  for (const std::vector<Option>& options : units) {
    hulls.push_back(lower_hull(options));
    now.push_back(hulls.back().front());
  }
  std::vector<Choice> path{sum_up(units, now)};
  for (const Step& step : all_steps(units, hulls)) {
    now[step.unit] = step.to;
    path.push_back(sum_up(units, now));
  }
  return path;
}

std::optional<Choice> select_under(std::span<const std::vector<Option>> units, double budget) {
  if (!(budget > 0)) return std::nullopt;
  // least[c]: damage of the best choice so far that costs at most c parts; taken[u][c]: the option of unit u in it.
  std::vector<double> least(kGrid + 1, 0);
  std::vector<std::vector<size_t>> taken;
  std::vector<std::vector<size_t>> parts;
  for (const std::vector<Option>& options : units) {
    std::vector<double> next(kGrid + 1, kNever);
    auto& choice = taken.emplace_back(kGrid + 1, options.size());
    auto& cost = parts.emplace_back();
    for (size_t o = 0; o < options.size(); ++o) {
      const double share = std::ceil(options[o].cost / budget * double{kGrid});
      cost.push_back(share <= double{kGrid} ? static_cast<size_t>(share) : kGrid + 1);
      for (size_t c = cost[o]; c <= kGrid; ++c) {
        const double damage = least[c - cost[o]] + options[o].damage;
        if (damage < next[c]) next[c] = damage, choice[c] = o;
      }
    }
    least = std::move(next);
  }
  if (least[kGrid] == kNever) return std::nullopt;
  std::vector<size_t> option(units.size());
  size_t c = kGrid;
  for (size_t u = units.size(); u-- > 0;) {
    option[u] = taken[u][c];
    c -= parts[u][option[u]];
  }
  return sum_up(units, std::move(option));
}

}  // namespace pith::compress
