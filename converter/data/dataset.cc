// Dataset: opening by kind of path, item access, subsets, and matching with a model's inputs.
#include "converter/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <system_error>

#include "converter/data/content_hash.h"
#include "converter/data/dataset_parts.h"
#include "runtime/base/checked.h"

namespace pith::data {
namespace {

namespace fs = std::filesystem;
using ll = long long;

Result<DatasetParts> open_parts(const std::string& path, const DatasetOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    return Status(Code::io, format("no data set at '%s': no such file or folder", path.c_str()));
  if (fs::is_directory(status)) {
    const fs::path inside = fs::path(path) / "dataset.json";
    return fs::exists(inside, error) ? open_dataset_json(inside.string(), options) : open_npy_folder(path);
  }
  if (fs::path(path).extension() == ".npy") {
    DatasetParts parts;
    parts.path = path;
    parts.count = std::numeric_limits<int64_t>::max();
    DatasetInput input;
    PITH_ASSIGN(input.source, open_npy_source({path, Axes::plain}));
    PITH_ASSIGN(input.preprocess, Preprocess::plan({}, input.source->spec()));
    parts.inputs.push_back(std::move(input));
    PITH_RETURN_IF_ERROR(complete_parts(&parts));
    return parts;
  }
  if (fs::path(path).extension() != ".json")
    return Status(
        Code::bad_argument,
        format("'%s' is no data set: expected a folder, a .json file or a .npy file", path.c_str()));
  return open_dataset_json(path, options);
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "'" : ", '") + name + "'";
  return all.empty() ? "none" : all;
}

}  // namespace

static bool is_excluded(const DatasetParts& parts, int64_t source_item) {
  const int64_t past = source_item - parts.exclude_offset;
  return past >= 0 && past % parts.exclude_stride == 0 && past / parts.exclude_stride < parts.exclude_count;
}

Result<Dataset> Dataset::open(const std::string& path, const DatasetOptions& options) {
  PITH_ASSIGN(DatasetParts parts, open_parts(path, options));
  Dataset set;
  set.count_ = parts.count;
  set.offset_ = parts.offset;
  set.stride_ = parts.stride;
  set.parts_ = std::make_shared<const DatasetParts>(std::move(parts));
  if (set.parts_->exclude_stride == 0) return set;
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < set.count_; ++i)
    if (!is_excluded(*set.parts_, set.source_index(i))) kept.push_back(i);
  PITH_REQUIRE(!kept.empty(), "'%s': \"exclude\" leaves no items", path.c_str());
  return set.subset(std::move(kept));
}

static const DatasetParts& empty_parts() {
  static const DatasetParts kNone;
  return kNone;
}

const std::string& Dataset::path() const { return (parts_ ? *parts_ : empty_parts()).path; }
const std::vector<InputInfo>& Dataset::inputs() const { return (parts_ ? *parts_ : empty_parts()).infos; }
bool Dataset::has_labels() const { return parts_ && parts_->has_labels; }
const std::vector<std::string>& Dataset::class_names() const {
  return (parts_ ? *parts_ : empty_parts()).class_names;
}

Status Dataset::check_item(int64_t item) const {
  if (item >= 0 && item < count_) return Status::ok();
  return Status(Code::bad_argument, format("'%s': item %lld is wanted, there are %lld", path().c_str(),
                                           static_cast<ll>(item), static_cast<ll>(count_)));
}

int64_t Dataset::source_index(int64_t item) const {
  return offset_ + stride_ * (chosen_ ? (*chosen_)[static_cast<size_t>(item)] : item);
}

Result<HostTensor> Dataset::read_input(int64_t item, size_t input) const {
  PITH_RETURN_IF_ERROR(check_item(item));
  if (input >= inputs().size())
    return Status(Code::bad_argument,
                  format("'%s': input %zu is wanted, there are %zu", path().c_str(), input, inputs().size()));
  const DatasetInput& from = parts_->inputs[input];
  PITH_ASSIGN(HostTensor record, from.source->read(source_index(item)));
  Result<HostTensor> out = from.preprocess.apply(std::move(record));
  if (!out.is_ok())
    return Status(out.status())
        .with_context(format("'%s' item %lld: ", path().c_str(), static_cast<ll>(item)));
  return out;
}

Result<int64_t> Dataset::label(int64_t item) const {
  PITH_RETURN_IF_ERROR(check_item(item));
  if (!parts_->has_labels)
    return Status(Code::bad_argument,
                  format("'%s' has no labels; add labels.npy or \"labels\"", path().c_str()));
  if (parts_->label_source) return parts_->label_source->label(source_index(item));
  return parts_->labels[static_cast<size_t>(source_index(item))];
}

