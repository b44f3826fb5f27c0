// CIFAR-10 binary files: records of 1 + 3072 bytes.
//   byte 0        label 0..9
//   1 .. 1024     red plane, 32 rows of 32;  1025 .. 2048 green;  2049 .. 3072 blue
#include <algorithm>

#include "converter/data/data_source.h"
#include "converter/data/input_file.h"

namespace pith::data {
namespace {

using ull = unsigned long long;
constexpr uint64_t kPixelBytes = 3 * 32 * 32;
constexpr uint64_t kRecordBytes = 1 + kPixelBytes;
constexpr unsigned kClasses = 10;

class Cifar10Source : public DataSource {
 public:
  Cifar10Source() {
    spec_.dtype = DType::u8;
    spec_.shape = {3, 32, 32};
    spec_.axes = spec_.default_layout = Axes::chw;
    spec_.has_labels = true;
    spec_.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                         "dog",      "frog",       "horse", "ship", "truck"};
  }
  Status add(const std::string& path) {
    PITH_ASSIGN(InputFile file, InputFile::open(path));
    PITH_REQUIRE(
        file.size() > 0 && file.size() % kRecordBytes == 0,
        "'%s': %llu bytes are not a whole number of CIFAR-10 records of %llu bytes: truncated, or not the "
        "binary version of CIFAR-10",
        path.c_str(), ull{file.size()}, ull{kRecordBytes});
    spec_.count += static_cast<int64_t>(file.size() / kRecordBytes);
    ends_.push_back(spec_.count);
    files_.push_back(std::move(file));
    return Status::ok();
  }
  Result<HostTensor> read(int64_t index) const override {
    const Place place = find(index);
    HostTensor record{spec_.dtype, spec_.shape, std::vector<std::byte>(kPixelBytes)};
    PITH_RETURN_IF_ERROR(place.file->read_at(place.offset + 1, record.bytes));
    return record;
  }
  Result<int64_t> label(int64_t index) const override {
    const Place place = find(index);
    std::byte byte[1];
    PITH_RETURN_IF_ERROR(place.file->read_at(place.offset, byte));
    const auto label = std::to_integer<unsigned>(byte[0]);
    PITH_REQUIRE(label < kClasses,
                 "'%s': record %lld has label %u; expected 0 to 9: not the binary version of CIFAR-10",
                 place.file->path().c_str(), static_cast<long long>(index), label);
    return label;
  }

 private:
  struct Place {
    const InputFile* file;
    uint64_t offset;
  };
  Place find(int64_t index) const {
    const auto at = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
    const int64_t first = at == 0 ? 0 : ends_[at - 1];
    return {&files_[at], static_cast<uint64_t>(index - first) * kRecordBytes};
  }
  std::vector<InputFile> files_;
  std::vector<int64_t> ends_;  // number of the first record after each file
};

}  // namespace

Result<SourcePtr> open_cifar10_source(const std::vector<std::string>& files) {
  if (files.empty()) return Status(Code::bad_argument, "a cifar10 source needs at least one file");
  auto source = std::make_shared<Cifar10Source>();
  for (const std::string& file : files) PITH_RETURN_IF_ERROR(source->add(file));
  return SourcePtr(std::move(source));
}

}  // namespace pith::data
