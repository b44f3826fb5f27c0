// The order of the passes, on one screen.
#include <fstream>

#include "converter/ir/verify.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

#define STEP(name) \
  { #name, name }
constexpr Pass kOrder[] = {
    STEP(remove_dead_code),  STEP(remove_identities), STEP(fold_constants),
    STEP(merge_equal_nodes),  // exporters compute x - mean(x) twice
    STEP(fuse_gelu),          // patterns as the source wrote them
    STEP(fuse_layer_norm),   STEP(fuse_rotary),       STEP(fuse_attention),
    STEP(unfold_lstm),      // its product is optimized like any other
    STEP(move_transposes),  // channels-last from here on
    STEP(remove_identities), STEP(fold_constants),
    STEP(fold_scale_bias),  // the constants now vary along the last dim
    STEP(fuse_pad),          STEP(fuse_activation),   STEP(fuse_gelu),       STEP(merge_equal_nodes),
    STEP(fuse_qdq),  // integer operators; needs the activations in their producers
    STEP(fold_dequantized),  STEP(fold_scale_bias),   STEP(fuse_activation), STEP(remove_identities),
    STEP(narrow_weights),    STEP(remove_dead_code),
};
#undef STEP

Status dump(const ir::Graph& graph, const PassOptions& options, size_t index, const char* name) {
  if (options.dump_folder.empty()) return Status::ok();
  const std::string path =
      options.dump_folder + "/" + (index < 10 ? "0" : "") + std::to_string(index) + "-" + name + ".txt";
  std::ofstream out(path);
  out << ir::print(graph);
  if (!out.flush()) return Status(Code::io, "cannot write '" + path + "'");
  return Status::ok();
}

}  // namespace

Status run_passes(ir::Graph& graph, const PassOptions& options) {
  PITH_RETURN_IF_ERROR(ir::verify(graph, "import"));
  PITH_RETURN_IF_ERROR(dump(graph, options, 0, "import"));
  size_t index = 0;
  for (const Pass& pass : kOrder) {
    PassReport report;
    ++index;
    if (Status s = pass.run(graph, report); !s.is_ok())
      return std::move(s).with_context(std::string("pass ") + pass.name + ": ");
    PITH_RETURN_IF_ERROR(ir::verify(graph, pass.name));
    if (report.count() > 0) PITH_RETURN_IF_ERROR(dump(graph, options, index, pass.name));
  }
  graph.drop_unused_values();
  return Status::ok();
}

}  // namespace pith
