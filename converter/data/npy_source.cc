// Items from the rows of a .npy file; also the default label() of sources without labels.
#include "converter/data/data_source.h"
#include "converter/data/npy.h"

namespace pith::data {

Result<int64_t> DataSource::label(int64_t) const {
  return Status(Code::bad_argument, "this data set has no labels");
}

namespace {

class NpySource : public DataSource {
 public:
  NpySource(NpyFile file, Axes axes) : file_(std::move(file)) {
    const NpyHeader& header = file_.header();
    spec_.count = file_.rows();
    spec_.dtype = spec_.default_dtype = header.dtype;
    spec_.shape.assign(header.shape.begin() + 1, header.shape.end());
    spec_.axes = axes;
  }
  Result<HostTensor> read(int64_t index) const override { return file_.read_row(index); }

 private:
  NpyFile file_;
};

}  // namespace

Result<SourcePtr> open_npy_source(const NpyConfig& config) {
  PITH_ASSIGN(NpyFile file, NpyFile::open(config.file));
  PITH_REQUIRE(!file.header().shape.empty(),
               "'%s': a single number; expected an array whose first axis counts items", config.file.c_str());
  return SourcePtr(std::make_shared<NpySource>(std::move(file), config.axes));
}

}  // namespace pith::data
