// Moments of the inputs of products, for models larger than memory: the float graph is cut into stages, a stage's weights are
// in memory while all items run through it, and what later stages read waits in files.
//   PITH_ASSIGN(auto staged, StagedMoments::create(graph, source, options, folder));
//   PITH_ASSIGN(Moments m, staged->take("block0/q"));      // in execution order
// Stages run when the first of their products is asked for; asking backwards is an error. The same numbers as
// collect_moments() gives without held-back items.
#pragma once
#include <memory>
#include <set>
#include <string>

#include "converter/quantize/collect_moments.h"
#include "runtime/base/status.h"

namespace pith::quantize {

class StagedMoments {
 public:
  // `nodes`: names of the products. `folder`: for the files, which have no names. options.judge_every is not used; a stage is
  // closed when its weights as floats and its moments exceed options.max_bytes. Errors: If nodes; as collect_moments.
  static Result<std::unique_ptr<StagedMoments>> create(const ir::Graph& graph, std::set<std::string> nodes,
                                                       ItemSource source, MomentsOptions options,
                                                       std::string folder);
  virtual ~StagedMoments() = default;
  // The moments of the product's padded rows.
  virtual Result<Moments> take(const std::string& node) = 0;
};

}  // namespace pith::quantize
