// Any model file ready to run: .pith by mapping, .onnx by converting it in memory at full precision.
#pragma once
#include <memory>
#include <string>

#include "converter/import/onnx/onnx_importer.h"
#include "converter/ir/graph.h"
#include "runtime/model/model.h"

namespace pith {

struct LoadedModel {
  std::shared_ptr<const Model> model;
  ir::Bytes bytes;  // what `model` reads when it was converted in memory; keep it as long as the model
};

bool is_onnx_path(const std::string& path);

// path.pith -> Model::open; path.onnx -> import, passes, emit to memory, Model::from_memory.
Result<LoadedModel> load_model(const std::string& path, const ImportOptions& options = {});

// The graph made runnable without a file.
Result<LoadedModel> compile_in_memory(const ir::Graph& graph);

}  // namespace pith
