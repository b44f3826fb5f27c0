// Sentences from the JSON of converter/compress/certificate.h.
#include "cli/certificate_text.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "converter/report/markup.h"
#include "runtime/base/status.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::bytes_text;
using report::ms_text;

// Child of an object, null where there is none.
Json child(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && at != object.end() ? *at : Json();
}
double number(const Json& object, const char* key) {
  const Json v = child(object, key);
  return v.is_number() ? v.get<double>() : NAN;
}
std::string text(const Json& object, const char* key) {
  const Json v = child(object, key);
  return v.is_string() ? v.get<std::string>() : "?";
}

std::string verdict_text(const Json& c) {
  const std::string verdict = text(c, "verdict");
  const double limit = 100 * number(c, "max_drop");
  if (verdict == "within") return format("certified below %.2f points", limit);
  if (verdict == "exceeded") return format("above the limit of %.2f points", limit);
  if (verdict == "undecided") return format("undecided whether below %.2f points", limit);
  return verdict == "measured" ? "no limit was set" : verdict;
}

std::string accuracy_text(const Json& c) {
  if (!(number(c, "n") > 0)) return "not evaluated";
  const Json ci = child(c, "ci95");
  const bool interval = ci.is_array() && ci.size() == 2 && ci[0].is_number() && ci[1].is_number();
  return format(
      "%s %.2f %% -> %.2f %% on %.0f items the search never saw, drop %.2f points (95 %%: %.2f to %.2f), %s",
      text(c, "metric").c_str(), 100 * number(c, "baseline"), 100 * number(c, "value"), number(c, "n"),
      100 * number(c, "drop"), interval ? 100 * ci[0].get<double>() : NAN,
      interval ? 100 * ci[1].get<double>() : NAN, verdict_text(c).c_str());
}

std::string details_text(const Json& c) {
  std::string out = format("  %s ms per run, original %s ms", ms_text(number(c, "ms")).c_str(),
                           ms_text(number(c, "baseline_ms")).c_str());
  if (const double source = number(c, "source_bytes"); source > 0 && source < 1e18)
    out += ", source file " + bytes_text(static_cast<uint64_t>(source));
  const Json worst = child(c, "worst_class");
  if (worst.is_object())
    out += format(", worst class %.0f: %.2f points", number(worst, "label"), 100 * number(worst, "drop"));
  out += format("\n  calibrated on %.0f items, searched on %.0f\n", number(c, "calibration_items"),
                number(c, "search_items"));
  const Json allowed = child(c, "overridden");
  if (!allowed.is_array() || allowed.empty()) return out;
  out += "  written although:";
  for (const Json& name : allowed)
    if (name.is_string()) out += " " + name.get<std::string>();
  return out + "\n";
}

// "precision: int4 g128 in 5 layers, int8 in 15".
std::string plan_text(const Json& plan) {
  std::map<std::string, size_t> layers;
  if (plan.is_object())
    for (const auto& [layer, precision] : plan.items())
      ++layers[precision.is_string() ? precision.get<std::string>() : "?"];
  std::string out;
  for (const auto& [precision, n] : layers)
    out +=
        (out.empty() ? "precision: " : ", ") + precision + " in " + report::count_text(n, "layer", "layers");
  return out.empty() ? out : out + "\n";
}

}  // namespace

std::string certificate_text(const Json& program) {
  std::string out;
  if (const Json c = child(program, "certificate"); c.is_object())
    out = "certificate: " + accuracy_text(c) + "\n" + details_text(c);
  return out + plan_text(child(program, "precision_plan"));
}

}  // namespace pith::cli
