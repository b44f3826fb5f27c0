// Journal on POSIX.
#include "converter/emit/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "runtime/base/hash.h"

namespace pith {
namespace {

struct Head {
  char magic[8];
  uint64_t plan_hash;
};
constexpr char kMagic[8] = {'P', 'I', 'T', 'H', 'J', 'R', 'N', '1'};
constexpr uint64_t kMaxRecords = uint64_t{1} << 20;

uint32_t crc_of(const JournalRecord& r) { return crc32c(&r, sizeof r - sizeof r.crc); }

bool read_fully(int fd, uint64_t offset, void* bytes, size_t size) {
  return pread(fd, bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

Status io_error(const std::string& path, const char* what) {
  return Status(Code::io, format("journal '%s': %s: %s", path.c_str(), what,
                                 std::generic_category().message(errno).c_str()));
}

std::vector<JournalRecord> read_records(int fd) {
  std::vector<JournalRecord> records;
  JournalRecord r;
  while (records.size() < kMaxRecords &&
         read_fully(fd, sizeof(Head) + records.size() * sizeof r, &r, sizeof r)) {
    if (r.crc != crc_of(r) || r.index != records.size()) break;  // cut short by the kill
    records.push_back(r);
  }
  return records;
}

}  // namespace

void Journal::swap(Journal& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(records_, other.records_);
}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

Result<Journal> Journal::open(const std::string& path, uint64_t plan_hash, std::string* note) {
  Journal journal;
  journal.path_ = path;
  journal.fd_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
  struct stat info {};
  if (journal.fd_ < 0 || fstat(journal.fd_, &info) != 0) return io_error(path, "cannot open it");
  if (!S_ISREG(info.st_mode)) return Status(Code::io, "'" + path + "' is not a regular file; remove it");
  Head head{};
  const bool whole = read_fully(journal.fd_, 0, &head, sizeof head);
  const bool ours = whole && std::memcmp(head.magic, kMagic, sizeof kMagic) == 0;
  if (ours && head.plan_hash == plan_hash) {
    journal.records_ = read_records(journal.fd_);
    PITH_RETURN_IF_ERROR(journal.cut(journal.records_.size()));
    return journal;
  }
  if (info.st_size > 0)
    *note = "'" + path + "' is of a conversion with another source or other options: starting afresh";
  if (ftruncate(journal.fd_, 0) != 0) return io_error(path, "emptying it failed");
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  head.plan_hash = plan_hash;
  PITH_RETURN_IF_ERROR(journal.write(0, &head, sizeof head));
  return journal;
}

Status Journal::write(uint64_t offset, const void* bytes, size_t size) {
  if (pwrite(fd_, bytes, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size) ||
      fdatasync(fd_) != 0)
    return io_error(path_, "writing failed");
  return Status::ok();
}

Status Journal::cut(size_t first) {
  records_.resize(first);
  const auto size = static_cast<off_t>(sizeof(Head) + first * sizeof(JournalRecord));
  return ftruncate(fd_, size) == 0 ? Status::ok() : io_error(path_, "cutting it failed");
}

Status Journal::add(JournalRecord record) {
  record.index = records_.size();
  record.reserved = 0;
  record.crc = crc_of(record);
  PITH_RETURN_IF_ERROR(write(sizeof(Head) + records_.size() * sizeof record, &record, sizeof record));
  records_.push_back(record);
  return Status::ok();
}

void Journal::remove() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  unlink(path_.c_str());
}

}  // namespace pith
