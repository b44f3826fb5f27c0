// The order of the passes, on one screen.
#include <fstream>

#include "converter/ir/verify.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

constexpr Pass kOrder[] = {
    {"remove_dead_code", remove_dead_code}, {"remove_identities", remove_identities},
    {"fold_constants", fold_constants},     {"move_transposes", move_transposes},
    {"fold_constants", fold_constants},     {"remove_identities", remove_identities},
    {"remove_dead_code", remove_dead_code},
};

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
