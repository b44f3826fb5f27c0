// Shapes are matched per item: items may differ where the model leaves a dimension open.
#include "converter/eval/dataset_feed.h"

#include <cstring>

namespace pith::eval {

Result<DatasetFeed> DatasetFeed::create(data::Dataset dataset, const Session& session) {
  DatasetFeed feed;
  std::vector<std::string> names;
  for (size_t i = 0; i < session.input_count(); ++i) {
    const TensorView& input = session.input(i);
    if (!input.shape.has_rank())
      return Status(Code::unsupported, format("input '%s' has no fixed number of dimensions", input.name));
    names.push_back(input.name);
    feed.declared_.emplace_back(input.shape.dims().begin(), input.shape.dims().end());
  }
  PITH_ASSIGN(feed.order_, dataset.match_inputs(names));
  for (size_t i = 0; i < names.size(); ++i) {
    const DType given = dataset.inputs()[feed.order_[i]].dtype;
    if (given != session.input(i).dtype)
      return Status(Code::bad_argument,
                    format("input '%s' takes %s, the data set gives %s; set its dtype in dataset.json",
                           names[i].c_str(), name_of(session.input(i).dtype), name_of(given)));
  }
  feed.dataset_ = std::move(dataset);
  return feed;
}

Status DatasetFeed::feed(int64_t item, Session& session) const {
  std::vector<data::HostTensor> tensors(order_.size());
  for (size_t i = 0; i < order_.size(); ++i) {
    PITH_ASSIGN(tensors[i], dataset_.read_input(item, order_[i]));
    PITH_ASSIGN(const std::vector<int64_t> dims,
                dataset_.model_shape(order_[i], tensors[i].shape, declared_[i]));
    if (dims.size() > static_cast<size_t>(kMaxRank))
      return Status(Code::unsupported, format("an item of %zu dimensions", dims.size()));
    PITH_RETURN_IF_ERROR(session.set_input_shape(i, Shape(dims)));
  }
  PITH_RETURN_IF_ERROR(session.prepare());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].bytes.size() != session.input(i).byte_size())
      return Status(Code::internal,
                    format("item %lld has %zu bytes for input '%s' of %zu", static_cast<long long>(item),
                           tensors[i].bytes.size(), session.input(i).name, session.input(i).byte_size()));
    if (!tensors[i].bytes.empty())
      std::memcpy(session.input(i).data, tensors[i].bytes.data(), tensors[i].bytes.size());
  }
  return Status::ok();
}

}  // namespace pith::eval
