// One field per thing measured; decibels rounded as everywhere.
#include "converter/compress/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace pith::compress {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json candidate_json(const CompressReport& r, const Candidate& c) {
  return {
      {"name", c.name},
      {"bytes", c.bytes},
      {"share", r.source_bytes > 0 ? static_cast<double>(c.bytes) / static_cast<double>(r.source_bytes) : 0},
      {"bits_per_weight", c.bits_per_weight},
      {"value", c.value},
      {"ci95", {c.interval.low, c.interval.high}},
      {"drop", c.drop},
      {"ms", c.ms},
      {"pareto", c.pareto}};
}

Json error_json(const std::optional<eval::TensorError>& e) {
  if (!e) return nullptr;
  Json out{{"fidelity", eval::name_of(e->fidelity())}};
  if (e->fidelity() == eval::Fidelity::normal) out["sqnr_db"] = e->sqnr_db();
  return out;
}

Json layer_json(const LayerResult& layer) {
  Json out{{"name", layer.unit.name},         {"op", layer.unit.op},
           {"nodes", layer.unit.nodes},       {"weights", layer.unit.weights},
           {"chosen", name_of(layer.chosen)}, {"formats", Json::array()}};
  const LayerOutcome& o = layer.outcome;
  out["float_bytes"] = o.float_bytes;
  out["bytes"] = o.bytes;
  out["float_ms"] = o.float_ms;
  out["ms"] = o.ms;
  out["local"] = error_json(o.local);
  out["cumulative"] = error_json(o.cumulative);
  for (const FormatMeasure& m : layer.measured.formats) {
    Json format{{"name", name_of(m.format)}};
    if (!m.failure.empty()) {
      format["failure"] = m.failure;
    } else {
      format["kl"] = finite(m.distance.kl);
      format["output_sqnr_db"] =
          m.distance.noise_share > 0 ? finite(-10 * std::log10(m.distance.noise_share)) : Json();
      format["bytes"] = m.bytes;
      format["ms"] = m.ms;
    }
    out["formats"].push_back(std::move(format));
  }
  for (const auto& [node, rungs] : layer.ladder)
    for (const Rung& rung : rungs) {
      Json step{{"method", name_of(rung.method)}};
      if (rung.failure.empty())
        step["loss"] = finite(rung.loss);
      else
        step["failure"] = rung.failure;
      if (!rung.note.empty()) step["note"] = rung.note;
      out["ladder"][node].push_back(std::move(step));
    }
  for (const auto& [node, tournament] : layer.input_ranges) {
    Json& ranges = out["input_ranges"][node];
    ranges["winner"] = tournament.best().candidate.label();
    for (const quantize::ScoredRange& e : tournament.entries)
      ranges["tried"].push_back({{"range", e.candidate.label()},
                                 {"low", e.candidate.low},
                                 {"high", e.candidate.high},
                                 {"error", finite(e.error)}});
  }
  return out;
}

Json rounding_json(const RoundingReport& rounding) {
  Json out{{"tried", rounding.step.tried}, {"kept", rounding.step.kept}};
  if (rounding.step.tried) {
    out["sqnr_before_db"] = finite(rounding.step.sqnr_before_db);
    out["sqnr_after_db"] = finite(rounding.step.sqnr_after_db);
  }
  out["layers"] = Json::array();
  for (const LayerRounding& l : rounding.layers) {
    out["layers"].push_back({{"name", l.node},
                             {"loss_before", finite(l.loss_before)},
                             {"loss_after", finite(l.loss_after)},
                             {"moved", l.moved},
                             {"kept", l.kept}});
    if (!l.note.empty()) out["layers"].back()["note"] = l.note;
  }
  return out;
}

}  // namespace

std::string report_json(const CompressReport& r) {
  Json out;
  out["chosen"] = r.chosen < r.candidates.size() ? candidate_json(r, r.candidates[r.chosen]) : Json();
  out["pareto"] = Json::array();
  out["candidates"] = Json::array();
  for (const Candidate& c : r.candidates) {
    out["candidates"].push_back(candidate_json(r, c));
    if (c.pareto) out["pareto"].push_back(candidate_json(r, c));
  }
  out["forms"] = Json::array();
  for (size_t i = 0; i < r.forms.size(); ++i) {
    Json form{{"name", name_of(r.forms[i].form)}, {"layers", r.forms[i].layers}, {"kept", i == r.form}};
    if (r.forms[i].failure.empty())
      form["output_sqnr_db"] = finite(r.forms[i].output_sqnr_db);
    else
      form["failure"] = r.forms[i].failure;
    out["forms"].push_back(std::move(form));
  }
  out["layers"] = Json::array();
  for (const LayerResult& layer : r.layers) out["layers"].push_back(layer_json(layer));
  out["rounding"] = rounding_json(r.rounding);
  out["analytic_bias"] = {{"tried", r.analytic_bias.step.tried},
                          {"kept", r.analytic_bias.step.kept},
                          {"layers", r.analytic_bias.layers},
                          {"channels", r.analytic_bias.channels}};
  out["classes"] = Json::array();
  for (const ClassResult& c : r.classes)
    out["classes"].push_back(
        {{"label", c.label}, {"n", c.before.n}, {"baseline", c.before.value()}, {"value", c.after.value()}});
  out["certificate"] = r.certificate ? Json::parse(certificate_json(*r.certificate)) : Json();
  out["source_bytes"] = r.source_bytes;
  out["file_bytes"] = r.refusals.empty() ? Json(r.file_bytes) : Json();
  out["refusals"] = Json::array();
  for (const Finding& f : r.refusals)
    out["refusals"].push_back({{"kind", name_of(f.kind)}, {"message", f.message}});
  out["notes"] = r.notes;
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pith::compress
