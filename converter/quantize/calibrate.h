// Runs the float graph by the runtime over calibration items and observes chosen tensors.
//   PITH_ASSIGN(Calibration seen, calibrate(graph, values, source, {}));
//   const Observation& o = seen.of(value);
// Nothing is kept but histograms and small samples: memory does not grow with the number of items.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/observation.h"
#include "runtime/base/status.h"
#include "runtime/exec/session.h"

namespace pith::quantize {

// Where items come from: `feed` sets the shapes of the session's inputs, prepares it and writes item `item`.
struct ItemSource {
  int64_t items = 0;
  std::function<Status(int64_t item, Session& session)> feed;
};

struct CalibrationOptions {
  int64_t max_items = 256;  // evenly spread over the source
  int64_t judge_every = 4;  // every 4th item judges; with fewer items than that, all of them do both
  size_t threads = 1;
  uint64_t max_live_bytes = uint64_t{512} << 20;  // observed tensors alive at once; more tensors: more passes
  std::function<void(int64_t done, int64_t total)> progress;  // in runs of the model; may be empty
};

// The i-th of at most `max_items` items of a source of `items`, spread evenly: a source sorted by class is covered.
inline int64_t calibration_item(int64_t i, int64_t items, int64_t max_items) {
  const int64_t used = items < max_items ? items : max_items;
  // i < used, so the quotient part cannot overflow and the remainder part stays below items.
  return i * (items / used) + i * (items % used) / used;
}

struct Calibration {
  std::map<const ir::Value*, Observation> observations;
  int64_t items = 0;
  bool judged_on_fit = false;  // too few items to hold any back

  const Observation& of(const ir::Value* value) const { return observations.at(value); }
};

// `values`: f32, in the main block or graph inputs, each once. The graph is the same again afterwards.
// Errors: bad_argument for an empty source or non-finite activations (naming the tensor); whatever feed and
// the runtime say.
Result<Calibration> calibrate(ir::Graph& graph, std::span<ir::Value* const> values, const ItemSource& source,
                              const CalibrationOptions& options);

}  // namespace pith::quantize
