// DatasetFeed: puts the items of a data set into the inputs of a session.
#pragma once
#include <vector>

#include "converter/data/dataset.h"
#include "runtime/exec/session.h"

namespace pith::eval {

class DatasetFeed {
 public:
  DatasetFeed() = default;
  // Matches the data set's inputs with those of `session` by name.
  static Result<DatasetFeed> create(data::Dataset dataset, const Session& session);
  // Sets the input shapes (a batch axis of 1 is added when needed), prepares, and copies item `item` in.
  Status feed(int64_t item, Session& session) const;
  const data::Dataset& dataset() const { return dataset_; }

 private:
  data::Dataset dataset_;
  std::vector<size_t> order_;                   // data set input of each model input
  std::vector<std::vector<int64_t>> declared_;  // dims of each model input as the model gives them
};

}  // namespace pith::eval
