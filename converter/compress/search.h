// From measured sensitivities to the mixture to ship, by real evaluations on the search items.
#pragma once
#include <vector>

#include "converter/compress/compress.h"
#include "converter/compress/trial.h"

namespace pith::compress {

struct SearchInput {
  const std::vector<Unit>& units;
  const std::vector<UnitMeasure>& measured;
  const CompressOptions& options;
  uint64_t float_bytes = 0;  // of the original as a .pith file
  double float_ms = 0;
  int64_t proof_items = 0;
  std::optional<uint64_t> max_bytes;
};

// Index of the candidate to ship; the trials hold everything that was evaluated on the way. When nothing meets the
// budgets the nearest is returned: the proof will refuse it by figures.
Result<size_t> search_mixture(const SearchInput& input, Trials& trials);

}  // namespace pith::compress
