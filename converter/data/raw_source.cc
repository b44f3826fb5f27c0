// Items from files of bare elements: equal records in one file, or one file per record.
#include "converter/data/data_source.h"
#include "converter/data/input_file.h"

namespace pith::data {
namespace {

using ull = unsigned long long;

class RawSource : public DataSource {
 public:
  RawSource(const RawConfig& config, uint64_t record_bytes)
      : record_bytes_(record_bytes), skip_(config.skip_bytes) {
    spec_.dtype = config.dtype;
    spec_.shape = config.shape;
    spec_.axes = config.axes;
  }
  Status open_file(const std::string& path) {
    PITH_ASSIGN(file_, InputFile::open(path));
    PITH_REQUIRE(file_.size() > skip_, "'%s': %llu bytes, of which %llu are to be skipped: no items",
                 path.c_str(), ull{file_.size()}, ull{skip_});
    const uint64_t payload = file_.size() - skip_;
    PITH_REQUIRE(
        payload % record_bytes_ == 0,
        "'%s': %llu bytes are not a whole number of items of %llu bytes (shape %s of %s): wrong \"shape\" or "
        "\"dtype\", or a truncated file",
        path.c_str(), ull{payload}, ull{record_bytes_}, shape_text(spec_.shape).c_str(),
        name_of(spec_.dtype));
    spec_.count = static_cast<int64_t>(payload / record_bytes_);
    return Status::ok();
  }
  void take_list(FileList list) {
    list_ = std::move(list);
    spec_.count = static_cast<int64_t>(list_.paths.size());
    spec_.has_labels = !list_.labels.empty();
    spec_.class_names = list_.class_names;
  }
  Result<HostTensor> read(int64_t index) const override {
    HostTensor record{spec_.dtype, spec_.shape, {}};
    record.bytes.resize(static_cast<size_t>(record_bytes_));
    if (list_.paths.empty()) {
      PITH_RETURN_IF_ERROR(file_.read_at(skip_ + record_bytes_ * static_cast<uint64_t>(index), record.bytes));
      return record;
    }
    PITH_ASSIGN(const InputFile file, InputFile::open(list_.paths[static_cast<size_t>(index)]));
    PITH_REQUIRE(file.size() == skip_ + record_bytes_, "'%s': %llu bytes; expected %llu (shape %s of %s)",
                 file.path().c_str(), ull{file.size()}, ull{skip_ + record_bytes_},
                 shape_text(spec_.shape).c_str(), name_of(spec_.dtype));
    PITH_RETURN_IF_ERROR(file.read_at(skip_, record.bytes));
    return record;
  }
  Result<int64_t> label(int64_t index) const override {
    if (list_.labels.empty()) return DataSource::label(index);
    return list_.labels[static_cast<size_t>(index)];
  }

 private:
  uint64_t record_bytes_, skip_;
  InputFile file_;
  FileList list_;
};

}  // namespace

Result<SourcePtr> open_raw_source(const RawConfig& config) {
  uint64_t bytes = 0;
  if (size_of(config.dtype) == 0 || !tensor_bytes(config.shape, config.dtype, &bytes) || bytes == 0 ||
      bytes > (uint64_t{1} << 30) || config.skip_bytes > (uint64_t{1} << 40))
    return Status(Code::bad_argument,
                  format("a raw source needs the dtype and the shape of one item (at most 1 GiB); "
                         "found %s of %s",
                         shape_text(config.shape).c_str(), name_of(config.dtype)));
  auto source = std::make_shared<RawSource>(config, bytes);
  if (!config.file.empty()) {
    PITH_RETURN_IF_ERROR(source->open_file(config.file));
  } else {
    PITH_ASSIGN(FileList list, list_files(config.files));
    source->take_list(std::move(list));
  }
  return SourcePtr(std::move(source));
}

}  // namespace pith::data
