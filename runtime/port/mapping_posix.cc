// Mapping by mmap(2).
#if !defined(_FILE_OFFSET_BITS)
// NOLINTNEXTLINE(readability-identifier-naming)
#define _FILE_OFFSET_BITS 64  // sizes of files above 2 GiB on 32-bit machines, to refuse them by their size
#endif
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/port/mapping.h"

namespace pith {

Result<std::unique_ptr<Mapping>> Mapping::open(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Status(Code::io, format("cannot open '%s': %s", path, std::strerror(errno)));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Status(Code::io, format("cannot read '%s': not a regular file", path));
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size == 0 || size > SIZE_MAX) {
    ::close(fd);
    if (size == 0) return Status(Code::bad_file, format("'%s' is empty", path));
    return Status(Code::unsupported,
                  format("'%s' has %llu bytes; this machine has 32-bit addresses and maps less than "
                         "4 GiB: run it on a 64-bit system",
                         path, static_cast<unsigned long long>(size)));
  }
  void* data = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, fd, 0);
  const int error = errno;
  ::close(fd);  // the mapping keeps the file
  if (data == MAP_FAILED) return Status(Code::io, format("cannot map '%s': %s", path, std::strerror(error)));
  std::unique_ptr<Mapping> mapping(new Mapping);
  mapping->data_ = static_cast<const uint8_t*>(data);
  mapping->size_ = size;
  return mapping;
}

void drop_pages(const void* data, size_t size) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(data) + size) / page * page;
  if (begin < end)
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // only advice
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), static_cast<size_t>(size_));
}

}  // namespace pith
