// The path of one test: model file -> graph -> passes -> bytes -> session -> every case -> verdict.
#include "converter/eval/conformance.h"

#include <algorithm>
#include <cstring>

#include "converter/emit/emit.h"
#include "converter/eval/isolate.h"
#include "converter/eval/tensor_compare.h"
#include "converter/import/onnx/onnx_importer.h"
#include "converter/passes/pass.h"
#include "runtime/exec/session.h"

namespace pith {
namespace {

struct Prepared {
  ir::Bytes bytes;
  std::unique_ptr<Session> session;
  Criterion criterion = Criterion::element_wise;
};

// Half or quantized anywhere: rounding decides the last digits, so whole outputs are compared.
bool is_low_precision(const ir::Graph& graph) {
  return std::any_of(graph.values().begin(), graph.values().end(), [](const auto& value) {
    const bool small_type = value->dtype == DType::f16 || value->dtype == DType::bf16 ||
                            value->dtype == DType::i8 || value->dtype == DType::u8 ||
                            value->dtype == DType::i4 || value->dtype == DType::u4;
    return small_type || value->quant.has_value();
  });
}

Result<Prepared> prepare_model(const ModelTest& test, const ConformanceOptions& options) {
  Prepared p;
  PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, import_onnx(test.model_path, {}));
  if (!test.backend_test) p.criterion = is_low_precision(*graph) ? Criterion::direction : Criterion::range;
  if (options.optimize) PITH_RETURN_IF_ERROR(run_passes(*graph, {}));
  PITH_ASSIGN(p.bytes, emit_memory(*graph, {}));
  PITH_ASSIGN(std::shared_ptr<const Model> model, Model::from_memory({p.bytes.data, p.bytes.size}));
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.backend = options.backend;
  PITH_ASSIGN(p.session, Session::create(std::move(model), session_options));
  return p;
}

// Position of the tensor that reference `i` belongs to; names that the model does not have fall back to the
// position.
template <class NameOf>
size_t position_of(const std::vector<std::string>& names, size_t i, size_t count, const NameOf& name_at) {
  if (i < names.size())
    for (size_t k = 0; k < count; ++k)
      if (names[i] == name_at(k)) return k;
  return i;
}

Result<std::vector<data::HostTensor>> read_inputs(const ModelTestCase& c, const Session& session) {
  std::vector<data::HostTensor> inputs(session.input_count());
  if (c.made_inputs) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const TensorView& declared = session.input(i);
      if (!declared.shape.has_rank())
        return Status(Code::unsupported, format("input '%s' has no rank to make data for", declared.name));
      std::vector<int64_t> dims(declared.shape.dims().begin(), declared.shape.dims().end());
      for (int64_t& d : dims) d = d < 0 ? 1 : d;
      inputs[i] = made_input(declared.dtype, std::move(dims));
    }
    return inputs;
  }
  if (c.input_files.size() != inputs.size())
    return Status(Code::bad_file, format("the test gives %zu inputs, the model takes %zu",
                                         c.input_files.size(), inputs.size()));
  for (size_t i = 0; i < c.input_files.size(); ++i) {
    const size_t at =
        position_of(c.input_names, i, inputs.size(), [&](size_t k) { return session.input(k).name; });
    PITH_ASSIGN(inputs[at], read_test_tensor(c.input_files[i]));
    if (inputs[at].dtype != session.input(at).dtype)
      return Status(Code::bad_file, format("input '%s' expects %s, the test gives %s", session.input(at).name,
                                           name_of(session.input(at).dtype), name_of(inputs[at].dtype)));
  }
  return inputs;
}

Status run_inputs(const std::vector<data::HostTensor>& inputs, Session& session) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape.size() > static_cast<size_t>(kMaxRank))
      return Status(Code::unsupported, format("input of rank %zu", inputs[i].shape.size()));
    PITH_RETURN_IF_ERROR(session.set_input_shape(i, Shape(inputs[i].shape)));
  }
  PITH_RETURN_IF_ERROR(session.prepare());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].bytes.size() != session.input(i).byte_size())
      return Status(Code::bad_file, format("input '%s' has %zu bytes, expected %zu", session.input(i).name,
                                           inputs[i].bytes.size(), session.input(i).byte_size()));
    if (!inputs[i].bytes.empty())
      std::memcpy(session.input(i).data, inputs[i].bytes.data(), inputs[i].bytes.size());
  }
  return session.run();
}

