// Fit on some items, judge on others: see observation.h.
#include "converter/quantize/observation.h"

#include <cmath>

namespace pith::quantize {
namespace {

std::vector<float> joined(std::span<const float> sample, const std::vector<float>& extra) {
  std::vector<float> all(sample.begin(), sample.end());
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

void append(std::vector<float>& to, std::span<const float> sample, const std::vector<float>& extra) {
  to.insert(to.end(), sample.begin(), sample.end());
  to.insert(to.end(), extra.begin(), extra.end());
}

WeightedPoints judging_points(const Observation& o) {
  return weighted_points(o.judge, joined(o.judge_sample.values(), o.judge_extra));
}

Status check_seen(const Observation& o) {
  if (!o.judge.all_finite())
    return Status(Code::bad_argument, format("the judging items hold %llu NaN and %llu infinite values",
                                             static_cast<unsigned long long>(o.judge.nans()),
                                             static_cast<unsigned long long>(o.judge.infinities())));
  if (o.fit.empty() || o.judge.empty())
    return Status(Code::bad_argument, "no values were seen during calibration");
  return Status::ok();
}

void judge(const WeightedPoints& points, RangeDecision& d) {
  const double error = quantization_mse(points, d.grid) * points.total;
  const double power = points.power();
  d.sqnr_db = power > 0 ? sqnr_db(power, error) : INFINITY;
  const double slack = d.grid.scale / 2.0;
  double outside = 0;
  for (size_t i = 0; i < points.x.size(); ++i)
    if (points.x[i] < d.grid.low() - slack || points.x[i] > d.grid.high() + slack)
      outside += points.weight[i];
  d.outside_share = outside / points.total;
}

}  // namespace

void Observation::add_fit(std::span<const float> values) {
  fit.add(values);
  fit_sample.add(values);
}

void Observation::add_judge(std::span<const float> values) {
  judge.add(values);
  judge_sample.add(values);
}

void Observation::merge(const Observation& other) {
  fit.merge(other.fit);
  judge.merge(other.judge);
  append(fit_extra, other.fit_sample.values(), other.fit_extra);
  append(judge_extra, other.judge_sample.values(), other.judge_extra);
}

Result<RangeDecision> decide_range(const Observation& o, const RangeOptions& options,
                                   const TournamentRules& rules) {
  PITH_RETURN_IF_ERROR(check_seen(o));
  PITH_ASSIGN(RangeCandidates candidates,
              range_candidates(o.fit, joined(o.fit_sample.values(), o.fit_extra), options));
  const WeightedPoints points = judging_points(o);
  RangeDecision d;
  d.note = candidates.note;
  PITH_ASSIGN(d.tournament,
              run_tournament(
                  candidates.ranges, [&](const Int8Grid& g) { return quantization_mse(points, g); }, rules));
  d.grid = d.tournament.best().candidate.grid;
  judge(points, d);
  return d;
}

Result<RangeDecision> judge_grid(const Observation& o, const Int8Grid& grid) {
  PITH_RETURN_IF_ERROR(check_seen(o));
  RangeDecision d;
  d.grid = grid;
  judge(judging_points(o), d);
  return d;
}

}  // namespace pith::quantize
