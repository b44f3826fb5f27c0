// Chooses by the file's extension how a model is loaded.
#include "converter/compile/load_model.h"

#include "converter/emit/emit.h"
#include "converter/passes/pass.h"

namespace pith {

bool is_onnx_path(const std::string& path) {
  return path.size() > 5 && path.compare(path.size() - 5, 5, ".onnx") == 0;
}

Result<LoadedModel> compile_in_memory(const ir::Graph& graph) {
  LoadedModel loaded;
  PITH_ASSIGN(loaded.bytes, emit_memory(graph, {}));
  PITH_ASSIGN(loaded.model, Model::from_memory({loaded.bytes.data, loaded.bytes.size}));
  return loaded;
}

Result<LoadedModel> load_model(const std::string& path, const ImportOptions& options) {
  if (is_onnx_path(path)) {
    PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, import_onnx(path, options));
    PITH_RETURN_IF_ERROR(run_passes(*graph, {}));
    return compile_in_memory(*graph);
  }
  LoadedModel loaded;
  PITH_ASSIGN(loaded.model, Model::open(path.c_str()));
  return loaded;
}

}  // namespace pith
