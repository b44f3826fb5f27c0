// Items from WAV clips, cut into windows.
//   window w of a clip covers samples [w * hop, w * hop + window); without padding only whole windows count,
//   with it the windows go on until every sample is covered, and the rest of the last one is silence.
#include <algorithm>
#include <limits>

#include "converter/data/data_source.h"
#include "converter/data/wav_file.h"

namespace pith::data {
namespace {

using ll = long long;
constexpr int64_t kMaxWindow = int64_t{1} << 28;  // samples: 1 GiB as float

int64_t window_count(int64_t samples, int64_t window, int64_t hop, bool pad) {
  if (samples <= window) return samples == window || pad ? 1 : 0;
  const int64_t more = samples - window;  // after the first window
  return 1 + (pad ? (more + hop - 1) / hop : more / hop);
}

class WavSource : public DataSource {
 public:
  explicit WavSource(const WavConfig& config) : config_(config) {}

  Status open() {
    FileListConfig files = config_.files;
    files.extensions = {".wav"};
    PITH_ASSIGN(list_, list_files(files));
    for (const std::string& path : list_.paths) PITH_RETURN_IF_ERROR(add(path));
    spec_.count = ends_.back();
    PITH_REQUIRE(spec_.count > 0,
                 "no clip of '%s' has %lld samples; name a smaller \"window\" or set \"pad\": true",
                 list_.paths[0].c_str(), static_cast<ll>(config_.window));
    spec_.dtype = DType::f32;
    spec_.shape = {config_.window};
    spec_.has_labels = !list_.labels.empty();
    spec_.class_names = list_.class_names;
    return Status::ok();
  }

  Result<HostTensor> read(int64_t index) const override {
    const size_t clip = clip_of(index);
    const int64_t first = (index - (clip == 0 ? 0 : ends_[clip - 1])) * config_.hop;
    PITH_ASSIGN(const WavFile wav, WavFile::open(list_.paths[clip]));
    HostTensor record{DType::f32, spec_.shape, {}};
    record.bytes.resize(static_cast<size_t>(config_.window) * sizeof(float));  // zeros: silence
    const int64_t count = std::min(config_.window, wav.samples() - std::min(first, wav.samples()));
    PITH_RETURN_IF_ERROR(wav.read(std::min(first, wav.samples()), count, record.as<float>().data()));
    return record;
  }

  Result<int64_t> label(int64_t index) const override {
    if (list_.labels.empty()) return DataSource::label(index);
    return list_.labels[clip_of(index)];
  }

 private:
  size_t clip_of(int64_t index) const {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
  }

  Status add(const std::string& path) {
    PITH_ASSIGN(const WavFile wav, WavFile::open(path));
    if (config_.sample_rate == 0) config_.sample_rate = wav.sample_rate();
    PITH_REQUIRE(
        wav.sample_rate() == config_.sample_rate,
        "'%s': %lld samples a second; expected %lld as in \"sample_rate\" or the first clip: convert it, for "
        "example with sox in.wav -r %lld out.wav",
        path.c_str(), static_cast<ll>(wav.sample_rate()), static_cast<ll>(config_.sample_rate),
        static_cast<ll>(config_.sample_rate));
    if (config_.window == 0) {
      PITH_REQUIRE(wav.samples() <= kMaxWindow,
                   "'%s': %lld samples are too many for one item; set \"window\"", path.c_str(),
                   static_cast<ll>(wav.samples()));
      config_.window = wav.samples();
      whole_clips_ = true;
    }
    PITH_REQUIRE(
        !whole_clips_ || wav.samples() == config_.window,
        "'%s': %lld samples, the first clip has %lld; set \"window\" (and \"pad\": true for shorter clips)",
        path.c_str(), static_cast<ll>(wav.samples()), static_cast<ll>(config_.window));
    if (config_.hop == 0) config_.hop = config_.window;
    const int64_t so_far = ends_.empty() ? 0 : ends_.back();
    ends_.push_back(so_far + window_count(wav.samples(), config_.window, config_.hop, config_.pad));
    return Status::ok();
  }

  WavConfig config_;
  FileList list_;
  std::vector<int64_t> ends_;  // number of the first window after each clip
  bool whole_clips_ = false;
};

}  // namespace

Result<SourcePtr> open_wav_source(const WavConfig& config) {
  if (config.window < 0 || config.window > kMaxWindow || config.hop < 0 || config.hop > kMaxWindow ||
      config.sample_rate < 0)
    return Status(Code::bad_argument, format("wav: \"window\" and \"hop\" must be between 1 and %lld samples",
                                             static_cast<ll>(kMaxWindow)));
  auto source = std::make_shared<WavSource>(config);
  PITH_RETURN_IF_ERROR(source->open());
  return SourcePtr(std::move(source));
}

}  // namespace pith::data
