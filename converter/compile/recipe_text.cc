// ConvertOptions <-> the recipe in a file's metadata: one JSON object of what decides the bytes.
#include <nlohmann/json.hpp>

#include "converter/compile/convert.h"

namespace pith {
namespace {

using Json = nlohmann::ordered_json;

Status malformed(const char* why) {
  return Status(Code::bad_file, std::string("the file's recipe cannot be read: ") + why);
}

}  // namespace

std::string recipe_text(const ConvertOptions& o) {
  Json out{{"precision", name_of(o.precision)}};
  if (o.group != 0) out["group"] = o.group;
  if (o.asymmetric) out["asymmetric"] = true;
  if (o.weight_method != quantize::WeightMethod::search) out["weight_method"] = name_of(o.weight_method);
  if (!o.calibration.empty()) out["calibration_items"] = o.calibration_items;
  for (const auto& [name, shape] : o.shapes)
    out["shapes"][name] = std::vector<int64_t>(shape.dims().begin(), shape.dims().end());
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ConvertOptions> parse_recipe_text(const std::string& text) {
  const Json in = Json::parse(text, nullptr, false);
  if (!in.is_object()) return malformed("it is no JSON object");
  ConvertOptions o;
  const auto text_of = [&](const char* key, const char* otherwise) {
    const auto at = in.find(key);
    return at != in.end() && at->is_string() ? at->get<std::string>() : std::string(otherwise);
  };
  const auto count_of = [&](const char* key, size_t otherwise) {
    const auto at = in.find(key);
    return at != in.end() && at->is_number_unsigned() ? at->get<size_t>() : otherwise;
  };
  PITH_ASSIGN(o.precision, parse_precision(text_of("precision", "")));
  PITH_ASSIGN(o.weight_method, quantize::parse_weight_method(text_of("weight_method", "search")));
  o.group = count_of("group", 0);
  o.calibration_items = count_of("calibration_items", o.calibration_items);
  if (o.calibration_items == 0 || o.calibration_items > size_t{1} << 40)
    return malformed("calibration_items");
  o.asymmetric = in.value("asymmetric", Json(false)) == Json(true);
  const auto shapes = in.find("shapes");
  if (shapes == in.end()) return o;
  if (!shapes->is_object()) return malformed("shapes");
  for (const auto& [name, dims] : shapes->items()) {
    Shape shape;
    if (!dims.is_array() || dims.size() > static_cast<size_t>(kMaxRank)) return malformed("shapes");
    for (const Json& d : dims) {
      if (!d.is_number_unsigned()) return malformed("shapes");
      shape.push_back(d.get<int64_t>());
    }
    o.shapes[name] = shape;
  }
  return o;
}

}  // namespace pith
