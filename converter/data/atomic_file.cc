// AtomicFile on POSIX: unnamed temporary (O_TMPFILE) where the file system has it, else a named one beside
// the target.
#include "converter/data/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include "runtime/base/checked.h"

namespace pith::data {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;
constexpr int kNameAttempts = 100;  // names taken by other writers of the same path before we give up

std::string error_text(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& path, int attempt) {
  return path + format(".%ld-%d.tmp", static_cast<long>(getpid()), attempt);
}

// Follows a link, so that the file behind it is replaced and the link stays; finds the mode to keep.
Status resolve_target(std::string* path, std::optional<mode_t>* mode) {
  struct stat info;
  if (lstat(path->c_str(), &info) != 0) {
    if (errno == ENOENT) return Status::ok();
    return Status(Code::io, format("cannot write '%s': %s", path->c_str(), error_text(errno).c_str()));
  }
  if (S_ISLNK(info.st_mode)) {
    char* real = realpath(path->c_str(), nullptr);
    if (real == nullptr || stat(real, &info) != 0) {
      const int error = errno;
      std::free(real);
      return Status(Code::io, format("cannot write '%s': it is a link that leads nowhere (%s); remove it",
                                     path->c_str(), error_text(error).c_str()));
    }
    *path = real;
    std::free(real);
  }
  if (!S_ISREG(info.st_mode))
    return Status(
        Code::io,
        format("cannot write '%s': it exists and is not a regular file; name another path", path->c_str()));
  *mode = info.st_mode & 07777;
  return Status::ok();
}

// An unnamed file needs /proc to be linked later; without it we take a named temporary.
int open_unnamed(const std::string& folder) {
#ifdef O_TMPFILE
  if (access("/proc/self/fd", X_OK) == 0) return open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
#endif
  (void)folder;
  return -1;
}

void sync_folder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);  // some file systems refuse it; the rename is atomic all the same
  close(fd);
}

Status closed(const std::string& path) {
  return Status(
      Code::bad_argument,
      format("'%s': the file was committed or has failed before; nothing more can be written", path.c_str()));
}

}  // namespace

Status AtomicFile::aim(const std::string& path) {
  if (path.empty()) return Status(Code::bad_argument, "cannot write a file: its path is empty");
  path_ = path;
  return resolve_target(&path_, &mode_);
}

Status AtomicFile::begin() {
  if (mode_ && fchmod(fd_, *mode_) != 0) return fail("cannot keep the permissions", errno);
  buffer_.reserve(kBufferBytes);
  return Status::ok();
}

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  AtomicFile file;
  PITH_RETURN_IF_ERROR(file.aim(path));
  file.fd_ = open_unnamed(folder_of(file.path_));
  for (int attempt = 0; file.fd_ < 0 && attempt < kNameAttempts; ++attempt) {
    const std::string name = temporary_name(file.path_, attempt);
    file.fd_ = open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (file.fd_ >= 0) file.temporary_ = name;
    if (file.fd_ < 0 && errno != EEXIST) break;
  }
  if (file.fd_ < 0)
    return Status(Code::io, format("cannot write '%s': cannot create a temporary file in '%s': %s",
                                   path.c_str(), folder_of(file.path_).c_str(), error_text(errno).c_str()));
  PITH_RETURN_IF_ERROR(file.begin());
  return file;
}

Result<AtomicFile> AtomicFile::create_resumable(const std::string& path) {
  AtomicFile file;
  PITH_RETURN_IF_ERROR(file.aim(path));
  const std::string name = file.path_ + ".partial";
  file.fd_ = open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
  struct stat info {};
  if (file.fd_ < 0 || fstat(file.fd_, &info) != 0 || !S_ISREG(info.st_mode))
    return Status(Code::io, format("cannot write '%s': %s", name.c_str(), error_text(errno).c_str()));
  if (flock(file.fd_, LOCK_EX | LOCK_NB) != 0)
    return Status(Code::bad_argument,
                  format("'%s' is being written by another process: wait for it, or name another output",
                         name.c_str()));
  file.temporary_ = name;
  file.resumable_ = true;
  file.earlier_ = static_cast<uint64_t>(info.st_size);
  PITH_RETURN_IF_ERROR(file.begin());
  return file;
}

bool AtomicFile::skip(uint64_t size) {
  uint64_t end = 0;
  if (fd_ < 0 || !checked_add(size_, size, &end) || end > earlier_ || !flush().is_ok()) return false;
  size_ = flushed_ = end;
  return true;
}

Status AtomicFile::go_back(uint64_t size) {
  if (fd_ < 0 || !resumable_ || size > size_)
    return Status(Code::bad_argument, "AtomicFile::go_back: nothing was written there");
  PITH_RETURN_IF_ERROR(flush());
  size_ = flushed_ = size;
  return Status::ok();
}

Status AtomicFile::restart() {
  if (fd_ < 0) return closed(path_);
  buffer_.clear();
  if (ftruncate(fd_, 0) != 0) return fail("emptying it failed", errno);
  size_ = flushed_ = earlier_ = 0;
  return Status::ok();
}

void AtomicFile::abandon() {
  resumable_ = false;
  discard();
}

Status AtomicFile::sync() {
  if (fd_ < 0) return closed(path_);
  PITH_RETURN_IF_ERROR(flush());
  return fdatasync(fd_) == 0 ? Status::ok() : fail("making it durable failed", errno);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::swap(AtomicFile& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  std::swap(mode_, other.mode_);
  std::swap(fd_, other.fd_);
  std::swap(resumable_, other.resumable_);
  std::swap(earlier_, other.earlier_);
  std::swap(size_, other.size_);
  std::swap(flushed_, other.flushed_);
  std::swap(buffer_, other.buffer_);
}

void AtomicFile::discard() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  if (!temporary_.empty() && !resumable_) unlink(temporary_.c_str());
  temporary_.clear();
  buffer_.clear();
}

