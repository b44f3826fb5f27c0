// Choosing one option per unit: arithmetic alone, no models.
//   nested_path   units go down their convex hulls of (cost, damage) in the order of damage per cost saved: the choices
//                 that a Lagrangian a -> argmin damage + a * cost passes through, each one step from the last
//   select_under  exact dynamic programme over cost in thousandths of the budget
// Source: research on mixed precision under a budget; additivity of damage is an assumption, so results are candidates
// that real evaluation accepts or refuses.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace pith::compress {

struct Option {
  double damage = 0;  // >= 0; any unit, additive over units
  double cost = 0;    // >= 0; bytes, milliseconds or a blend
};

struct Choice {
  std::vector<size_t> option;  // per unit, an index into its options
  double damage = 0, cost = 0;
};

Choice sum_up(std::span<const std::vector<Option>> units, std::vector<size_t> option);

// Indices of one unit's options on the lower convex hull, least damage first, strictly cheaper one after the other; of
// options with equal damage the cheaper, with equal cost the less damaging. Empty for no options.
std::vector<size_t> lower_hull(std::span<const Option> options);

// First: the least damage. Last: the least cost. Every unit must have an option.
std::vector<Choice> nested_path(std::span<const std::vector<Option>> units);

// The least damage with cost <= budget; absent when even the cheapest options cost more. Costs are rounded up to
// thousandths of the budget, so the result never exceeds it.
std::optional<Choice> select_under(std::span<const std::vector<Option>> units, double budget);

}  // namespace pith::compress
