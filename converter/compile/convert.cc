// The stages of conversion, in order.
#include "converter/compile/convert.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "converter/compile/grouped_flow.h"
#include "converter/compile/int8_flow.h"
#include "converter/compile/int8_summary.h"
#include "converter/compile/load_model.h"
#include "converter/compile/slower_layers.h"
#include "converter/emit/emit.h"
#include "converter/passes/pass.h"
#include "converter/quantize/deferred_products.h"
#include "converter/quantize/dynamic_int8.h"
#include "converter/quantize/half_weights.h"
#include "converter/quantize/packed_products.h"
#include "converter/quantize/widen_half.h"

namespace pith {
namespace {

namespace fs = std::filesystem;

Status check_paths(const ConvertOptions& options) {
  if (!is_onnx_path(options.source))
    return Status(Code::bad_argument,
                  "cannot tell the format of '" + options.source + "': expected a file that ends in .onnx");
  if (options.output.empty()) return Status(Code::bad_argument, "no output file: give -o model.pith");
  std::error_code ignored;
  if (fs::equivalent(options.source, options.output, ignored))
    return Status(Code::bad_argument, "the output '" + options.output + "' is the source itself");
  return Status::ok();
}

Status check_precision(const ConvertOptions& options) {
  const char* name = name_of(options.precision);
  const bool grouped = is_grouped(options.precision);
  if (!grouped && options.group != 0)
    return Status(Code::bad_argument, std::string("--group has no effect on --precision ") + name);
  if (options.precision != Precision::int4 && options.asymmetric)
    return Status(Code::bad_argument, std::string("--asymmetric has no effect on --precision ") + name);
  if (options.group != 0 && options.group != 32 && options.group != 64 && options.group != 128)
    return Status(Code::bad_argument, format("--group %zu: use 32, 64 or 128", options.group));
  if (!grouped && options.weight_method != quantize::WeightMethod::search)
    return Status(Code::bad_argument, std::string("--weight-method has no effect on --precision ") + name);
  if (grouped && quantize::needs_data(options.weight_method)) {
    if (!options.calibration.empty()) return Status::ok();
    return Status(Code::bad_argument, std::string("--weight-method ") +
                                          quantize::name_of(options.weight_method) +
                                          " needs representative data: give --calibrate DATA");
  }
  switch (options.precision) {
    case Precision::fp32:
    case Precision::fp16:
    case Precision::bf16:
    case Precision::int8_dynamic:
    case Precision::int4:
    case Precision::nf4:
    case Precision::fp4:
      break;
    case Precision::int8:
      if (options.calibration.empty())
        return Status(Code::bad_argument,
                      "--precision int8 needs representative data: give --calibrate DATA");
      return Status::ok();
  }
  if (!options.calibration.empty() || !options.evaluation.empty() || !options.accepted_faults.empty())
    return Status(
        Code::bad_argument,
        std::string("--calibrate, --eval and --accept-calibration have no effect on --precision ") + name);
  return Status::ok();
}

Status make_dump_folder(const std::string& folder) {
  if (folder.empty()) return Status::ok();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Status(Code::io, "cannot make the folder '" + folder + "': " + error.message());
  return Status::ok();
}

Result<std::unique_ptr<ir::Graph>> quantize_int8(const ir::Graph& source, const ConvertOptions& options,
                                                 ConvertReport* report) {
  report->stage = ConvertStage::calibrate;
  Int8FlowOptions flow;
  flow.calibration = options.calibration;
  flow.evaluation = options.evaluation;
  flow.max_items = static_cast<int64_t>(options.calibration_items);
  flow.threads = options.threads;
  flow.accepted = options.accepted_faults;
  flow.dump_folder = options.dump_folder;
  flow.progress = options.progress;
  Int8FlowReport result;
  PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, run_int8_flow(source, flow, &result));
  const quantize::StaticInt8Report& ranges = result.ranges;
  report->calibration_items = ranges.items;
  report->quantized_products = ranges.quantized_products;
  report->float_products = ranges.float_products;
  report->warnings = result.audit.notes;
  for (const quantize::NodeReport& node : ranges.nodes)
    if (!node.quantized && node.is_product)
      report->warnings.push_back(node.op + " '" + node.name + "' stays float: " + node.reason);
  if (ranges.judged_on_fit)
    report->warnings.push_back(
        format("only %lld calibration items: ranges were judged on the data that made them",
               static_cast<long long>(ranges.items)));
  report->int8 = std::make_shared<const Int8FlowReport>(std::move(result));
  // A graph that cannot be planned before its inputs are known has no expectations to compare.
  if (const auto slower = slower_layers(source, *graph); slower.is_ok() && !slower.value().empty())
    report->warnings.push_back(slower_note(slower.value()));
  return graph;
}

Status quantize_int8_dynamic(ir::Graph& graph, ConvertReport* report) {
  PITH_RETURN_IF_ERROR(quantize::widen_half(graph));
  PITH_ASSIGN(quantize::DynamicInt8Report dynamic, quantize::quantize_dynamic_int8(graph));
  report->quantized_products = dynamic.quantized_products;
  report->float_products = dynamic.float_products;
  report->warnings = std::move(dynamic.kept_float);
  return quantize::pack_dynamic_products(graph).status();
}

void store_halves(ir::Graph& graph, DType type, ConvertReport* report) {
  quantize::HalfWeightsReport half = quantize::store_half_weights(graph, {}, type);
  report->warnings = std::move(half.refused);
  const auto warn = [&](uint64_t n, const char* what) {
    if (n > 0)
      report->warnings.push_back(format("%llu of %llu weights %s", static_cast<unsigned long long>(n),
                                        static_cast<unsigned long long>(half.audit.count), what));
  };
  warn(half.audit.underflow_to_zero, "are too small for 16 bits and became zero");
  // A few tiny weights lose nothing that counts; beyond 1 % the tensor's scale is wrong for the type.
  if (100 * half.audit.subnormal > half.audit.count)
    warn(half.audit.subnormal, "became subnormal: they lost digits");
}

// The model's file and what its constants take in files beside it.
uint64_t source_bytes(const std::string& source, const ir::Graph& graph) {
  std::error_code ignored;
  uint64_t bytes = fs::file_size(source, ignored);
  for (const auto& v : graph.values())
    if (v->is_constant() && v->constant->streamed() && !v->readers.empty()) bytes += v->constant->size;
  return bytes;
}

void note_made_weights(const EmitReport& made, ConvertReport* report) {
  for (const EmitReport::Made& m : made.made) {
    if (m.notes.signal == 0) continue;
    const double sqnr = m.notes.noise > 0 ? 10 * std::log10(m.notes.signal / m.notes.noise)
                                          : std::numeric_limits<double>::infinity();
    if (!report->worst_product.empty() && sqnr >= report->worst_sqnr_db) continue;
    report->worst_sqnr_db = sqnr;
    report->worst_product = m.value->readers.empty() ? m.value->name : m.value->readers.front()->name;
  }
  report->resumed_tensors = made.resumed;
  report->warnings.insert(report->warnings.end(), made.notes.begin(), made.notes.end());
}

}  // namespace

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::fp16:
      return "fp16";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
    case Precision::int8_dynamic:
      return "int8-dynamic";
    case Precision::int4:
      return "int4";
    case Precision::nf4:
      return "nf4";
    case Precision::fp4:
      return "fp4";
  }
  return "?";
}

