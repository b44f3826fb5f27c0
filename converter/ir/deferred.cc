// Transposes by tiles that fit the first cache; everything else is bookkeeping.
#include "converter/ir/deferred.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/base/hash.h"
#include "runtime/port/mapping.h"
#include "runtime/threads/parallel.h"

namespace pith::ir {
namespace {

constexpr size_t kTile = 32;

template <class T>
void transpose(const uint8_t* from, size_t rows, size_t columns, uint8_t* to, ThreadPool* pool) {
  const auto* x = reinterpret_cast<const T*>(from);
  auto* y = reinterpret_cast<T*>(to);
  parallel_for(pool, (columns + kTile - 1) / kTile, 1, [&](Range tiles) {
    const size_t last = std::min(columns, tiles.end * kTile);
    for (size_t r0 = 0; r0 < rows; r0 += kTile)
      for (size_t c0 = tiles.begin * kTile; c0 < last; c0 += kTile)
        for (size_t c = c0; c < std::min(last, c0 + kTile); ++c)
          for (size_t r = r0; r < std::min(rows, r0 + kTile); ++r) y[c * rows + r] = x[r * columns + c];
  });
}

// Bytes to read, made first where they are deferred themselves.
Result<Bytes> present(const Bytes& bytes, ThreadPool* pool) {
  if (bytes.data != nullptr || bytes.size == 0) return bytes;
  uint8_t* to = nullptr;
  Bytes made = new_bytes(bytes.size, &to);
  PITH_RETURN_IF_ERROR(bytes.deferred->make(to, pool, nullptr));
  return made;
}

}  // namespace

const uint8_t* Bytes::get() const {
  return data != nullptr || deferred == nullptr ? data : deferred->held(size);
}

const uint8_t* Deferred::held(size_t size) const {
  if (held_.data != nullptr) return held_.data;
  uint8_t* to = nullptr;
  held_ = new_bytes(size, &to);
  if (const Status made = make(to, nullptr, nullptr); !made.is_ok()) {
    std::fprintf(stderr, "pith: internal error: deferred bytes were read: %s\n", made.message().c_str());
    std::abort();
  }
  return held_.data;
}

Bytes deferred_bytes(size_t size, Deferred deferred) {
  Bytes bytes;
  bytes.size = size;
  bytes.deferred = std::make_shared<const Deferred>(std::move(deferred));
  return bytes;
}

Bytes deferred_transpose(const Bytes& bytes, size_t rows, size_t columns, size_t element_bytes) {
  Deferred d;
  d.sources = {bytes};
  d.recipe = format("transpose %zu %zu %zu", rows, columns, element_bytes);
  d.make = [=](uint8_t* to, ThreadPool* pool, MadeNotes*) -> Status {
    PITH_ASSIGN(const Bytes from, present(bytes, pool));
    const auto run = element_bytes == 1   ? transpose<uint8_t>
                     : element_bytes == 2 ? transpose<uint16_t>
                     : element_bytes == 4 ? transpose<uint32_t>
                                          : transpose<uint64_t>;
    run(from.data, rows, columns, to, pool);
    drop_sources(from);
    return Status::ok();
  };
  return deferred_bytes(bytes.size, std::move(d));
}

Bytes deferred_copy(const Bytes& bytes) {
  Deferred d;
  d.sources = {bytes};
  d.recipe = "copy";
  d.make = [bytes](uint8_t* to, ThreadPool*, MadeNotes*) -> Status {
    std::memcpy(to, bytes.data, bytes.size);
    drop_sources(bytes);
    return Status::ok();
  };
  return deferred_bytes(bytes.size, std::move(d));
}

void drop_sources(const Bytes& bytes) {
  if (bytes.mapped) drop_pages(bytes.data, bytes.size);
  if (bytes.deferred == nullptr) return;
  for (const Bytes& source : bytes.deferred->sources) drop_sources(source);
}

uint64_t source_hash(const Bytes& bytes) {
  if (bytes.deferred == nullptr) {
    constexpr size_t kPiece = size_t{16} << 20;  // resident at once
    Hash64 hash;
    for (size_t at = 0; at < bytes.size; at += kPiece) {
      const size_t n = std::min(kPiece, bytes.size - at);
      hash.update(bytes.data + at, n);
      if (bytes.mapped && bytes.size > kPiece) drop_pages(bytes.data + at, n);
    }
    return hash.digest();
  }
  Hash64 hash;
  hash.update(bytes.deferred->recipe.data(), bytes.deferred->recipe.size());
  for (const Bytes& source : bytes.deferred->sources) {
    const uint64_t part = source_hash(source);
    hash.update(&part, sizeof part);
  }
  return hash.digest();
}

}  // namespace pith::ir
