// The journal of a file that is written tensor by tensor: what is finished survives a kill. Binary, appended to and made
// durable record by record; a record that was cut short is none.
//   0   "PITHJRN1"   8   plan hash: a journal of another program, source or build is not used
//   16  records of 64 bytes, in the order of the file
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith {

struct JournalRecord {
  uint64_t index, offset, bytes;  // which deferred constant, and where it is in the weight segment
  uint64_t source_hash;           // of what it was made from
  uint64_t content_hash;          // of the bytes that were written
  double signal, noise;           // ir::MadeNotes
  uint32_t reserved;
  uint32_t crc;  // crc32c of the 60 bytes before
};
static_assert(sizeof(JournalRecord) == 64);

class Journal {
 public:
  // Reads what an earlier run left at `path`; a journal that does not fit is emptied, and *note says why.
  static Result<Journal> open(const std::string& path, uint64_t plan_hash, std::string* note);
  Journal() = default;
  Journal(Journal&& other) noexcept { swap(other); }
  Journal& operator=(Journal&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Journal();

  const std::vector<JournalRecord>& records() const { return records_; }
  // Forgets the records from `first` on.
  Status cut(size_t first);
  Status add(JournalRecord record);
  void remove();  // the file

 private:
  void swap(Journal& other) noexcept;
  Status write(uint64_t offset, const void* bytes, size_t size);
  std::string path_;
  int fd_ = -1;
  std::vector<JournalRecord> records_;
};

}  // namespace pith
