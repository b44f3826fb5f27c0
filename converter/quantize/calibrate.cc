// Calibration passes over an in-memory .pith whose observed tensors are extra outputs.
#include "converter/quantize/calibrate.h"

#include <algorithm>

#include "converter/emit/emit.h"

namespace pith::quantize {
namespace {

// Assumed for a tensor whose shape is known only at run time.
constexpr uint64_t kUnknownBytes = uint64_t{4} << 20;

uint64_t live_bytes(const ir::Value& v) {
  if (!v.shape.is_known()) return kUnknownBytes;
  return static_cast<uint64_t>(std::max<int64_t>(v.shape.count(), 0)) * sizeof(float);
}

// Adds outputs for its lifetime.
class ExposedOutputs {
 public:
  ExposedOutputs(ir::Graph& graph, std::span<ir::Value* const> values)
      : graph_(graph), kept_(graph.outputs.size()) {
    for (ir::Value* v : values) graph_.outputs.push_back({graph_.unique_name("calibration:" + v->name), v});
  }
  ~ExposedOutputs() { graph_.outputs.resize(kept_); }
  ExposedOutputs(const ExposedOutputs&) = delete;
  ExposedOutputs& operator=(const ExposedOutputs&) = delete;
  size_t first() const { return kept_; }

 private:
  ir::Graph& graph_;
  size_t kept_;
};

Status check_finite(const Histogram& h, const ir::Value& v, int64_t item) {
  if (h.all_finite()) return Status::ok();
  return Status(
      Code::bad_argument,
      format("calibration item %lld: tensor '%s' holds NaN or infinity; check the item and its preprocessing "
             "(scale, mean, layout), or run the float model on it",
             static_cast<long long>(item), v.name.c_str()));
}

// One item's values of one tensor go to the side(s) the item belongs to.
Status observe(const TensorView& tensor, const ir::Value& v, int64_t item, bool fits, bool judges,
               Observation& o) {
  if (tensor.dtype != DType::f32)
    return Status(Code::internal,
                  format("tensor '%s' observed as %s", v.name.c_str(), name_of(tensor.dtype)));
  const std::span<const float> values(tensor.as<float>(), static_cast<size_t>(tensor.count()));
  if (fits) o.add_fit(values);
  if (judges) o.add_judge(values);
  PITH_RETURN_IF_ERROR(check_finite(o.fit, v, item));
  return check_finite(o.judge, v, item);
}

class Pass {
 public:
  Pass(ir::Graph& graph, const ItemSource& source, const CalibrationOptions& options, Calibration& out)
      : graph_(graph), source_(source), options_(options), out_(out) {}

  Status run(std::span<ir::Value* const> values, int64_t done_before, int64_t total) {
    const ExposedOutputs exposed(graph_, values);
    PITH_ASSIGN(const ir::Bytes file, emit_memory(graph_, {}));
    PITH_ASSIGN(const auto model, Model::from_memory({file.data, file.size}, {}));
    SessionOptions session_options;
    session_options.threads = options_.threads;
    PITH_ASSIGN(const auto session, Session::create(model, session_options));
    for (int64_t i = 0; i < out_.items; ++i) {
      const int64_t item = calibration_item(i, source_.items, options_.max_items);
      PITH_RETURN_IF_ERROR(source_.feed(item, *session));
      PITH_RETURN_IF_ERROR(session->run());
      const bool judges = out_.judged_on_fit || i % options_.judge_every == options_.judge_every - 1;
      const bool fits = out_.judged_on_fit || !judges;
      for (size_t k = 0; k < values.size(); ++k)
        PITH_RETURN_IF_ERROR(observe(session->output(exposed.first() + k), *values[k], item, fits, judges,
                                     out_.observations[values[k]]));
      if (options_.progress) options_.progress(done_before + i + 1, total);
    }
    return Status::ok();
  }

 private:
  ir::Graph& graph_;
  const ItemSource& source_;
  const CalibrationOptions& options_;
  Calibration& out_;
};

std::vector<std::span<ir::Value* const>> chunks(std::span<ir::Value* const> values, uint64_t max_bytes) {
  std::vector<std::span<ir::Value* const>> out;
  size_t begin = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t more = live_bytes(*values[i]);
    if (i > begin && bytes + more > max_bytes) {
      out.push_back(values.subspan(begin, i - begin));
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin < values.size()) out.push_back(values.subspan(begin));
  return out;
}

}  // namespace

Result<Calibration> calibrate(ir::Graph& graph, std::span<ir::Value* const> values, const ItemSource& source,
                              const CalibrationOptions& options) {
  if (source.items <= 0 || options.max_items <= 0 || options.judge_every <= 1)
    return Status(
        Code::bad_argument,
        format("calibration over %lld items (at most %lld, every %lldth judging): give at least one item and "
               "judge every 2nd or fewer",
               static_cast<long long>(source.items), static_cast<long long>(options.max_items),
               static_cast<long long>(options.judge_every)));
  Calibration out;
  out.items = std::min(source.items, options.max_items);
  out.judged_on_fit = out.items < options.judge_every;
  Pass pass(graph, source, options, out);
  const auto parts = chunks(values, options.max_live_bytes);
  for (size_t p = 0; p < parts.size(); ++p)
    PITH_RETURN_IF_ERROR(pass.run(parts[p], static_cast<int64_t>(p) * out.items,
                                  static_cast<int64_t>(parts.size()) * out.items));
  return out;
}

}  // namespace pith::quantize
