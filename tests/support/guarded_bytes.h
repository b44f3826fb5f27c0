// Memory that ends right before a page nobody may touch, with another one before it: one byte read or written too far
// ends the test.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace pith::test {

class GuardedBytes {
 public:
  // The end is aligned to `alignment` from above: size is rounded up to it, so use sizes that are multiples.
  explicit GuardedBytes(size_t size, size_t alignment = 1)
      : size_((size + alignment - 1) / alignment * alignment) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    inside_ = (size_ + page - 1) / page * page;
    total_ = inside_ + 2 * page;
    all_ = static_cast<uint8_t*>(
        mmap(nullptr, total_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (all_ == MAP_FAILED || mprotect(all_, page, PROT_NONE) != 0) std::abort();
    end_ = all_ + page + inside_;
    if (mprotect(end_, page, PROT_NONE) != 0) std::abort();
  }
  ~GuardedBytes() { munmap(all_, total_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  uint8_t* data() const { return end_ - size_; }
  size_t size() const { return size_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(static_cast<void*>(data()));
  }

 private:
  uint8_t *all_ = nullptr, *end_ = nullptr;
  size_t size_ = 0, inside_ = 0, total_ = 0;
};

}  // namespace pith::test
