// AtomicFile: writes a file so that the wanted path either keeps its old content or has all of the new one.
//   PITH_ASSIGN(AtomicFile out, AtomicFile::create("model.pith"));
//   PITH_RETURN_IF_ERROR(out.append(bytes, size));
//   PITH_RETURN_IF_ERROR(out.pad_to(65536));            // a hole: reads as zeros, costs no disk
//   PITH_RETURN_IF_ERROR(out.write_at(0, header, 256));  // patch what was written before
//   PITH_RETURN_IF_ERROR(out.commit());                  // fsync, then rename over the path
// Without commit() nothing appears under the path and the temporary is gone. Where the file system has
// unnamed files (O_TMPFILE) even a killed process leaves nothing behind.
//
// A resumable one is written as PATH.partial, which outlives its writer: the next one goes over what is there with skip().
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith::data {

class AtomicFile {
 public:
  // `path` may name an existing regular file (replaced on commit, its permissions kept) or a link to one.
  // Anything else that exists there (folder, device, pipe) is refused.
  static Result<AtomicFile> create(const std::string& path);

  // What PATH.partial holds is kept. bad_argument when another process is writing it.
  static Result<AtomicFile> create_resumable(const std::string& path);

  AtomicFile() = default;
  AtomicFile(AtomicFile&& other) noexcept { swap(other); }
  AtomicFile& operator=(AtomicFile&& other) noexcept {
    swap(other);
    return *this;
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  Status append(const void* bytes, size_t size);
  // Grows the file with zeros to the next multiple of `alignment` (>= 1), or to exactly `new_size` (>=
  // size()).
  Status pad_to(uint64_t alignment);
  Status extend_to(uint64_t new_size);
  // Overwrites, or reads back, bytes inside [0, size()).
  Status write_at(uint64_t offset, const void* bytes, size_t size);
  Status read_at(uint64_t offset, void* bytes, size_t size);
  // Resumable: leaves the next `size` bytes as an earlier writer made them; false when it did not get so far.
  bool skip(uint64_t size);
  // Resumable: the next byte is written at `size`, which is at most size().
  Status go_back(uint64_t size);
  // Resumable: forgets all content, or the file altogether.
  Status restart();
  void abandon();
  // Makes what was written so far durable.
  Status sync();
  // Makes the content durable and visible under the path; after it, or after any error, the object is closed.
  Status commit();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  Status aim(const std::string& path);  // where to, and the mode of what is there
  Status begin();                       // fd_ is open
  void swap(AtomicFile& other) noexcept;
  void discard();
  Status flush();
  Status fail(const char* what, int error);
  Status publish();

  std::string path_;            // where the content goes, links resolved
  std::string temporary_;       // name of the temporary; empty while it is unnamed
  std::optional<mode_t> mode_;  // of the file that is replaced
  int fd_ = -1;
  bool resumable_ = false;
  uint64_t earlier_ = 0;      // resumable: bytes an earlier writer left
  uint64_t size_ = 0;         // logical size, buffer included
  uint64_t flushed_ = 0;      // bytes of size_ that are in the file (holes included)
  std::vector<char> buffer_;  // joins small appends into one write
};

// Writes all of `bytes` to `path` atomically.
Status write_file_atomically(const std::string& path, const void* bytes, size_t size);

}  // namespace pith::data
