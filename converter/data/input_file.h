// InputFile: a regular file opened for reading at any place; safe to read from several threads at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith::data {

class InputFile {
 public:
  // Refuses folders, pipes and devices (a pipe would wait for ever).
  static Result<InputFile> open(const std::string& path);

  InputFile() = default;
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  // Fills `out` from `offset`; a range outside of the file, or a file that shrank meanwhile, is an error.
  Status read_at(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// The whole file, at most `limit` bytes: larger ones are refused before anything is allocated.
Result<std::vector<std::byte>> read_whole_file(const std::string& path, uint64_t limit);
// The same as text.
Result<std::string> read_text_file(const std::string& path, uint64_t limit);

}  // namespace pith::data
