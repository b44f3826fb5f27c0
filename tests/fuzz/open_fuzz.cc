// Fuzz target: any bytes as a .pith file. Twice: as they are, and with every checksum made right, so that what lies behind
// the integrity checks is reached too. What opens is planned and run within a small memory limit, on both backends.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "runtime/base/checked.h"
#include "runtime/exec/session.h"
#include "tests/support/file_maker.h"

using namespace pith;

namespace {

constexpr size_t kMaxInput = size_t{1} << 20;
constexpr uint64_t kArenaLimit = 64 << 10;  // also bounds the work: at most 2^14 by 2^14 products

void seal(uint8_t* bytes, size_t size) {
  file::FileHeader h;
  if (size < sizeof h) return;
  std::memcpy(&h, bytes, sizeof h);
  h.file_bytes = size;
  const uint64_t table_bytes = uint64_t{h.segment_count} * sizeof(file::SegmentEntry);
  if (h.segment_count <= file::kMaxSegments && in_bounds(h.segment_table_offset, table_bytes, size)) {
    for (uint32_t i = 0; i < h.segment_count; ++i) {
      uint8_t* at = bytes + h.segment_table_offset + i * sizeof(file::SegmentEntry);
      file::SegmentEntry s;
      std::memcpy(&s, at, sizeof s);
      if (in_bounds(s.offset, s.bytes, size)) s.content_hash = hash64(bytes + s.offset, s.bytes);
      std::memcpy(at, &s, sizeof s);
    }
    h.segment_table_hash = hash64(bytes + h.segment_table_offset, table_bytes);
  }
  if (in_bounds(h.program_offset, h.program_bytes, size))
    h.program_hash = hash64(bytes + h.program_offset, h.program_bytes);
  test::seal_header(&h);
  std::memcpy(bytes, &h, sizeof h);
}

void run_session(const std::shared_ptr<const Model>& model, BackendChoice backend) {
  SessionOptions options;
  options.backend = backend;
  options.max_arena_bytes = kArenaLimit;
  auto created = Session::create(model, options);
  if (!created.is_ok()) return;
  Session& session = *created.value();
  for (size_t i = 0; i < session.input_count(); ++i) {
    Shape shape = session.input(i).shape.has_rank() ? session.input(i).shape : Shape{2};
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] < 0) shape[d] = 1 + d % 2;
    if (!session.set_input_shape(i, shape).is_ok()) return;
  }
  if (!session.prepare().is_ok()) return;
  for (int pass = 0; pass < 2;
       ++pass) {  // the second time with other values: plans that hang on them are made again
    for (size_t i = 0; i < session.input_count(); ++i)
      if (session.input(i).data != nullptr && session.input(i).byte_size() > 0)
        std::memset(session.input(i).data, pass, session.input(i).byte_size());
    if (!session.run().is_ok()) return;
  }
}

void open_and_run(const uint8_t* bytes, size_t size) {
  const auto model = Model::from_memory({bytes, size});
  if (!model.is_ok()) {
    if (model.status().message().empty()) std::abort();  // a refusal says why
    return;
  }
  run_session(model.value(), BackendChoice::automatic);
  run_session(model.value(), BackendChoice::reference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxInput) return 0;
  const size_t rounded = (size + 127) / 128 * 128 + 128;
  const std::unique_ptr<uint8_t, void (*)(void*)> copy(
      static_cast<uint8_t*>(std::aligned_alloc(128, rounded)), std::free);
  std::memset(copy.get(), 0, rounded);
  if (size > 0) std::memcpy(copy.get(), data, size);
  open_and_run(copy.get(), size);
  seal(copy.get(), size);
  open_and_run(copy.get(), size);
  return 0;
}
