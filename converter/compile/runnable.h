// A graph ready to run in memory: what calibration, search and comparison do with every candidate.
#pragma once
#include <memory>

#include "converter/compile/load_model.h"
#include "runtime/exec/session.h"

namespace pith {

struct Runnable {
  LoadedModel model;  // keeps what the session reads
  std::unique_ptr<Session> session;
};

Result<Runnable> runnable(const ir::Graph& graph, size_t threads);

}  // namespace pith
