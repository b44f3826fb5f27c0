// pith convert: a source model becomes a .pith file.
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "converter/compile/convert.h"
#include "converter/compile/int8_summary.h"

namespace pith::cli {
namespace {

struct Options {
  ConvertOptions convert;
  std::string precision = "fp16";  // full precision is never deployed without saying so
  std::string weight_method = "search";
  std::vector<std::string> shapes, accepted;
  bool json = false;
};

Status read_options(Options& options) {
  PITH_ASSIGN(options.convert.precision, parse_precision(options.precision));
  PITH_ASSIGN(options.convert.weight_method, quantize::parse_weight_method(options.weight_method));
  for (const std::string& shape : options.shapes)
    PITH_RETURN_IF_ERROR(parse_shape_option(shape, &options.convert.shapes));
  for (const std::string& name : options.accepted) {
    PITH_ASSIGN(const CalibrationFault fault, parse_calibration_fault(name));
    options.convert.accepted_faults.insert(fault);
  }
  return Status::ok();
}

bool counts_products(Precision p) {
  return p == Precision::int8 || p == Precision::int8_dynamic || is_grouped(p);
}

void print_step(const char* name, const GuardedStep& step) {
  if (!step.tried) return;
  std::printf("%s: %s, %.2f dB -> %.2f dB\n", name, step.kept ? "kept" : "not kept", step.sqnr_before_db,
              step.sqnr_after_db);
}

void print_int8(const Int8FlowReport& r) {
  std::printf("outputs %.1f dB above the error on %lld items that made %s\n", r.output_sqnr_db,
              static_cast<long long>(r.judging_items),
              r.ranges.judged_on_fit ? "the ranges too" : "no range");
  std::map<std::string, size_t> winners;
  for (const quantize::TensorReport& t : r.ranges.tensors)
    if (!t.fixed && t.decision.tournament.entries.size() > 1)
      ++winners[t.decision.tournament.best().candidate.label()];
  if (!winners.empty()) std::printf("ranges:");
  for (const auto& [label, n] : winners) std::printf(" %zu %s", n, label.c_str());
  if (!winners.empty()) std::printf("\n");
  print_step("equalization", r.equalized);
  print_step("bias correction", r.bias_corrected);
}

void print_report(const Options& options, const ConvertReport& r) {
  const double share = r.source_bytes > 0
                           ? 100.0 * static_cast<double>(r.file_bytes) / static_cast<double>(r.source_bytes)
                           : 0;
  if (options.json) {
    nlohmann::ordered_json out{
        {"output", options.convert.output}, {"precision", name_of(options.convert.precision)},
        {"source_bytes", r.source_bytes},   {"file_bytes", r.file_bytes},
        {"source_nodes", r.source_nodes},   {"nodes", r.nodes}};
    if (counts_products(options.convert.precision)) {
      out["quantized_products"] = r.quantized_products;
      out["float_products"] = r.float_products;
    }
    if (is_grouped(options.convert.precision)) {
      out["worst_weight_sqnr_db"] = r.worst_sqnr_db;
      out["worst_product"] = r.worst_product;
      out["weight_method"] = quantize::name_of(options.convert.weight_method);
      if (r.resumed_tensors > 0) out["resumed_tensors"] = r.resumed_tensors;
    }
    if (r.int8 != nullptr) {
      out["calibration_items"] = r.calibration_items;
      out["int8"] = nlohmann::ordered_json::parse(int8_summary(*r.int8, true));
    }
    out["warnings"] = r.warnings;
    print_json(out);
    return;
  }
  std::printf("%s: %s, %s (%.1f %% of %s), %zu operators (source: %zu nodes)\n",
              options.convert.output.c_str(), name_of(options.convert.precision),
              bytes_text(r.file_bytes).c_str(), share, bytes_text(r.source_bytes).c_str(), r.nodes,
              r.source_nodes);
  if (!counts_products(options.convert.precision)) return;
  const bool grouped = is_grouped(options.convert.precision);
  std::printf("%zu of %zu products run on %s", r.quantized_products, r.quantized_products + r.float_products,
              grouped ? "4-bit weights" : "int8");
  if (grouped) std::printf(", worst weights %.1f dB ('%s')", r.worst_sqnr_db, r.worst_product.c_str());
  if (r.calibration_items > 0)
    std::printf(", calibrated on %lld items", static_cast<long long>(r.calibration_items));
  std::printf("\n");
  if (r.int8 != nullptr) print_int8(*r.int8);
}

int run(Options& options) {
  if (Status s = read_options(options); !s.is_ok()) return report("convert", s);
  Progress progress("calibrating");
  options.convert.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  ConvertReport result;
  std::unique_ptr<Progress> weights;
  options.convert.weight_progress = [&](int64_t done, int64_t total) {
    if (weights == nullptr) weights = std::make_unique<Progress>("weights");
    weights->update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  const Status status = convert(options.convert, &result);
  weights.reset();
  progress.finish();
  if (!status.is_ok()) {
    const int code = report("convert", status);
    const bool data_fault = status.code() == Code::bad_argument || status.code() == Code::bad_file;
    return result.stage == ConvertStage::calibrate && data_fault ? kExitData : code;
  }
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "pith convert: note: %s\n", warning.c_str());
  print_report(options, result);
  return kExitOk;
}

}  // namespace

void add_convert(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  ConvertOptions& convert = options->convert;
  CommandLine line(app, "convert", "Convert a model into a .pith file");
  line.argument("MODEL", &convert.source, "Source model (.onnx)");
  line.required("-o,--output", &convert.output, "FILE", "File to write");
  line.text("--precision", &options->precision, "NAME",
            "fp16, fp32 (only when asked for), bf16, int8, int8-dynamic, int4, nf4 or fp4");
  line.count("--group", &convert.group, 32, 128, "4 bits: weights per scale, 32, 64 or 128");
  line.flag("--asymmetric", &convert.asymmetric, "int4: a zero point per group");
  line.text("--weight-method", &options->weight_method, "NAME",
            "4 bits: search, plain, hqq, or with --calibrate: weighted, gptq");
  line.texts("--shape", &options->shapes, "NAME=1,3,224,224", "Fix the shape of an input (repeatable)");
  line.text("--calibrate", &convert.calibration, "DATA", "Representative data for int8, weighted and gptq");
  line.count("--calibration-items", &convert.calibration_items, 1, size_t{1} << 40,
             "Use at most this many items");
  line.text("--eval", &convert.evaluation, "DATA",
            "Data that accuracy will be measured on: items shared with --calibrate are refused");
  line.texts("--accept-calibration", &options->accepted, "FAULT",
             "Go on although the data are: small, constant, leak, mismatch, coverage (repeatable)");
  line.count("--threads", &convert.threads, 1, 1024, "Threads; the file does not depend on them");
  line.text("--dump-ir", &convert.dump_folder, "DIR", "Write the graph as text after every pass");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "Nothing appears under the output path unless the whole file was written.\n\n"
      "Examples:\n"
      "  pith convert model.onnx -o model.pith                          # fp16 weights\n"
      "  pith convert model.onnx -o model.pith --precision fp32\n"
      "  pith convert model.onnx -o model.pith --shape images=1,3,416,416\n"
      "  pith convert model.onnx -o small.pith --precision int8 --calibrate data/train\n"
      "  pith convert model.onnx -o small.pith --precision int4 --group 64\n"
      "  pith convert model.onnx -o small.pith --precision int4 --weight-method gptq --calibrate data/train");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
