// Bytes of a constant that are made when somebody needs them, and again each time: what keeps models larger than memory
// out of it. The same bytes each time, whatever the threads.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {
class ThreadPool;
}

namespace pith::ir {

// What making them showed: of quantized weights the sums of squares of the weights and of their errors.
struct MadeNotes {
  double signal = 0, noise = 0;
};

struct Deferred {
  // Writes all bytes of the constant to zeroed memory. `pool` may be null, and so may `notes`.
  std::function<Status(uint8_t* to, ThreadPool* pool, MadeNotes* notes)> make;
  // What they are made from: equal sources and recipe give equal bytes. Mapped sources may be dropped from memory afterwards.
  std::vector<Bytes> sources;
  std::string recipe;

  // Bytes::get(): made once, kept with this. Ends the program when making fails: only for recipes that cannot.
  const uint8_t* held(size_t size) const;

 private:
  mutable Bytes held_;
};

Bytes deferred_bytes(size_t size, Deferred deferred);

// The rows of `bytes` [rows, columns] become columns, elements of 1, 2, 4 or 8 bytes.
Bytes deferred_transpose(const Bytes& bytes, size_t rows, size_t columns, size_t element_bytes);

// For views that are not aligned.
Bytes deferred_copy(const Bytes& bytes);

// Gives the pages of mapped sources back to the operating system; they are read again when needed.
void drop_sources(const Bytes& bytes);
// Hash of the source bytes (of plain ones: of themselves) and the recipe.
uint64_t source_hash(const Bytes& bytes);

}  // namespace pith::ir
