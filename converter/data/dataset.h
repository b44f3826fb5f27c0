// Dataset: numbered items, each with one tensor per model input and perhaps a label; read when asked for.
//   PITH_ASSIGN(Dataset set, Dataset::open("data/test"));         // a folder, a dataset.json, or one .npy
//   file PITH_ASSIGN(std::vector<size_t> order, set.match_inputs(names_of_model_inputs)); for (int64_t i = 0;
//   i < set.size(); ++i) {
//     PITH_ASSIGN(HostTensor x, set.read_input(i, order[0]));      // one item, without a batch axis
//     PITH_ASSIGN(std::vector<int64_t> dims, set.model_shape(order[0], x.shape, model_dims));  // with it
//   }
// The formats are documented in docs/datasets.md. A Dataset is cheap to copy (copies share the open files)
// and may be read from several threads at once.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/data/host_tensor.h"
#include "runtime/base/status.h"

namespace pith::data {

struct DatasetOptions {
  std::string root;  // replaces the "root" of a dataset.json; empty: keep
};

struct InputInfo {
  std::string name;  // "" when the data set has one input that fits whatever the model's is called
  DType dtype = DType::none;
  std::vector<int64_t> shape;  // of one item, without a batch axis; -1 where items differ
};

struct DatasetParts;  // the open sources; dataset_parts.h

class Dataset {
 public:
  static Result<Dataset> open(const std::string& path, const DatasetOptions& options = {});

  Dataset() = default;  // empty: size() 0, no inputs
  int64_t size() const { return count_; }
  const std::string& path() const;
  const std::vector<InputInfo>& inputs() const;
  bool has_labels() const;
  // Names of the classes, index = label; empty if unknown.
  const std::vector<std::string>& class_names() const;

  // Item `item` of input `input` (index into inputs()), preprocessed.
  Result<HostTensor> read_input(int64_t item, size_t input) const;
  Result<int64_t> label(int64_t item) const;
  // Several items of one input stacked along a new first axis; all must have one shape.
  Result<HostTensor> read_batch(std::span<const int64_t> items, size_t input) const;
  // Hash of what the model sees of an item: type and bytes of all inputs in order of their names. The label,
  // the container (npy, IDX, ...) and the shape do not matter.
  Result<uint64_t> content_hash(int64_t item) const;

  // A view of some of the items, in the given order. Indices outside of [0, size()) are an error.
  Result<Dataset> subset(std::vector<int64_t> items) const;
  // The items inside (or outside) of the proof split of content_hash.h. Reads every item once.
  Result<Dataset> split(double proof_share, bool proof) const;

  // For each name of the model's inputs, which of inputs() feeds it. Names must agree one to one; a single
  // unnamed input fits a model with a single input.
  Result<std::vector<size_t>> match_inputs(std::span<const std::string> model_inputs) const;
  // The dims with which an item of shape `item` enters a model input of dims `model` (-1: any): as it is when
  // the ranks agree, with a batch axis of 1 in front when the model has one axis more. Anything else is an
  // error that says how to reshape.
  Result<std::vector<int64_t>> model_shape(size_t input, std::span<const int64_t> item,
                                           std::span<const int64_t> model) const;

 private:
  Status check_item(int64_t item) const;
  int64_t source_index(int64_t item) const;
  std::shared_ptr<const DatasetParts> parts_;
  int64_t count_ = 0;
  int64_t offset_ = 0, stride_ = 1;                     // of item 0 in the sources, and from item to item
  std::shared_ptr<const std::vector<int64_t>> chosen_;  // instead of offset and stride, for subsets
};

}  // namespace pith::data
