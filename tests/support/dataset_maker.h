// Small data files for tests: bytes of IDX, WAV, gzip and .npy files.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pith::test {

inline std::string big_endian(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
inline std::string little_endian(uint32_t v, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i));
  return out;
}

inline std::string idx_bytes(int type, const std::vector<uint32_t>& dims, const std::string& data) {
  std::string out = {0, 0, static_cast<char>(type), static_cast<char>(dims.size())};
  for (uint32_t d : dims) out += big_endian(d);
  return out + data;
}

inline std::string gzipped(const std::string& plain) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);  // + 16: gzip, not zlib
  std::string out(deflateBound(&z, plain.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct WavSpec {
  unsigned encoding = 1, channels = 1, rate = 16000, bits = 16;
};
inline std::string wav_bytes(const WavSpec& w, const std::string& samples,
                             const std::string& before_data = "") {
  const unsigned frame = w.channels * w.bits / 8;
  const std::string fmt = little_endian(w.encoding, 2) + little_endian(w.channels, 2) +
                          little_endian(w.rate, 4) + little_endian(w.rate * frame, 4) +
                          little_endian(frame, 2) + little_endian(w.bits, 2);
  const std::string body = "WAVEfmt " + little_endian(16, 4) + fmt + before_data + "data" +
                           little_endian(static_cast<uint32_t>(samples.size()), 4) + samples;
  return "RIFF" + little_endian(static_cast<uint32_t>(body.size()), 4) + body;
}
inline std::string pcm16(const std::vector<int>& samples) {
  std::string out;
  for (int s : samples) out += little_endian(static_cast<uint32_t>(s), 2);
  return out;
}

inline bool says(const std::string& message, const char* words) {
  return message.find(words) != std::string::npos;
}

}  // namespace pith::test
