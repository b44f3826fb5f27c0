// The report as JSON. Decibels are rounded to 0.01: nobody reads more, and the metadata stay short.
#include "converter/compile/int8_summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace pith {
namespace {

using Json = nlohmann::ordered_json;

// Infinity (no error at all) becomes null.
Json hundredths(double v) { return std::isfinite(v) ? Json(std::round(v * 100) / 100) : Json(nullptr); }

Json step_json(const GuardedStep& step) {
  return {{"tried", step.tried},
          {"kept", step.kept},
          {"sqnr_before_db", hundredths(step.sqnr_before_db)},
          {"sqnr_after_db", hundredths(step.sqnr_after_db)}};
}

// Grids that had a choice, by the method that won.
Json winners(const quantize::StaticInt8Report& ranges) {
  Json counts = Json::object();
  for (const quantize::TensorReport& t : ranges.tensors) {
    if (t.fixed || t.decision.tournament.entries.size() < 2) continue;
    Json& n = counts[t.decision.tournament.best().candidate.label()];
    n = n.is_null() ? 1 : n.get<int>() + 1;
  }
  return counts;
}

Json tensor_json(const quantize::TensorReport& t) {
  Json out{{"names", t.names},
           {"scale", t.decision.grid.scale},
           {"zero_point", t.decision.grid.zero_point},
           {"fixed", t.fixed},
           {"sqnr_db", hundredths(t.decision.sqnr_db)},
           {"outside_share", t.decision.outside_share}};
  const quantize::Tournament& held = t.decision.tournament;
  if (held.entries.empty()) return out;
  out["winner"] = held.best().candidate.label();
  out["gain_over_min_max"] = hundredths(held.gain_over_first);
  for (const quantize::ScoredRange& e : held.entries)
    out["tournament"].push_back({{"range", e.candidate.label()},
                                 {"low", e.candidate.low},
                                 {"high", e.candidate.high},
                                 {"error", e.error}});
  return out;
}

}  // namespace

std::string int8_summary(const Int8FlowReport& r, bool tensors) {
  Json calibration{
      {"items", r.audit.items}, {"different", r.audit.hashes.size()}, {"repeated", r.audit.repeated}};
  if (r.audit.eval_items > 0) {
    calibration["evaluation_items"] = r.audit.eval_items;
    calibration["shared_with_evaluation"] = r.audit.shared_with_eval;
  }
  Json equalization = step_json(r.equalized), bias = step_json(r.bias_corrected);
  equalization["pairs"] = r.equalize.pairs;
  equalization["largest_factor"] = hundredths(r.equalize.largest_factor);
  bias["layers"] = r.bias_layers;
  bias["channels"] = r.bias_channels;
  Json out{{"quantized_products", r.ranges.quantized_products},
           {"float_products", r.ranges.float_products},
           {"output_sqnr_db", hundredths(r.output_sqnr_db)},
           {"judging_items", r.judging_items},
           {"calibration", std::move(calibration)},
           {"ranges", winners(r.ranges)},
           {"equalization", std::move(equalization)},
           {"bias_correction", std::move(bias)}};
  if (tensors) {
    out["tensors"] = Json::array();
    for (const quantize::TensorReport& t : r.ranges.tensors) out["tensors"].push_back(tensor_json(t));
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::pair<std::string, std::string>> int8_metadata(const Int8FlowReport& report) {
  return {{kInt8ReportKey, int8_summary(report, false)}, hashes_metadata(report.audit)};
}

}  // namespace pith
