// Model: a verified, immutable view of a .pith file. Shared by threads and sessions; weights are read in
// place.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pith/schema/program_generated.h"
#include "runtime/base/status.h"
#include "runtime/model/file_format.h"
#include "runtime/ops/op.h"
#include "runtime/port/mapping.h"

namespace pith {

enum class HashCheck {
  automatic,
  always,
  never
};  // automatic: when the segments are at most kEagerHashBytes together
inline constexpr uint64_t kEagerHashBytes = uint64_t{64} << 20;

struct OpenOptions {
  HashCheck hashes = HashCheck::automatic;
};

class Model {
 public:
  static Result<std::shared_ptr<const Model>> open(const char* path, const OpenOptions& options = {});
  // bytes: 128-byte aligned, unchanged while the model lives.
  static Result<std::shared_ptr<const Model>> from_memory(std::span<const uint8_t> bytes,
                                                          const OpenOptions& options = {});

  const schema::Program& program() const { return *program_; }
  std::span<const uint8_t> bytes() const { return bytes_; }
  const file::FileHeader& header()
      const {  // through void: the start of the file is aligned, a byte pointer's type is not
    return *static_cast<const file::FileHeader*>(static_cast<const void*>(bytes_.data()));
  }
  std::span<const file::SegmentEntry> segments() const { return segments_; }
  // Tensors as the file declares them: dims may be unknown, constants have their data.
  std::span<const TensorView> tensors() const { return tensors_; }
  const schema::EntryPoint& entry(size_t i) const {
    return *program_->entry_points()->Get(static_cast<uint32_t>(i));
  }

 private:
  Status verify(const OpenOptions& options);
  Status verify_container(const OpenOptions& options);
  Status read_tensors();

  std::unique_ptr<Mapping> mapping_;  // null for from_memory
  std::span<const uint8_t> bytes_;
  std::span<const file::SegmentEntry> segments_;
  const schema::Program* program_ = nullptr;
  std::vector<TensorView> tensors_;
};

// The semantic pass over the program: indices, order of definition and use, blocks, entry points
// (verify_program.cc).
Status verify_program(const schema::Program& program, std::span<const TensorView> tensors);

}  // namespace pith
