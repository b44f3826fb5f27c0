// Plans both graphs and compares what the cost table expects of the kernels that were chosen.
#include "converter/compile/slower_layers.h"

#include <map>

#include "converter/compile/runnable.h"
#include "runtime/base/isa_cap.h"
#include "runtime/exec/cost_table.h"

namespace pith {
namespace {

// f(name, node, expected nanoseconds) of every planned step.
template <class F>
Status each_step(const ir::Graph& graph, F&& f) {
  PITH_ASSIGN(const Runnable r, runnable(graph, 1));
  PITH_RETURN_IF_ERROR(r.session->prepare());
  PITH_ASSIGN(const Cpu cpu, session_cpu());
  for (size_t stage = 0; stage < r.session->stage_count(); ++stage)
    for (const Session::Step& step : r.session->steps(stage)) {
      const NodeView& node = r.session->node(step.op);
      PITH_ASSIGN(const BackendChoice backend, parse_backend(step.kernel.backend));
      f(node, expected_ns(backend, work_of(node), cpu));
    }
  return Status::ok();
}

bool works_on_codes(const NodeView& node) {
  return node.has(0) && (node.in(0).dtype == DType::i8 || node.in(0).dtype == DType::u8) &&
         !node.in(0).quant.empty() && node.op != schema::Op::DequantizeOptions;
}

}  // namespace

Result<std::vector<SlowerLayer>> slower_layers(const ir::Graph& floats, const ir::Graph& quantized) {
  std::map<std::string, uint64_t> by_name;
  PITH_RETURN_IF_ERROR(
      each_step(floats, [&](const NodeView& node, uint64_t ns) { by_name[node.name] = ns; }));
  std::vector<SlowerLayer> slower;
  PITH_RETURN_IF_ERROR(each_step(quantized, [&](const NodeView& node, uint64_t ns) {
    const auto at = by_name.find(node.name);
    if (at == by_name.end() || !works_on_codes(node) || ns <= at->second) return;
    const std::string op = schema::EnumNameOp(node.op);
    slower.push_back({node.name, op.substr(0, op.rfind("Options")), ns, at->second});
  }));
  return slower;
}

std::string slower_note(const std::vector<SlowerLayer>& layers) {
  if (layers.empty()) return "";
  constexpr size_t kNamed = 3;
  std::string names;
  for (size_t i = 0; i < layers.size() && i < kNamed; ++i)
    names += format("%s%s '%s' (%.1f us, as float %.1f)", i == 0 ? "" : ", ", layers[i].op.c_str(),
                    layers[i].name.c_str(), static_cast<double>(layers[i].codes_ns) / 1000,
                    static_cast<double>(layers[i].float_ns) / 1000);
  return format("%zu %s expected to be slower with int8 than as float on this processor: %s%s", layers.size(),
                layers.size() == 1 ? "layer is" : "layers are", names.c_str(),
                layers.size() > kNamed ? ", ..." : "");
}

}  // namespace pith
