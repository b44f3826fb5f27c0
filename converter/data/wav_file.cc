// RIFF layout: "RIFF" u32 size "WAVE", then chunks: 4-byte name, u32 size, payload, one pad byte if size is
// odd.
//   "fmt ": u16 encoding (1 PCM, 3 float, FFFE: the real one is the first u16 of the GUID at 24), u16
//   channels,
//           u32 rate, u32 bytes per second, u16 bytes per frame, u16 bits per sample
//   "data": the samples. Streams leave its size at 0 or FFFFFFFF; those are refused as damaged headers.
#include "converter/data/wav_file.h"

#include <array>
#include <cstring>

#include "runtime/base/checked.h"

namespace pith::data {
namespace {

using ull = unsigned long long;
constexpr unsigned kPcm = 1, kFloat = 3, kExtensible = 0xFFFE;

uint32_t u32_at(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) | std::to_integer<uint32_t>(p[1]) << 8 |
         std::to_integer<uint32_t>(p[2]) << 16 | std::to_integer<uint32_t>(p[3]) << 24;
}
unsigned u16_at(const std::byte* p) {
  return std::to_integer<unsigned>(p[0]) | std::to_integer<unsigned>(p[1]) << 8;
}
bool is_name(const std::byte* p, const char* name) { return std::memcmp(p, name, 4) == 0; }

}  // namespace

Status WavFile::read_format(uint64_t offset, uint32_t size) {
  const char* name = file_.path().c_str();
  PITH_REQUIRE(size >= 16, "'%s': the WAV format chunk has %u bytes; expected 16 or more", name, size);
  std::array<std::byte, 40> fmt{};
  PITH_RETURN_IF_ERROR(file_.read_at(offset, std::span(fmt.data(), size < fmt.size() ? size : fmt.size())));
  unsigned encoding = u16_at(&fmt[0]);
  const unsigned channels = u16_at(&fmt[2]), frame = u16_at(&fmt[12]), bits = u16_at(&fmt[14]);
  if (encoding == kExtensible && size >= 40) encoding = u16_at(&fmt[24]);
  sample_rate_ = u32_at(&fmt[4]);
  if (channels != 1)
    return Status(Code::unsupported, format("'%s': %u channels; expected one: mix it down, for example with "
                                            "sox in.wav -c 1 out.wav",
                                            name, channels));
  is_float_ = encoding == kFloat && bits == 32;
  if (!is_float_ && !(encoding == kPcm && bits == 16))
    return Status(Code::unsupported,
                  format("'%s': WAV encoding %u with %u bits; expected 16-bit PCM or 32-bit float: "
                         "convert it, for example with sox in.wav -b 16 -e signed out.wav",
                         name, encoding, bits));
  PITH_REQUIRE(frame == bits / 8, "'%s': %u bytes a frame with %u bits and one channel; expected %u", name,
               frame, bits, bits / 8);
  PITH_REQUIRE(sample_rate_ > 0, "'%s': a sample rate of 0", name);
  return Status::ok();
}

Status WavFile::read_chunks() {
  const char* name = file_.path().c_str();
  const uint64_t end = file_.size();
  std::array<std::byte, 12> riff;
  PITH_REQUIRE(end >= riff.size(), "'%s': %llu bytes are too few for a WAV file", name, ull{end});
  PITH_RETURN_IF_ERROR(file_.read_at(0, riff));
  PITH_REQUIRE(is_name(&riff[0], "RIFF") && is_name(&riff[8], "WAVE"),
               "'%s': not a WAV file: expected it to begin with RIFF....WAVE", name);
  for (uint64_t at = riff.size(); in_bounds(at, 8, end);) {
    std::array<std::byte, 8> head;
    PITH_RETURN_IF_ERROR(file_.read_at(at, head));
    const uint32_t size = u32_at(&head[4]);
    at += head.size();
    PITH_REQUIRE(in_bounds(at, size, end),
                 "'%s': the chunk '%.4s' at byte %llu says %u bytes, the file has %llu left: "
                 "it is truncated",
                 name, reinterpret_cast<const char*>(head.data()), ull{at - 8}, size, ull{end - at});
    if (is_name(&head[0], "fmt ")) PITH_RETURN_IF_ERROR(read_format(at, size));
    if (is_name(&head[0], "data")) {
      PITH_REQUIRE(sample_rate_ > 0, "'%s': the samples come before their format", name);
      const uint32_t sample_bytes = is_float_ ? 4 : 2;
      PITH_REQUIRE(size > 0 && size % sample_bytes == 0, "'%s': %u bytes of samples of %u bytes each", name,
                   size, sample_bytes);
      samples_ = size / sample_bytes;
      data_offset_ = at;
      return Status::ok();
    }
    at += size + (size & 1);
  }
  return Status(Code::bad_file, format("'%s': a WAV file without samples (no data chunk)", name));
}

Result<WavFile> WavFile::open(const std::string& path) {
  WavFile wav;
  PITH_ASSIGN(wav.file_, InputFile::open(path));
  PITH_RETURN_IF_ERROR(wav.read_chunks());
  return wav;
}

Status WavFile::read(int64_t first, int64_t count, float* out) const {
  if (first < 0 || count < 0 || first > samples_ || count > samples_ - first)
    return Status(Code::bad_argument,
                  format("'%s': samples [%lld, +%lld) of %lld are wanted", file_.path().c_str(),
                         static_cast<long long>(first), static_cast<long long>(count),
                         static_cast<long long>(samples_)));
  const size_t bytes = is_float_ ? 4 : 2;
  std::vector<std::byte> raw(static_cast<size_t>(count) * bytes);
  PITH_RETURN_IF_ERROR(file_.read_at(data_offset_ + static_cast<uint64_t>(first) * bytes, raw));
  if (is_float_) {
    if (count > 0) std::memcpy(out, raw.data(), raw.size());
    return Status::ok();
  }
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    out[i] = static_cast<float>(static_cast<int16_t>(u16_at(&raw[2 * i]))) * (1.0f / 32768);
  return Status::ok();
}

}  // namespace pith::data
