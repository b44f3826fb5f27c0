// What run, bench and eval share: a model file opened, a session with the options of the command line.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "converter/compile/load_model.h"
#include "converter/data/host_tensor.h"
#include "runtime/exec/session.h"

namespace pith::cli {

// PITH_BACKEND, PITH_TUNE and --threads.
Result<SessionOptions> session_options(size_t threads);

struct Loaded {
  LoadedModel model;  // keeps what the session reads from
  std::unique_ptr<Session> session;
};
// A model file opened and a session on it, with the options above.
Result<Loaded> load_session(const std::string& path, size_t threads);

// Sets the shapes, prepares, and copies `inputs` (one per input, in order) in.
Status feed(Session& session, const std::vector<data::HostTensor>& inputs);

// One tensor per input of the session from "NAME=x.npy" (or "x.npy" for a model with one input). Every
// missing, unknown or unfitting input is named in the one error.
Result<std::vector<data::HostTensor>> read_inputs(const Session& session,
                                                  const std::vector<std::string>& given);

// Seeded noise in [0, 1) of the declared shapes; an unknown dim is taken from `shapes` or is 1.
Result<std::vector<data::HostTensor>> noise_inputs(const Session& session,
                                                   const std::map<std::string, Shape>& shapes);

}  // namespace pith::cli
