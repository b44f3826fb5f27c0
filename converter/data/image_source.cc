// Items from JPEG and PNG files.
#include "converter/data/data_source.h"
#include "converter/data/image_decode.h"
#include "converter/data/input_file.h"

namespace pith::data {
namespace {

class ImageSource : public DataSource {
 public:
  ImageSource(FileList list, int channels) : list_(std::move(list)), channels_(channels) {
    spec_.count = static_cast<int64_t>(list_.paths.size());
    spec_.dtype = DType::u8;
    spec_.shape = {-1, -1, channels};
    spec_.axes = Axes::hwc;
    spec_.default_layout = Axes::chw;
    spec_.has_labels = !list_.labels.empty();
    spec_.class_names = list_.class_names;
  }
  Result<HostTensor> read(int64_t index) const override {
    const std::string& path = list_.paths[static_cast<size_t>(index)];
    PITH_ASSIGN(const std::vector<std::byte> bytes, read_whole_file(path, kMaxImageFileBytes));
    return decode_image(bytes, channels_, path);
  }
  Result<int64_t> label(int64_t index) const override {
    if (list_.labels.empty()) return DataSource::label(index);
    return list_.labels[static_cast<size_t>(index)];
  }

 private:
  FileList list_;
  int channels_;
};

}  // namespace

Result<SourcePtr> open_image_source(const ImageConfig& config) {
  if (config.channels != 1 && config.channels != 3)
    return Status(Code::bad_argument, format("images have 1 or 3 channels, not %d", config.channels));
  FileListConfig files = config.files;
  files.extensions = {".jpg", ".jpeg", ".png"};
  PITH_ASSIGN(FileList list, list_files(files));
  return SourcePtr(std::make_shared<ImageSource>(std::move(list), config.channels));
}

}  // namespace pith::data
