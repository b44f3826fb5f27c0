// One object per node of a unit.
#include "converter/compress/evidence.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace pith::compress {
namespace {

using Json = nlohmann::ordered_json;

Json three_digits(double v) {
  return std::isfinite(v) ? Json(std::strtod(format("%.3g", v).c_str(), nullptr)) : Json();
}

Json alone_json(const UnitMeasure& measured) {
  Json out;
  for (const FormatMeasure& m : measured.formats)
    if (m.failure.empty() && m.format.precision != Precision::fp32)
      out[name_of(m.format)] = {three_digits(m.distance.kl), m.bytes, three_digits(m.ms)};
  return out;
}

void add_codes(const std::vector<Rung>& rungs, Json* out) {
  for (const Rung& rung : rungs)
    if (rung.failure.empty()) (*out)["codes"][name_of(rung.method)] = three_digits(rung.loss);
  if (!rungs.empty()) (*out)["code"] = name_of(rungs.front().method);  // the winner stands first
}

void add_ranges(const quantize::Tournament& tournament, Json* out) {
  for (const quantize::ScoredRange& e : tournament.entries)
    (*out)["ranges"][e.candidate.label()] = three_digits(e.error);
  if (!tournament.entries.empty()) (*out)["range"] = tournament.best().candidate.label();
}

}  // namespace

std::string evidence_json(const CompressReport& report) {
  Json out = Json::object();
  for (const LayerResult& layer : report.layers)
    for (const std::string& node : layer.unit.nodes) {
      Json one = Json::object();
      if (const Json alone = alone_json(layer.measured); !alone.is_null()) one["alone"] = alone;
      if (const auto at = layer.ladder.find(node); at != layer.ladder.end()) add_codes(at->second, &one);
      if (const auto at = layer.input_ranges.find(node); at != layer.input_ranges.end())
        add_ranges(at->second, &one);
      if (!one.empty()) out[node] = std::move(one);
    }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pith::compress