Status AtomicFile::fail(const char* what, int error) {
  discard();
  const char* advice = error == ENOSPC || error == EDQUOT ? "; free some space or name another folder" : "";
  return Status(Code::io,
                format("cannot write '%s': %s after %llu bytes: %s%s", path_.c_str(), what,
                       static_cast<unsigned long long>(flushed_), error_text(error).c_str(), advice));
}

// Writes the whole range; -1 with errno on failure.
static int write_fully(int fd, uint64_t offset, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = pwrite(fd, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {
      errno = ENOSPC;
      return -1;
    }
    bytes += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

Status AtomicFile::flush() {
  if (buffer_.empty()) return Status::ok();
  if (write_fully(fd_, flushed_, buffer_.data(), buffer_.size()) != 0) return fail("writing failed", errno);
  flushed_ += buffer_.size();
  buffer_.clear();
  return Status::ok();
}

Status AtomicFile::append(const void* bytes, size_t size) {
  if (fd_ < 0) return closed(path_);
  uint64_t end = 0;
  if (!checked_add(size_, uint64_t{size}, &end) || end > uint64_t(std::numeric_limits<off_t>::max()))
    return fail("the file would be too large", EFBIG);
  const char* from = static_cast<const char*>(bytes);
  if (buffer_.size() + size > kBufferBytes) PITH_RETURN_IF_ERROR(flush());
  if (size > kBufferBytes) {
    if (write_fully(fd_, flushed_, from, size) != 0) return fail("writing failed", errno);
    flushed_ += size;
  } else if (size > 0) {
    buffer_.insert(buffer_.end(), from, from + size);
  }
  size_ = end;
  return Status::ok();
}

Status AtomicFile::pad_to(uint64_t alignment) {
  if (alignment == 0) return Status(Code::bad_argument, "AtomicFile::pad_to: the alignment is 0");
  const uint64_t over = size_ % alignment;
  if (over == 0) return fd_ < 0 ? closed(path_) : Status::ok();
  uint64_t end = 0;
  if (!checked_add(size_, alignment - over, &end)) return fail("the file would be too large", EFBIG);
  return extend_to(end);
}

Status AtomicFile::extend_to(uint64_t new_size) {
  if (fd_ < 0) return closed(path_);
  if (new_size < size_)
    return Status(Code::bad_argument,
                  format("AtomicFile::extend_to: %llu is less than the present size %llu",
                         static_cast<unsigned long long>(new_size), static_cast<unsigned long long>(size_)));
  if (new_size > uint64_t(std::numeric_limits<off_t>::max()))
    return fail("the file would be too large", EFBIG);
  PITH_RETURN_IF_ERROR(flush());
  // What an earlier writer left behind this place stays: it may be skipped over.
  if (new_size > earlier_ && ftruncate(fd_, static_cast<off_t>(new_size)) != 0)
    return fail("extending failed", errno);
  size_ = flushed_ = new_size;
  return Status::ok();
}

Status AtomicFile::write_at(uint64_t offset, const void* bytes, size_t size) {
  if (fd_ < 0) return closed(path_);
  if (!in_bounds(offset, size, size_))
    return Status(
        Code::bad_argument,
        format("AtomicFile::write_at: [%llu, +%zu) is outside of the %llu bytes written",
               static_cast<unsigned long long>(offset), size, static_cast<unsigned long long>(size_)));
  PITH_RETURN_IF_ERROR(flush());
  if (write_fully(fd_, offset, static_cast<const char*>(bytes), size) != 0)
    return fail("writing failed", errno);
  return Status::ok();
}

Status AtomicFile::read_at(uint64_t offset, void* bytes, size_t size) {
  if (fd_ < 0) return closed(path_);
  if (!in_bounds(offset, size, size_))
    return Status(
        Code::bad_argument,
        format("AtomicFile::read_at: [%llu, +%zu) is outside of the %llu bytes written",
               static_cast<unsigned long long>(offset), size, static_cast<unsigned long long>(size_)));
  PITH_RETURN_IF_ERROR(flush());
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t n = pread(fd_, to, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail("reading back failed", n < 0 ? errno : EIO);
    to += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return Status::ok();
}

// Gives an unnamed file a temporary name (link cannot replace an existing file), then renames it.
Status AtomicFile::publish() {
  for (int attempt = 0; temporary_.empty() && attempt < kNameAttempts; ++attempt) {
    const std::string name = temporary_name(path_, attempt);
    const std::string from = format("/proc/self/fd/%d", fd_);
    if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
    } else if (errno != EEXIST) {
      return fail("naming the temporary file failed", errno);
    }
  }
  if (temporary_.empty()) return fail("too many temporary files beside it", EEXIST);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return fail("renaming into place failed", errno);
  temporary_.clear();
  return Status::ok();
}

Status AtomicFile::commit() {
  if (fd_ < 0) return closed(path_);
  PITH_RETURN_IF_ERROR(flush());
  if (resumable_ && ftruncate(fd_, static_cast<off_t>(size_)) != 0)
    return fail("cutting it to size failed", errno);
  if (fsync(fd_) != 0) return fail("making it durable failed", errno);
  PITH_RETURN_IF_ERROR(publish());
  sync_folder(folder_of(path_));
  discard();
  return Status::ok();
}

Status write_file_atomically(const std::string& path, const void* bytes, size_t size) {
  PITH_ASSIGN(AtomicFile file, AtomicFile::create(path));
  PITH_RETURN_IF_ERROR(file.append(bytes, size));
  return file.commit();
}

}  // namespace pith::data