Result<HostTensor> Dataset::read_batch(std::span<const int64_t> items, size_t input) const {
  HostTensor batch;
  for (int64_t item : items) {
    PITH_ASSIGN(const HostTensor one, read_input(item, input));
    if (batch.shape.empty()) {
      batch.dtype = one.dtype;
      batch.shape = one.shape;
      batch.shape.insert(batch.shape.begin(), static_cast<int64_t>(items.size()));
      uint64_t bytes = 0;
      if (!checked_mul(uint64_t{one.bytes.size()}, uint64_t{items.size()}, &bytes))
        return Status(Code::no_memory, "a batch larger than any memory");
      batch.bytes.reserve(static_cast<size_t>(bytes));
    }
    PITH_REQUIRE(
        std::equal(one.shape.begin(), one.shape.end(), batch.shape.begin() + 1, batch.shape.end()),
        "'%s': items of different shapes in one batch: item %lld has %s, expected %s; resize them or use "
        "batches of one",
        path().c_str(), static_cast<ll>(item), shape_text(one.shape).c_str(),
        shape_text(std::span(batch.shape).subspan(1)).c_str());
    batch.bytes.insert(batch.bytes.end(), one.bytes.begin(), one.bytes.end());
  }
  return batch;
}

Result<uint64_t> Dataset::content_hash(int64_t item) const {
  PITH_RETURN_IF_ERROR(check_item(item));
  std::vector<size_t> order(inputs().size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return inputs()[a].name < inputs()[b].name; });
  uint64_t hash = 0;
  for (size_t input : order) {
    PITH_ASSIGN(const HostTensor one, read_input(item, input));
    hash = hash_bytes(one.bytes, hash ^ static_cast<uint64_t>(one.dtype));
  }
  return hash;
}

Result<Dataset> Dataset::subset(std::vector<int64_t> items) const {
  for (int64_t& item : items) {
    PITH_RETURN_IF_ERROR(check_item(item));
    if (chosen_) item = (*chosen_)[static_cast<size_t>(item)];
  }
  Dataset out = *this;
  out.count_ = static_cast<int64_t>(items.size());
  out.chosen_ = std::make_shared<const std::vector<int64_t>>(std::move(items));
  return out;
}

Result<Dataset> Dataset::split(double proof_share, bool proof) const {
  std::vector<int64_t> items;
  for (int64_t i = 0; i < count_; ++i) {
    PITH_ASSIGN(const uint64_t hash, content_hash(i));
    if (in_proof_split(hash, proof_share) == proof) items.push_back(i);
  }
  return subset(std::move(items));
}

Result<std::vector<size_t>> Dataset::match_inputs(std::span<const std::string> model_inputs) const {
  const std::vector<InputInfo>& mine = inputs();
  if (mine.size() == 1 && model_inputs.size() == 1 &&
      (mine[0].name.empty() || mine[0].name == model_inputs[0]))
    return std::vector<size_t>{0};
  std::vector<std::string> have, want(model_inputs.begin(), model_inputs.end());
  for (const InputInfo& info : mine) have.push_back(info.name.empty() ? "(unnamed)" : info.name);
  std::vector<size_t> order;
  for (const std::string& name : want) {
    const auto at = std::find(have.begin(), have.end(), name);
    if (at != have.end()) order.push_back(static_cast<size_t>(at - have.begin()));
  }
  if (order.size() == want.size() && have.size() == want.size()) return order;
  return Status(Code::bad_argument,
                format("'%s': the data set's inputs are %s, the model's are %s; expected the same names",
                       path().c_str(), listed(have).c_str(), listed(want).c_str()));
}

Result<std::vector<int64_t>> Dataset::model_shape(size_t input, std::span<const int64_t> item,
                                                  std::span<const int64_t> model) const {
  std::vector<int64_t> dims(item.begin(), item.end());
  if (model.size() == dims.size() + 1) dims.insert(dims.begin(), 1);
  bool fits = dims.size() == model.size();
  for (size_t i = 0; fits && i < dims.size(); ++i) fits = model[i] < 0 || model[i] == dims[i];
  if (fits) return dims;
  const std::string name = input < inputs().size() ? inputs()[input].name : "";
  std::vector<int64_t> wanted(model.begin(), model.end());
  if (wanted.size() > 1 && wanted[0] <= 1) wanted.erase(wanted.begin());
  return Status(
      Code::bad_argument,
      format("'%s': items of input '%s' have shape %s, the model takes %s; set \"reshape\", \"resize\" or "
             "\"layout\" in dataset.json so that an item has shape %s",
             path().c_str(), name.c_str(), shape_text(item).c_str(), shape_text(model).c_str(),
             shape_text(wanted).c_str()));
}

}  // namespace pith::data