bool is_grouped(Precision p) { return p == Precision::int4 || p == Precision::nf4 || p == Precision::fp4; }

size_t default_group(Precision p) { return p == Precision::nf4 ? 64 : is_grouped(p) ? 32 : 0; }

const quantize::LevelTable& levels_of(Precision p) {
  return p == Precision::fp4 ? quantize::fp4_table() : quantize::nf4_table();
}

Result<Precision> parse_precision(const std::string& text) {
  for (Precision p : {Precision::fp32, Precision::fp16, Precision::bf16, Precision::int8,
                      Precision::int8_dynamic, Precision::int4, Precision::nf4, Precision::fp4})
    if (text == name_of(p)) return p;
  return Status(Code::bad_argument, "unknown precision '" + text +
                                        "': use fp32, fp16, bf16, int8, int8-dynamic, int4, nf4 or fp4");
}

Status parse_shape_option(const std::string& text, std::map<std::string, Shape>* shapes) {
  const auto bad = [&](const char* why) {
    return Status(Code::bad_argument, "'" + text + "' is not NAME=1,3,224,224: " + why);
  };
  const size_t equals = text.rfind('=');  // names may hold '=' themselves, dims never
  if (equals == std::string::npos || equals == 0) return bad("no NAME= in front");
  Shape shape;
  const char* at = text.data() + equals + 1;
  const char* end = text.data() + text.size();
  while (at != end) {
    int64_t dim = 0;
    const auto [next, error] = std::from_chars(at, end, dim);
    if (error != std::errc() || dim < 1) return bad("a dimension is not a positive number");
    if (shape.rank() == kMaxRank) return bad("more than 8 dimensions");
    shape.push_back(dim);
    if (next != end && (*next != ',' || next + 1 == end))
      return bad("dimensions are separated by single commas");
    at = next == end ? end : next + 1;
  }
  if (shape.rank() > 0 && shape.count() < 0) return bad("the number of elements is too large");
  if (!shapes->emplace(text.substr(0, equals), shape).second) return bad("the name is given twice");
  return Status::ok();
}

