// A read-only view of a whole file: mapped by the operating system, never copied.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/base/status.h"

namespace pith {

class Mapping {
 public:
  static Result<std::unique_ptr<Mapping>> open(const char* path);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  const uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  Mapping() = default;
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

// Lets go of the whole pages inside a mapped range: they no longer count as this process's memory, and come back from the
// file when they are read.
void drop_pages(const void* data, size_t size);

}  // namespace pith
