// Bisection of the nested path, exact selection under a size, local repair.
#include "converter/compress/search.h"

#include <algorithm>
#include <cmath>

#include "converter/compress/budget_search.h"

namespace pith::compress {
namespace {

constexpr size_t kRepairs = 8;    // steps tried beyond the first that failed
constexpr double kNoDrop = 0.01;  // of a search without a limit: what counts as unharmed

class Search {
 public:
  Search(const SearchInput& input, Trials& trials) : in_(input), trials_(trials) {
    for (size_t u = 0; u < in_.units.size(); ++u) add_options(u);
  }

  Result<size_t> run() {
    const std::vector<Choice> path = nested_path(options_);
    if (!all_given()) PITH_RETURN_IF_ERROR(try_uniform());
    if (in_.max_bytes)
      return least_damage_under(path, [&](const Candidate& c) { return c.bytes <= *in_.max_bytes; });
    if (in_.options.budgets.max_ms && !in_.options.budgets.max_drop)
      return least_damage_under(path,
                                [&](const Candidate& c) { return c.ms <= *in_.options.budgets.max_ms; });
    return smallest_within_drop(path);
  }

 private:
  // Full precision is no candidate where half precision is.
  bool offered(const std::vector<FormatMeasure>& formats, const FormatMeasure& m) const {
    if (!m.failure.empty() || !std::isfinite(damage_of(m))) return false;
    if (m.format.precision != Precision::fp32 || formats.size() == 1) return true;
    return std::none_of(formats.begin(), formats.end(), [](const FormatMeasure& o) {
      return o.failure.empty() && o.format.precision != Precision::fp32;
    });
  }

  // Scores have a divergence; what a metric command reads may be anything.
  double damage_of(const FormatMeasure& m) const {
    return in_.options.metric_command.empty() ? std::max(m.distance.kl, 0.0) : m.distance.noise_share;
  }

  double cost_of(const FormatMeasure& m) const {
    const double bytes =
        static_cast<double>(m.bytes) / static_cast<double>(std::max<uint64_t>(in_.float_bytes, 1));
    const double ms = in_.float_ms > 0 ? m.ms / in_.float_ms : 0;
    if (in_.max_bytes && !in_.options.budgets.max_ms) return bytes;
    if (in_.options.budgets.max_ms && !in_.max_bytes && !in_.options.budgets.max_drop) return ms;
    return bytes + ms;
  }

  void add_options(size_t u) {
    const std::vector<FormatMeasure>& formats = in_.measured[u].formats;
    auto& options = options_.emplace_back();
    auto& format = format_of_.emplace_back();
    for (const FormatMeasure& m : formats) {
      if (!offered(formats, m)) continue;
      options.push_back({damage_of(m), cost_of(m)});
      format.push_back(m.format);
    }
  }

  PrecisionPlan plan_of(const std::vector<size_t>& option) const {
    PrecisionPlan plan;
    for (size_t u = 0; u < in_.units.size(); ++u)
      for (const std::string& node : in_.units[u].nodes) plan[node] = format_of_[u][option[u]];
    return plan;
  }

  double bound(size_t candidate) const { return trials_.bound(candidate, in_.proof_items); }
  double limit() const { return in_.options.budgets.max_drop.value_or(kNoDrop); }
  bool holds(size_t candidate) const { return bound(candidate) <= limit(); }
  double measured_cost(const Candidate& c) const {
    return static_cast<double>(c.bytes) / static_cast<double>(std::max<uint64_t>(in_.float_bytes, 1)) +
           (in_.float_ms > 0 ? c.ms / in_.float_ms : 0);
  }

  // One format everywhere: the rows that people compare with, and often enough the answer.
  Status try_uniform() {
    std::vector<LayerFormat> formats;
    for (const Unit& u : in_.units)
      for (const LayerFormat& f : u.formats)
        if (std::find(formats.begin(), formats.end(), f) == formats.end()) formats.push_back(f);
    for (const LayerFormat& f : formats) {
      PrecisionPlan plan;
      for (size_t u = 0; u < in_.units.size(); ++u) {
        const auto& have = format_of_[u];
        const bool takes = std::find(have.begin(), have.end(), f) != have.end();
        const LayerFormat least = have[least_damage(u)];
        for (const std::string& node : in_.units[u].nodes) plan[node] = takes ? f : least;
      }
      if (f.precision == Precision::fp32) plan.clear();
      PITH_RETURN_IF_ERROR(trials_.add(name_of(f), plan).status());
    }
    return Status::ok();
  }
  size_t least_damage(size_t u) const { return lower_hull(options_[u]).front(); }

