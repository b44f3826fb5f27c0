// Emit to memory, open, make a session.
#include "converter/compile/runnable.h"

namespace pith {

Result<Runnable> runnable(const ir::Graph& graph, size_t threads) {
  Runnable r;
  PITH_ASSIGN(r.model, compile_in_memory(graph));
  SessionOptions options;
  options.threads = threads;
  PITH_ASSIGN(r.session, Session::create(r.model.model, options));
  return r;
}

}  // namespace pith
