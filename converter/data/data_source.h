// DataSource: numbered raw records, before preprocessing. One file per kind: npy, raw, idx, cifar10, images,
// wav. A source is immutable after opening and may be read from several threads at once.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converter/data/file_list.h"
#include "converter/data/host_tensor.h"
#include "runtime/base/status.h"

namespace pith::data {

// What the axes of a record mean. `plain`: nothing known, so no image operation applies.
enum class Axes : uint8_t { plain, hw, hwc, chw };

struct SourceSpec {
  int64_t count = 0;
  DType dtype = DType::none;
  std::vector<int64_t> shape;  // of one record; -1 where records differ
  Axes axes = Axes::plain;
  DType default_dtype = DType::f32;   // what an item becomes when the user asks for no type
  Axes default_layout = Axes::plain;  // axes an item gets when the user asks for no layout; plain: keep
  bool has_labels = false;
  std::vector<std::string> class_names;  // index = label; empty if the source knows no names
};

class DataSource {
 public:
  virtual ~DataSource() = default;
  const SourceSpec& spec() const { return spec_; }
  // 0 <= index < spec().count, checked by the caller (Dataset).
  virtual Result<HostTensor> read(int64_t index) const = 0;
  virtual Result<int64_t> label(int64_t index) const;

 protected:
  SourceSpec spec_;
};
using SourcePtr = std::shared_ptr<const DataSource>;

// The first axis of a .npy file counts the items.
struct NpyConfig {
  std::string file;
  Axes axes = Axes::plain;
};
Result<SourcePtr> open_npy_source(const NpyConfig& config);

// Elements without a header: one file of equal records after `skip_bytes`, or one record per file of `files`.
struct RawConfig {
  std::string file;  // empty: use `files`
  FileListConfig files;
  uint64_t skip_bytes = 0;
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  Axes axes = Axes::plain;
};
Result<SourcePtr> open_raw_source(const RawConfig& config);

// IDX (MNIST's format), plain or gzipped; records of rank 2 are taken as images of one channel.
Result<SourcePtr> open_idx_source(const std::string& file);

// CIFAR-10 binary: per record a label byte 0..9 and 32x32 red, green and blue planes. Files are read one
// after the other.
Result<SourcePtr> open_cifar10_source(const std::vector<std::string>& files);

struct ImageConfig {
  FileListConfig files;  // .jpg .jpeg .png
  int channels = 3;      // 3: RGB, 1: grey
};
Result<SourcePtr> open_image_source(const ImageConfig& config);

// WAV clips, mono: every window of every clip is a record. Samples are f32 in [-1, 1).
struct WavConfig {
  FileListConfig files;
  int64_t sample_rate = 0;  // 0: any, but the same for all clips
  int64_t window = 0;       // samples in a record; 0: the whole clip (all must then be of one length)
  int64_t hop = 0;          // samples from one window to the next; 0: window
  bool pad = false;         // fill the last window with silence instead of dropping it
};
Result<SourcePtr> open_wav_source(const WavConfig& config);

}  // namespace pith::data
