// One small model per question.
#include "converter/compress/sensitivity.h"

#include <algorithm>

#include "converter/compile/runnable.h"
#include "converter/eval/latency.h"

namespace pith::compress {
namespace {

constexpr int kTimedRuns = 7;

PrecisionPlan one_unit(const Unit& unit, const LayerFormat& format) {
  PrecisionPlan plan;
  for (const std::string& node : unit.nodes) plan[node] = format;
  return plan;
}

class Measurer {
 public:
  Measurer(const MixedModel& maker, const std::vector<Unit>& units, const eval::ReferenceOutputs& exact,
           const std::function<Status(Session&)>& feed_one, const SensitivityOptions& options)
      : maker_(maker), units_(units), exact_(exact), feed_one_(feed_one), options_(options) {}

  Result<std::vector<UnitMeasure>> run() {
    std::vector<UnitMeasure> out(units_.size());
    float_bytes_ = constant_bytes(maker_.float_graph());
    int64_t total = 0;
    for (const Unit& u : units_) total += static_cast<int64_t>(u.formats.size());
    for (size_t u = 0; u < units_.size(); ++u)
      for (const LayerFormat& format : units_[u].formats) {
        PITH_ASSIGN(FormatMeasure m, measure(units_[u], format));
        out[u].formats.push_back(std::move(m));
        if (options_.progress) options_.progress(++done_, total);
      }
    if (options_.times != nullptr)
      take_times(*options_.times, out);
    else
      PITH_RETURN_IF_ERROR(add_times(out));
    return out;
  }

 private:
  // Bytes are relative to a float model without this unit's weights.
  Result<FormatMeasure> measure(const Unit& unit, const LayerFormat& format) {
    FormatMeasure m;
    m.format = format;
    const uint64_t own = unit.weights * sizeof(float);
    m.bytes = own;
    if (format.precision == Precision::fp32) return m;
    const Result<std::unique_ptr<ir::Graph>> graph = maker_.make(one_unit(unit, format));
    if (!graph.is_ok()) {
      m.failure = graph.status().message();
      if (graph.status().code() != Code::unsupported) return graph.status();
      return m;
    }
    const uint64_t now = constant_bytes(*graph.value());
    m.bytes = now + own > float_bytes_ ? now + own - float_bytes_ : 0;
    PITH_ASSIGN(const Runnable model, runnable(*graph.value(), options_.threads));
    PITH_ASSIGN(m.distance, exact_.distance(*model.session));
    return m;
  }

  void take_times(const LayerTimes& times, std::vector<UnitMeasure>& out) const {
    for (size_t u = 0; u < units_.size(); ++u)
      for (FormatMeasure& m : out[u].formats) {
        const std::optional<double> ms = times.unit_ms(units_[u], m.format);
        if (!ms && m.failure.empty()) m.failure = "not measured on " + times.device();
        m.ms = ms.value_or(0);
      }
  }

  Status add_times(std::vector<UnitMeasure>& out) {
    std::vector<LayerFormat> formats;
    for (const Unit& u : units_)
      for (const LayerFormat& f : u.formats)
        if (std::find(formats.begin(), formats.end(), f) == formats.end()) formats.push_back(f);
    for (const LayerFormat& format : formats) {
      PITH_RETURN_IF_ERROR(add_times_of(format, out));
    }
    return Status::ok();
  }

  Status add_times_of(const LayerFormat& format, std::vector<UnitMeasure>& out) {
    PrecisionPlan plan;
    for (size_t u = 0; u < units_.size(); ++u)
      for (const FormatMeasure& m : out[u].formats)
        if (m.format == format && m.failure.empty())
          for (const std::string& node : units_[u].nodes) plan[node] = format;
    PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, maker_.make(plan));
    PITH_ASSIGN(const Runnable model, runnable(*graph, options_.threads));
    PITH_RETURN_IF_ERROR(feed_one_(*model.session));
    PITH_ASSIGN(const auto times, eval::node_latency_ms(*model.session, kTimedRuns));
    for (size_t u = 0; u < units_.size(); ++u)
      for (FormatMeasure& m : out[u].formats)
        if (m.format == format) m.ms = unit_ms(units_[u], times);
    return Status::ok();
  }

  double unit_ms(const Unit& unit, const std::map<std::string, double>& times) const {
    double ms = 0;
    for (const std::string& node : unit.nodes)
      if (const auto at = times.find(node); at != times.end()) ms += at->second;
    return ms;
  }

  const MixedModel& maker_;
  const std::vector<Unit>& units_;
  const eval::ReferenceOutputs& exact_;
  const std::function<Status(Session&)>& feed_one_;
  const SensitivityOptions& options_;
  uint64_t float_bytes_ = 0;
  int64_t done_ = 0;
};

}  // namespace

uint64_t constant_bytes(const ir::Graph& graph) {
  uint64_t bytes = 0;
  for (const auto& v : graph.values())
    if (v->is_constant() && !v->readers.empty()) bytes += v->constant->size;
  return bytes;
}

PrecisionPlan uniform_plan(const std::vector<Unit>& units, const LayerFormat& format,
                           const std::vector<LayerFormat>& fallback) {
  PrecisionPlan plan;
  for (const Unit& unit : units) {
    const auto takes = [&](const LayerFormat& f) {
      return std::find(unit.formats.begin(), unit.formats.end(), f) != unit.formats.end();
    };
    const auto second = std::find_if(fallback.begin(), fallback.end(), takes);
    const LayerFormat chosen = takes(format) ? format : second != fallback.end() ? *second : LayerFormat{};
    for (const std::string& node : unit.nodes) plan[node] = chosen;
  }
  return plan;
}

Result<std::vector<UnitMeasure>> measure_sensitivity(const MixedModel& maker, const std::vector<Unit>& units,
                                                     const eval::ReferenceOutputs& exact,
                                                     const std::function<Status(Session&)>& feed_one,
                                                     const SensitivityOptions& options) {
  return Measurer(maker, units, exact, feed_one, options).run();
}

}  // namespace pith::compress
