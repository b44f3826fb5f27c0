// GzipReader: the decompressed bytes of a .gz file, one after the other, in bounded memory.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "runtime/base/status.h"

namespace pith::data {

class GzipReader {
 public:
  static Result<GzipReader> open(const std::string& path);

  GzipReader() = default;
  GzipReader(GzipReader&& other) noexcept;
  GzipReader& operator=(GzipReader&& other) noexcept;
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader();

  // Fills `out`; fewer bytes, or a wrong checksum, are an error.
  Status read(std::span<std::byte> out);
  // Nothing follows, and the checksum was right.
  Status expect_end();

 private:
  Result<size_t> read_some(std::span<std::byte> out);
  std::string path_;
  void* file_ = nullptr;  // zlib's gzFile
};

// Deflate cannot shrink more than this: a header that claims more data than ratio * compressed bytes lies.
inline constexpr uint64_t kMaxDeflateRatio = 1032;

}  // namespace pith::data
