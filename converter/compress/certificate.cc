// Names of refusals, the certificate as JSON.
#include "converter/compress/certificate.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace pith::compress {
namespace {

constexpr std::pair<Refusal, const char*> kNames[] = {
    {Refusal::accuracy, "accuracy"},       {Refusal::undecided, "undecided"},
    {Refusal::unevaluated, "unevaluated"}, {Refusal::full_precision, "full-precision"},
    {Refusal::sensitive, "sensitive"},     {Refusal::size, "size"},
    {Refusal::latency, "latency"},         {Refusal::slower, "slower"},
};

const char* verdict_of(const Certificate& c) {
  if (c.items == 0) return "not evaluated";
  if (c.max_drop < 0) return "measured";
  if (c.by_command()) return c.drop.drop <= c.max_drop ? "within, not certified" : "exceeded";
  switch (c.drop.verdict) {
    case eval::DropVerdict::within:
      return "within";
    case eval::DropVerdict::exceeded:
      return "exceeded";
    case eval::DropVerdict::undecided:
      return "undecided";
  }
  return "?";
}

double digits(double v) { return std::strtod(format("%.4g", v).c_str(), nullptr); }

// Null where a ratio means nothing: equal outputs, or NaN.
nlohmann::ordered_json outputs_json(const Closeness& c) {
  const bool normal = c.scores.fidelity() == eval::Fidelity::normal;
  nlohmann::ordered_json out{{"items", c.items}};
  out["kl"] = std::isfinite(c.kl) ? nlohmann::ordered_json(digits(c.kl)) : nlohmann::ordered_json();
  out["sqnr_db"] = normal ? nlohmann::ordered_json(digits(c.scores.sqnr_db())) : nlohmann::ordered_json();
  out["cosine"] = std::strtod(format("%.6f", c.scores.cosine()).c_str(), nullptr);
  out["mean_error"] = digits(c.scores.mean_shift());
  out["largest_error"] = digits(c.scores.max_abs_error());
  return out;
}

}  // namespace

const char* name_of(Refusal refusal) {
  for (const auto& [kind, name] : kNames)
    if (kind == refusal) return name;
  return "?";
}

Result<Refusal> parse_refusal(const std::string& text) {
  std::string known;
  for (const auto& [kind, name] : kNames) {
    if (text == name) return kind;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Status(Code::bad_argument, "unknown finding '" + text + "': use one of " + known);
}

std::string certificate_json(const Certificate& c) {
  nlohmann::ordered_json out{
      {"metric", c.metric},
      {"baseline", c.baseline_value},
      {"value", c.value},
      {"drop", c.drop.drop},
      {"ci95", c.by_command() ? nlohmann::ordered_json()
                              : nlohmann::ordered_json{c.drop.interval.low, c.drop.interval.high}},
      {"n", c.items},
      {"verdict", verdict_of(c)}};
  if (c.max_drop >= 0) out["max_drop"] = c.max_drop;
  if (c.drop.items_needed) out["items_needed"] = *c.drop.items_needed;
  if (c.worst_class >= 0) out["worst_class"] = {{"label", c.worst_class}, {"drop", c.worst_class_drop}};
  if (c.outputs.items > 0) out["outputs"] = outputs_json(c.outputs);
  out["baseline_ms"] = c.baseline_ms;
  out["ms"] = c.ms;
  if (!c.times_of.empty()) out["times_of"] = c.times_of;
  out["source_bytes"] = c.source_bytes;
  out["calibration_items"] = c.calibration_items;
  out["search_items"] = c.search_items;
  for (const Refusal r : c.overridden) out["overridden"].push_back(name_of(r));
  for (const CalibrationFault f : c.accepted_faults)
    out["overridden"].push_back(std::string("calibration-") + pith::name_of(f));
  return out.dump();
}

}  // namespace pith::compress
