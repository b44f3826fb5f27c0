// Reading, merging and adding up.
#include "converter/compress/layer_times.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/data/input_file.h"
#include "converter/data/json_fields.h"

namespace pith::compress {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{16} << 20;
constexpr const char* kVersionKey = "pith_layer_times";

double positive(data::JsonFields& fields, const char* key) {
  const double ms = fields.number(key, -1);
  if (!(ms >= 0) || !std::isfinite(ms))
    fields.fail(std::string("'") + key + "' must be a number of milliseconds, 0 or more");
  return ms;
}

Result<LayerTime> parse_layer(const nlohmann::json& object, const std::string& where) {
  data::JsonFields fields(object, where);
  LayerTime out;
  out.name = fields.required_text("name");
  const std::string text = fields.required_text("format");
  out.ms = positive(fields, "ms");
  PITH_RETURN_IF_ERROR(fields.finish());
  const Result<LayerFormat> format = parse_layer_format(text);
  if (!format.is_ok()) return Status(Code::bad_file, where + ": " + format.status().message());
  out.format = format.value();
  return out;
}

Result<MeasuredModel> read_file(const std::string& path) {
  PITH_ASSIGN(const std::string text, data::read_text_file(path, kMaxFileBytes));
  nlohmann::json root;
  PITH_RETURN_IF_ERROR(data::parse_json(text, path, &root));
  data::JsonFields fields(root, path);
  MeasuredModel out;
  if (fields.integer(kVersionKey, 0, 0, 1) != 1)
    fields.fail(std::string("'") + kVersionKey +
                "' must be 1: write the file with `pith tune --layer-times`");
  out.cpu = fields.required_text("cpu");
  out.threads = static_cast<size_t>(fields.integer("threads", 1, 1, 1024));
  out.ms = positive(fields, "ms");
  const nlohmann::json* layers = fields.child("layers");
  if (layers == nullptr || !layers->is_array() || layers->empty())
    fields.fail("'layers' must list at least one layer");
  PITH_RETURN_IF_ERROR(fields.finish());
  for (size_t i = 0; i < layers->size(); ++i) {
    PITH_ASSIGN(LayerTime layer, parse_layer((*layers)[i], path + ": layers[" + std::to_string(i) + "]"));
    out.layers.push_back(std::move(layer));
  }
  return out;
}

std::string device_of(const MeasuredModel& model) {
  return model.cpu + ", " + std::to_string(model.threads) + (model.threads == 1 ? " thread" : " threads");
}

LayerFormat format_of_most(const MeasuredModel& model) {
  std::map<LayerFormat, size_t> count;
  for (const LayerTime& layer : model.layers) ++count[layer.format];
  return std::max_element(count.begin(), count.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

const double* find_ms(const std::map<LayerFormat, double>& times, const LayerFormat& format) {
  auto at = times.find(format);
  if (at == times.end() && format.precision == Precision::fp32) at = times.find({Precision::fp16, 0});
  if (at == times.end() && format.precision == Precision::fp16) at = times.find({Precision::fp32, 0});
  return at == times.end() ? nullptr : &at->second;
}

}  // namespace

std::string layer_times_json(const MeasuredModel& model) {
  nlohmann::ordered_json out{
      {kVersionKey, 1}, {"cpu", model.cpu}, {"threads", model.threads}, {"ms", model.ms}};
  out["layers"] = nlohmann::ordered_json::array();
  for (const LayerTime& layer : model.layers)
    out["layers"].push_back(
        {{"name", layer.name}, {"format", option_spelling(name_of(layer.format))}, {"ms", layer.ms}});
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<LayerTimes> LayerTimes::read(const std::vector<std::string>& paths) {
  LayerTimes out;
  for (const std::string& path : paths) {
    PITH_ASSIGN(const MeasuredModel model, read_file(path));
    const std::string device = device_of(model);
    if (out.device_.empty()) out.device_ = device;
    if (device != out.device_)
      return Status(Code::bad_argument, path + ": measured on '" + device + "', '" + paths.front() +
                                            "' on '" + out.device_ +
                                            "': times of one device and number of threads are needed");
    out.add(model);
  }
  return out;
}

void LayerTimes::add(const MeasuredModel& model) {
  double layers = 0;
  for (const LayerTime& layer : model.layers) {
    layers += layer.ms;
    const auto [at, first] = ms_[layer.name].emplace(layer.format, layer.ms);
    if (!first) at->second = std::min(at->second, layer.ms);
  }
  const double rest = std::max(model.ms - layers, 0.0);
  const auto [at, first] = rest_.emplace(format_of_most(model), rest);
  if (!first) at->second = std::min(at->second, rest);
}

Status LayerTimes::check(const std::vector<Unit>& units) const {
  for (const Unit& unit : units) {
    const bool in_float = unit_ms(unit, {}).has_value();
    const bool smaller = std::any_of(unit.formats.begin(), unit.formats.end(), [&](const LayerFormat& f) {
      return f.precision != Precision::fp32 && unit_ms(unit, f).has_value();
    });
    if (in_float && smaller) continue;
    return Status(Code::bad_argument, std::string("--layer-times: no file has layer '") + unit.name +
                                          "' in " + (in_float ? "a format smaller than fp32" : "fp32") +
                                          ": run `pith tune --layer-times` on the device for the model in "
                                          "fp32 and in every precision to choose from");
  }
  return Status::ok();
}

std::optional<double> LayerTimes::unit_ms(const Unit& unit, const LayerFormat& format) const {
  double sum = 0;
  for (const std::string& node : unit.nodes) {
    const auto times = ms_.find(node);
    const double* ms = times == ms_.end() ? nullptr : find_ms(times->second, format);
    if (ms == nullptr) return std::nullopt;
    sum += *ms;
  }
  return sum;
}

double LayerTimes::rest_ms(const LayerFormat& format) const {
  if (const double* ms = find_ms(rest_, format)) return *ms;
  double most = 0;
  for (const auto& [other, ms] : rest_) most = std::max(most, ms);
  return most;
}

double LayerTimes::model_ms(const std::vector<Unit>& units, const PrecisionPlan& plan) const {
  double layers = 0, rest = 0;
  for (const Unit& unit : units) {
    const auto at = plan.find(unit.nodes.front());
    const LayerFormat format = at == plan.end() ? LayerFormat{} : at->second;
    layers += unit_ms(unit, format).value_or(0);
    rest += rest_ms(format);
  }
  return layers + (units.empty() ? 0 : rest / static_cast<double>(units.size()));
}

}  // namespace pith::compress
