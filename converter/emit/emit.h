// ir::Graph -> .pith file: tensor table, program, weight segment. Deterministic: same graph and options, same
// bytes.
//
// Constants that are not made yet (ir/deferred.h) are made one after the other while the file is written, so that a model
// larger than memory passes through it tensor by tensor. Such a file is written as PATH.partial, with a journal of what is
// done in PATH.journal: after a kill, the same conversion goes on behind the last tensor that was finished.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "converter/ir/deferred.h"
#include "converter/ir/graph.h"

namespace pith {

struct EmitOptions {
  std::vector<std::pair<std::string, std::string>> metadata;  // recipe, source hash, certificate
  ThreadPool* pool = nullptr;                                 // for making deferred constants
  std::function<void(int64_t done, int64_t total)> progress;  // of deferred constants
};

struct EmitReport {
  struct Made {
    const ir::Value* value;
    ir::MadeNotes notes;
  };
  std::vector<Made> made;  // deferred constants, in the order of the file; those of an earlier run too
  size_t resumed = 0;      // of them, made by a run that was killed
  std::vector<std::string> notes;  // what became of an earlier run
};

// Writes atomically: the path holds the whole model or is untouched.
Status emit_file(const ir::Graph& graph, const EmitOptions& options, const std::string& path,
                 EmitReport* report = nullptr);

// The same bytes in memory, 128-byte aligned: calibration and evaluation run the graph from here.
Result<ir::Bytes> emit_memory(const ir::Graph& graph, const EmitOptions& options);

}  // namespace pith
