// Memory that ends (or begins) right at a page nobody may touch: a kernel that reads or writes too far faults.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace pith::test {

class Guarded {
 public:
  // The last byte lies at a guard page; `alignment` of the first byte holds only for multiples of it.
  explicit Guarded(size_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    body_ = (bytes + page - 1) / page * page;
    size_ = body_ + 2 * page;
    void* all = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) std::abort();
    base_ = static_cast<uint8_t*>(all);
    if (mprotect(base_, page, PROT_NONE) != 0 || mprotect(base_ + page + body_, page, PROT_NONE) != 0)
      std::abort();
    data_ = base_ + page + body_ - bytes;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, size_); }
  void* data() const { return data_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data());
  }

 private:
  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t body_ = 0, size_ = 0;
};

}  // namespace pith::test