// Empty when the case agrees.
Result<std::string> run_case(const ModelTestCase& c, const Prepared& p) {
  Session& session = *p.session;
  PITH_ASSIGN(const std::vector<data::HostTensor> inputs, read_inputs(c, session));
  PITH_RETURN_IF_ERROR(run_inputs(inputs, session));
  if (!c.output_files.empty() && c.output_files.size() != session.output_count() && c.output_names.empty())
    return format("%zu reference outputs, the model makes %zu", c.output_files.size(),
                  session.output_count());
  for (size_t i = 0; i < c.output_files.size(); ++i) {
    PITH_ASSIGN(const data::HostTensor expected, read_test_tensor(c.output_files[i]));
    const size_t at = position_of(c.output_names, i, session.output_count(),
                                  [&](size_t k) { return session.output(k).name; });
    if (at >= session.output_count()) return format("output %zu does not exist", at);
    const Comparison result = compare_tensors(expected, session.output(at), p.criterion);
    if (!result.agrees)
      return (c.name.empty() ? "" : c.name + ": ") + format("output '%s': ", session.output(at).name) +
             result.reason;
  }
  return std::string();
}

ConformanceTest from_status(const std::string& name, const Status& status) {
  return {name, status.code() == Code::unsupported ? Verdict::unsupported : Verdict::failed,
          status.message()};
}

// The child's answer: one digit for the verdict, then the reason.
ConformanceTest run_in_child(const ModelTest& test, const ConformanceOptions& options) {
  const auto work = [&] {
    const ConformanceTest result = run_model_test(test, options);
    return static_cast<char>('0' + static_cast<int>(result.verdict)) + result.reason;
  };
  IsolateLimits limits;
  limits.seconds = static_cast<unsigned>(options.seconds);
  const IsolatedOutcome outcome = run_isolated(work, limits);
  if (!outcome.completed || outcome.text.empty()) return {test.name, Verdict::failed, outcome.text};
  return {test.name, static_cast<Verdict>(outcome.text[0] - '0'), outcome.text.substr(1)};
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::unsupported:
      return "unsupported";
    case Verdict::no_reference:
      return "no_reference";
  }
  return "?";
}

ConformanceTest run_model_test(const ModelTest& test, const ConformanceOptions& options) {
  Result<Prepared> prepared = prepare_model(test, options);
  if (!prepared.is_ok()) return from_status(test.name, prepared.status());
  bool compared = false;
  for (const ModelTestCase& c : test.cases) {
    const Result<std::string> difference = run_case(c, prepared.value());
    if (!difference.is_ok()) return from_status(test.name, difference.status());
    if (!difference.value().empty()) return {test.name, Verdict::failed, difference.value()};
    compared = compared || !c.output_files.empty();
  }
  if (!compared)
    return {test.name, Verdict::no_reference, "converts and runs; no reference output beside the model"};
  return {test.name, Verdict::passed, ""};
}

Result<std::vector<ConformanceTest>> run_conformance(const std::string& folder,
                                                     const ConformanceOptions& options,
                                                     const ConformanceProgress& done) {
  PITH_ASSIGN(std::vector<ModelTest> tests, find_model_tests(folder));
  std::erase_if(tests, [&](const ModelTest& t) { return t.name.find(options.filter) == std::string::npos; });
  if (tests.empty()) return Status(Code::bad_argument, "no test's name contains '" + options.filter + "'");
  std::vector<ConformanceTest> results;
  for (const ModelTest& test : tests) {
    results.push_back(run_in_child(test, options));
    if (done) done(results.size(), tests.size(), results.back());
  }
  return results;
}

}  // namespace pith
