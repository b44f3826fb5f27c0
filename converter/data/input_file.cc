// InputFile on POSIX: open, fstat, pread.
#include "converter/data/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "runtime/base/checked.h"

namespace pith::data {
namespace {
using ull = unsigned long long;
std::string error_text(int error) { return std::generic_category().message(error); }
}  // namespace

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // O_NONBLOCK: do not wait on a pipe
  if (file.fd_ < 0)
    return Status(Code::io, format("cannot read '%s': %s", path.c_str(), error_text(errno).c_str()));
  struct stat info;
  if (fstat(file.fd_, &info) != 0)
    return Status(Code::io, format("cannot read '%s': %s", path.c_str(), error_text(errno).c_str()));
  if (!S_ISREG(info.st_mode))
    return Status(Code::io, format("cannot read '%s': expected a regular file, found %s", path.c_str(),
                                   S_ISDIR(info.st_mode) ? "a folder" : "a pipe or device"));
  file.size_ = static_cast<uint64_t>(info.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(std::exchange(other.size_, 0)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) close(fd_);
}

Status InputFile::read_at(uint64_t offset, std::span<std::byte> out) const {
  if (!in_bounds(offset, out.size(), size_))
    return Status(Code::bad_file,
                  format("'%s': bytes [%llu, +%zu) are wanted, the file has %llu: it is truncated",
                         path_.c_str(), ull{offset}, out.size(), ull{size_}));
  while (!out.empty()) {
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return Status(Code::io, format("cannot read '%s': %s", path_.c_str(), error_text(errno).c_str()));
    if (n == 0)
      return Status(Code::io,
                    format("'%s': ended at byte %llu, it had %llu when it was opened: do not change "
                           "data while it is read",
                           path_.c_str(), ull{offset}, ull{size_}));
    out = out.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return Status::ok();
}

Result<std::vector<std::byte>> read_whole_file(const std::string& path, uint64_t limit) {
  PITH_ASSIGN(InputFile file, InputFile::open(path));
  PITH_REQUIRE(file.size() <= limit, "'%s': %llu bytes, at most %llu are accepted for this kind of file",
               path.c_str(), ull{file.size()}, ull{limit});
  std::vector<std::byte> bytes(static_cast<size_t>(file.size()));
  PITH_RETURN_IF_ERROR(file.read_at(0, bytes));
  return bytes;
}

Result<std::string> read_text_file(const std::string& path, uint64_t limit) {
  PITH_ASSIGN(InputFile file, InputFile::open(path));
  PITH_REQUIRE(file.size() <= limit, "'%s': %llu bytes, at most %llu are accepted for this kind of file",
               path.c_str(), ull{file.size()}, ull{limit});
  std::string text(static_cast<size_t>(file.size()), '\0');
  PITH_RETURN_IF_ERROR(file.read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace pith::data