  // No layer has a choice: a recipe's plan, or patterns for all.
  bool all_given() const {
    return std::all_of(options_.begin(), options_.end(), [](const auto& o) { return o.size() == 1; });
  }

  Result<size_t> try_point(const std::vector<Choice>& path, size_t i) {
    if (all_given()) return trials_.add("as given", plan_of(path[i].option));
    return trials_.add(format("mix %zu of %zu", i, path.size() - 1), plan_of(path[i].option));
  }

  // The last point of the path that holds, found by halving; then steps beyond it one at a time.
  Result<size_t> smallest_within_drop(const std::vector<Choice>& path) {
    PITH_RETURN_IF_ERROR(try_point(path, 0).status());
    PITH_ASSIGN(const size_t last, try_point(path, path.size() - 1));
    size_t good = 0, bad = path.size() - 1;
    while (!holds(last) && bad - good > 1) {
      const size_t middle = (good + bad) / 2;
      PITH_ASSIGN(const size_t found, try_point(path, middle));
      (holds(found) ? good : bad) = middle;
    }
    if (!holds(last) && path.size() > 1) PITH_RETURN_IF_ERROR(repair(path, good));
    return best_that_holds();
  }

  Status repair(const std::vector<Choice>& path, size_t good) {
    std::vector<size_t> option = path[good].option;
    for (size_t i = good + 1, tried = 0; i < path.size() && tried < kRepairs; ++i) {
      std::vector<size_t> more = option;
      for (size_t u = 0; u < more.size(); ++u)
        if (path[i].option[u] != path[i - 1].option[u]) more[u] = path[i].option[u];
      if (more == path[good + 1].option) continue;  // already known not to hold
      ++tried;
      PITH_ASSIGN(const size_t found, trials_.add(format("repair %zu", tried), plan_of(more)));
      if (holds(found)) option = more;
    }
    return Status::ok();
  }

  // The cheapest of all that hold; if none does, the one nearest to holding.
  Result<size_t> best_that_holds() const {
    const auto& all = trials_.candidates();
    const auto ships = [&](size_t i) { return !all[i].plan.empty(); };
    size_t best = all.size();
    for (size_t i = 0; i < all.size(); ++i)
      if (ships(i) && holds(i) && (best == all.size() || measured_cost(all[i]) < measured_cost(all[best])))
        best = i;
    return best == all.size() ? nearest() : best;
  }
  size_t nearest() const {
    const auto& all = trials_.candidates();
    size_t best = all.size();
    for (size_t i = 0; i < all.size(); ++i)
      if (!all[i].plan.empty() && (best == all.size() || bound(i) < bound(best))) best = i;
    return best == all.size() ? size_t{0} : best;
  }

  // The least damage on the path that meets a budget, and the exact programme's choice beside it; the more right wins.
  template <class MeetsFn>
  Result<size_t> least_damage_under(const std::vector<Choice>& path, const MeetsFn& meets) {
    size_t low = 0, high = path.size() - 1;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      PITH_ASSIGN(const size_t found, try_point(path, middle));
      if (meets(trials_.candidates()[found]))
        high = middle;
      else
        low = middle + 1;
    }
    PITH_ASSIGN(size_t best, try_point(path, low));
    if (const auto exact = select_under(options_, path[low].cost * kSlack)) {
      PITH_ASSIGN(const size_t found, trials_.add("exact", plan_of(exact->option)));
      if (meets(trials_.candidates()[found]) && bound(found) < bound(best)) best = found;
    }
    return best;
  }
  static constexpr double kSlack = 1.0005;  // half a part of the programme's grid

  const SearchInput& in_;
  Trials& trials_;
  std::vector<std::vector<Option>> options_;
  std::vector<std::vector<LayerFormat>> format_of_;
};

}  // namespace

Result<size_t> search_mixture(const SearchInput& input, Trials& trials) {
  return Search(input, trials).run();
}

}  // namespace pith::compress
