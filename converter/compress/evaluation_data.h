// The data of a compression, looked at before any long work: calibration audited, evaluation split into search and proof
// by content hash, and a word on what so many items can prove.
#pragma once
#include <string>
#include <vector>

#include "converter/compress/compress.h"
#include "converter/data/dataset.h"

namespace pith::compress {

struct EvaluationData {
  data::Dataset calibration, search, proof;        // empty where nothing was given
  std::vector<int64_t> search_index, proof_index;  // of their items in the evaluation data
};

// Fills report->audit and counts. Adds Refusal::unevaluated or Refusal::undecided to `findings` when evaluation is
// missing or cannot certify the limit even if no item's answer changed. An evaluation set whose items all fall on one side of the split, without labels,
// or with leaks from calibration is an error.
Result<EvaluationData> open_data(const CompressOptions& options, CompressReport* report,
                                 std::vector<Finding>* findings);

// Do the items fit the model, and the labels its scores? One item of each set is run; before any long work.
Status check_fit(const EvaluationData& data, const CompressOptions& options, Session& original);

// bad_file naming the constant when a layer's weights or bias hold NaN or infinity, or any constant NaN (a mask may be
// infinite).
Status check_finite_constants(const ir::Graph& graph);

}  // namespace pith::compress