Result<PreparedModel> prepare_model(const ConvertOptions& options, ConvertReport* report) {
  PreparedModel out;
  report->stage = ConvertStage::import;
  PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, import_onnx(options.source, {options.shapes}));
  report->source_bytes = source_bytes(options.source, *graph);
  report->source_nodes = graph->in_order().size();

  report->stage = ConvertStage::optimize;
  PITH_RETURN_IF_ERROR(run_passes(*graph, {options.dump_folder}));
  out.metadata = {{"precision", name_of(options.precision)},
                  {"source", fs::path(options.source).filename().string()},
                  {kRecipeKey, recipe_text(options)}};
  if (options.precision == Precision::fp16 || options.precision == Precision::bf16)
    store_halves(*graph, options.precision == Precision::bf16 ? DType::bf16 : DType::f16, report);
  if (options.precision == Precision::int8_dynamic) {
    PITH_RETURN_IF_ERROR(quantize_int8_dynamic(*graph, report));
  } else if (is_grouped(options.precision)) {
    PITH_RETURN_IF_ERROR(quantize_grouped(*graph, options, report, &out.metadata));
  }
  if (options.precision == Precision::int8) {
    PITH_ASSIGN(graph, quantize_int8(*graph, options, report));
  }
  PITH_RETURN_IF_ERROR(quantize::pack_static_products(*graph).status());
  quantize::DeferredRecipe halves;
  halves.layout = Layout::f16_panel, halves.group = 0;
  quantize::defer_products(*graph, halves);
  quantize::pack_half_products(*graph);
  report->nodes = graph->in_order().size();
  if (report->int8 != nullptr)
    for (auto& pair : int8_metadata(*report->int8)) out.metadata.push_back(std::move(pair));
  out.graph = std::move(graph);
  return out;
}

Status convert(const ConvertOptions& options, ConvertReport* report) {
  *report = {};
  PITH_RETURN_IF_ERROR(check_paths(options));
  PITH_RETURN_IF_ERROR(check_precision(options));
  PITH_RETURN_IF_ERROR(make_dump_folder(options.dump_folder));
  PITH_ASSIGN(PreparedModel prepared, prepare_model(options, report));

  const auto pool = ThreadPool::create(options.threads);
  EmitOptions emit;
  emit.metadata = std::move(prepared.metadata);
  emit.pool = pool.get();
  emit.progress = options.weight_progress;
  EmitReport made;
  report->stage = ConvertStage::emit;
  PITH_RETURN_IF_ERROR(emit_file(*prepared.graph, emit, options.output, &made));
  note_made_weights(made, report);
  std::error_code ignored;
  report->file_bytes = fs::file_size(options.output, ignored);
  report->stage = ConvertStage::done;
  return Status::ok();
}

}  // namespace pith
