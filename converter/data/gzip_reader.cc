// GzipReader over zlib's gzread, which handles several members and checks lengths and checksums.
#include "converter/data/gzip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "converter/data/input_file.h"

namespace pith::data {

Result<GzipReader> GzipReader::open(const std::string& path) {
  PITH_ASSIGN(const InputFile probe,
              InputFile::open(path));  // refuses folders and pipes with a clear message
  GzipReader reader;
  reader.path_ = path;
  reader.file_ = gzopen(probe.path().c_str(), "rb");
  if (reader.file_ == nullptr) return Status(Code::io, format("cannot read '%s' through zlib", path.c_str()));
  return reader;
}

GzipReader::GzipReader(GzipReader&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, nullptr)) {}

GzipReader& GzipReader::operator=(GzipReader&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

GzipReader::~GzipReader() {
  if (file_ != nullptr) gzclose(static_cast<gzFile>(file_));
}

Result<size_t> GzipReader::read_some(std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size()) {
    const auto chunk = static_cast<unsigned>(std::min<size_t>(out.size() - done, 1u << 30));
    const int n = gzread(static_cast<gzFile>(file_), out.data() + done, chunk);
    int error = Z_OK;
    const char* text = gzerror(static_cast<gzFile>(file_), &error);
    PITH_REQUIRE(n >= 0 && (error == Z_OK || error == Z_STREAM_END),
                 "'%s': the gzip data are damaged or truncated (%s); fetch the file again", path_.c_str(),
                 text);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Status GzipReader::read(std::span<std::byte> out) {
  PITH_ASSIGN(const size_t n, read_some(out));
  PITH_REQUIRE(n == out.size(), "'%s': %zu bytes more are wanted, the decompressed data end after %zu",
               path_.c_str(), out.size(), n);
  return Status::ok();
}

Status GzipReader::expect_end() {
  std::byte extra[1];
  PITH_ASSIGN(const size_t n, read_some(extra));
  PITH_REQUIRE(n == 0, "'%s': more data follow than its header says", path_.c_str());
  return Status::ok();
}

}  // namespace pith::data
