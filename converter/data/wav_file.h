// WAV (RIFF) files of one channel: PCM with 16 bits, or 32-bit float.
#pragma once
#include <cstdint>
#include <string>

#include "converter/data/input_file.h"
#include "runtime/base/status.h"

namespace pith::data {

class WavFile {
 public:
  // Reads the headers only. Other encodings, several channels and broken chunk tables are refused with
  // advice.
  static Result<WavFile> open(const std::string& path);
  int64_t sample_rate() const { return sample_rate_; }
  int64_t samples() const { return samples_; }
  // Fills out[0, count) with samples from `first` on, as float: PCM / 32768, float as it is.
  // [first, first + count) lies inside of the clip, or it is an error.
  Status read(int64_t first, int64_t count, float* out) const;

 private:
  Status read_chunks();
  Status read_format(uint64_t offset, uint32_t size);
  InputFile file_;
  int64_t sample_rate_ = 0;
  int64_t samples_ = 0;
  uint64_t data_offset_ = 0;
  bool is_float_ = false;
};

}  // namespace pith::data
