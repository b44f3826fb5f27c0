// Emission in two steps: plan (program_builder.h), then write front to back.
#include "converter/emit/emit.h"

#include <cstring>

#include "converter/data/atomic_file.h"
#include "converter/emit/journal.h"
#include "converter/emit/program_builder.h"
#include "runtime/base/hash.h"
#include "runtime/port/mapping.h"

namespace pith {
namespace {

using file::FileHeader;
using file::SegmentEntry;

constexpr size_t kPiece = size_t{16} << 20;  // of mapped bytes in memory at once

// Where the bytes go: a file or memory.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status append(const void* bytes, uint64_t size) = 0;
  virtual Status extend_to(uint64_t size) = 0;
  virtual Status write_at(uint64_t offset, const void* bytes, uint64_t size) = 0;
  // One constant that is not made yet; what is written goes into the hash.
  virtual Status append_deferred(const PlacedConstant& c, Hash64& hash) = 0;
};

Result<ir::Bytes> made(const ir::Bytes& wanted, ThreadPool* pool, ir::MadeNotes* notes) {
  uint8_t* to = nullptr;
  ir::Bytes bytes = ir::new_bytes(wanted.size, &to);
  PITH_RETURN_IF_ERROR(wanted.deferred->make(to, pool, notes));
  ir::drop_sources(wanted);
  return bytes;
}

Status named(Status status, const ir::Value& v) {
  return std::move(status).with_context("tensor '" + v.name + "': ");
}

Status append_plain(const ir::Bytes& bytes, Sink& sink, Hash64& hash) {
  for (size_t at = 0; at < bytes.size; at += kPiece) {
    const size_t n = std::min(kPiece, bytes.size - at);
    hash.update(bytes.data + at, n);
    PITH_RETURN_IF_ERROR(sink.append(bytes.data + at, n));
    if (bytes.mapped) drop_pages(bytes.data + at, n);
  }
  return Status::ok();
}

// The weight segment, hashed as it is written: gaps between tensors and the tail are zero.
Status write_segment(const ProgramBuilder& program, const SegmentEntry& segment, Sink& sink,
                     uint64_t* content_hash) {
  static constexpr uint8_t kZeros[file::kTensorAlignment + file::kSegmentTail] = {};
  Hash64 hash;
  uint64_t at = 0;
  auto fill_to = [&](uint64_t offset) {
    for (; at < offset; at += std::min<uint64_t>(offset - at, sizeof kZeros))
      hash.update(kZeros, static_cast<size_t>(std::min<uint64_t>(offset - at, sizeof kZeros)));
    return sink.extend_to(segment.offset + offset);
  };
  for (const PlacedConstant& c : program.constants()) {
    const ir::Bytes& bytes = *c.value->constant;
    PITH_RETURN_IF_ERROR(fill_to(c.offset));
    PITH_RETURN_IF_ERROR(bytes.deferred == nullptr ? append_plain(bytes, sink, hash)
                                                   : sink.append_deferred(c, hash));
    at += bytes.size;
  }
  PITH_RETURN_IF_ERROR(fill_to(segment.bytes));
  *content_hash = hash.digest();
  return Status::ok();
}

Status write_all(const ProgramBuilder& program, FileLayout f, Sink& sink) {
  const FileHeader blank{};
  PITH_RETURN_IF_ERROR(sink.append(&blank, sizeof blank));
  PITH_RETURN_IF_ERROR(sink.extend_to(f.header.program_offset));
  PITH_RETURN_IF_ERROR(sink.append(program.bytes().first, f.header.program_bytes));
  if (f.header.segment_count > 0) {
    PITH_RETURN_IF_ERROR(sink.extend_to(f.segment.offset));
    PITH_RETURN_IF_ERROR(write_segment(program, f.segment, sink, &f.segment.content_hash));
    PITH_RETURN_IF_ERROR(sink.write_at(f.header.segment_table_offset, &f.segment, sizeof f.segment));
  }
  f.header.segment_table_hash = hash64(&f.segment, f.header.segment_count * sizeof(SegmentEntry));
  f.header.header_crc = crc32c(&f.header, sizeof f.header - sizeof f.header.header_crc);
  return sink.write_at(0, &f.header, sizeof f.header);
}

class MemorySink : public Sink {
 public:
  MemorySink(uint64_t size, ThreadPool* pool)
      : bytes(ir::new_bytes(static_cast<size_t>(size), &p_)), pool_(pool) {}
  Status append(const void* from, uint64_t size) override {
    if (size > 0) std::memcpy(p_ + at_, from, static_cast<size_t>(size));
    at_ += size;
    return Status::ok();
  }
  Status extend_to(uint64_t size) override {
    at_ = size;
    return Status::ok();
  }
  Status write_at(uint64_t offset, const void* from, uint64_t size) override {
    std::memcpy(p_ + offset, from, static_cast<size_t>(size));
    return Status::ok();
  }
  Status append_deferred(const PlacedConstant& c, Hash64& hash) override {
    const ir::Bytes& wanted = *c.value->constant;
    if (Status s = wanted.deferred->make(p_ + at_, pool_, nullptr); !s.is_ok())
      return named(std::move(s), *c.value);
    ir::drop_sources(wanted);
    hash.update(p_ + at_, wanted.size);
    at_ += wanted.size;
    return Status::ok();
  }

 private:
  uint8_t* p_ = nullptr;  // before `bytes`, whose making sets it
  uint64_t at_ = 0;

 public:
  ir::Bytes bytes;

 private:
  ThreadPool* pool_;
};

class FileSink : public Sink {
 public:
  explicit FileSink(data::AtomicFile out) : out_(std::move(out)) {}
  Status append(const void* from, uint64_t size) override {
    return out_.append(from, static_cast<size_t>(size));
  }
  Status extend_to(uint64_t size) override { return out_.extend_to(size); }
  Status write_at(uint64_t offset, const void* from, uint64_t size) override {
    return out_.write_at(offset, from, static_cast<size_t>(size));
  }
  Status append_deferred(const PlacedConstant& c, Hash64&) override {
    return named(Status(Code::internal, "is not made, and this file is not written by tensors"), *c.value);
  }
  data::AtomicFile& file() { return out_; }

 private:
  data::AtomicFile out_;
};

// Deferred constants are made, written and journalled one by one; those of an earlier run are checked and gone over.
class ResumableSink : public FileSink {
 public:
  ResumableSink(data::AtomicFile out, Journal journal, size_t total, const EmitOptions& options,
                EmitReport* report)
      : FileSink(std::move(out)),
        journal_(std::move(journal)),
        total_(total),
        options_(options),
        report_(*report) {}
  Journal& journal() { return journal_; }

  Status append_deferred(const PlacedConstant& c, Hash64& hash) override {
    JournalRecord r{};
    r.offset = c.offset;
    r.bytes = c.value->constant->size;
    r.source_hash = ir::source_hash(*c.value->constant);
    bool done = false;
    if (next_ < journal_.records().size()) {
      PITH_RETURN_IF_ERROR(go_over(*c.value, &r, hash, &done));
    }
    if (!done) PITH_RETURN_IF_ERROR(make(*c.value, r, hash));
    report_.made.push_back({c.value, {journal_.records()[next_].signal, journal_.records()[next_].noise}});
    ++next_;
    if (options_.progress) options_.progress(static_cast<int64_t>(next_), static_cast<int64_t>(total_));
    return Status::ok();
  }

 private:
  // Sets *done when the earlier run's bytes are there and are what would be made now.
  Status go_over(const ir::Value& v, JournalRecord* r, Hash64& hash, bool* done) {
    const JournalRecord& old = journal_.records()[next_];
    const uint64_t begin = file().size();
    if (old.offset == r->offset && old.bytes == r->bytes && old.source_hash == r->source_hash &&
        file().skip(r->bytes)) {
      Hash64 content, all = hash;
      std::vector<uint8_t> piece(std::min<size_t>(kPiece, static_cast<size_t>(r->bytes)));
      for (uint64_t at = 0; at < r->bytes; at += piece.size()) {
        const auto n = static_cast<size_t>(std::min<uint64_t>(piece.size(), r->bytes - at));
        PITH_RETURN_IF_ERROR(file().read_at(begin + at, piece.data(), n));
        content.update(piece.data(), n);
        all.update(piece.data(), n);
      }
      *done = content.digest() == old.content_hash;
      if (*done) {
        hash = all;
        ++report_.resumed;
        return Status::ok();
      }
      PITH_RETURN_IF_ERROR(file().go_back(begin));
    }
    report_.notes.push_back("the journal of an earlier run does not fit from tensor '" + v.name +
                            "' on: made again from there");
    return journal_.cut(next_);
  }

  Status make(const ir::Value& v, JournalRecord r, Hash64& hash) {
    ir::MadeNotes notes;
    Result<ir::Bytes> bytes = made(*v.constant, options_.pool, &notes);
    if (!bytes.is_ok()) return named(bytes.status(), v);
    const ir::Bytes& b = bytes.value();
    hash.update(b.data, b.size);
    r.content_hash = hash64(b.data, b.size);
    r.signal = notes.signal, r.noise = notes.noise;
    PITH_RETURN_IF_ERROR(append(b.data, b.size));
    PITH_RETURN_IF_ERROR(file().sync());
    return journal_.add(r);
  }

  Journal journal_;
  size_t total_, next_ = 0;
  const EmitOptions& options_;
  EmitReport& report_;
};

// Changes when conversions of an earlier build may give other bytes for the same program.
constexpr uint64_t kMakingVersion = 1;

Status emit_resumable(const ProgramBuilder& program, const EmitOptions& options, const std::string& path,
                      EmitReport* report) {
  PITH_ASSIGN(data::AtomicFile out, data::AtomicFile::create_resumable(path));
  std::string note;
  const uint64_t plan[] = {program.content_hash(), kMakingVersion};
  PITH_ASSIGN(Journal journal, Journal::open(out.path() + ".journal", hash64(plan, sizeof plan), &note));
  if (!note.empty()) report->notes.push_back(note);
  if (journal.records().empty()) PITH_RETURN_IF_ERROR(out.restart());
  const size_t found = journal.records().size();
  ResumableSink sink(std::move(out), std::move(journal), program.deferred(), options, report);
  const Status written = write_all(program, plan_file(program), sink);
  if (!written.is_ok()) {
    if (written.code() == Code::io) return written;  // a full disk: what is done stays for the next run
    sink.file().abandon();
    sink.journal().remove();
    return written;
  }
  PITH_RETURN_IF_ERROR(sink.file().commit());
  sink.journal().remove();
  if (found > 0)
    report->notes.push_back(
        format("resumed an earlier run: %zu of %zu tensors were done", report->resumed, program.deferred()));
  return Status::ok();
}

}  // namespace

Status emit_file(const ir::Graph& graph, const EmitOptions& options, const std::string& path,
                 EmitReport* report) {
  EmitReport unused;
  ProgramBuilder program(graph);
  PITH_RETURN_IF_ERROR(program.build(options));
  if (program.deferred() > 0)
    return emit_resumable(program, options, path, report == nullptr ? &unused : report);
  PITH_ASSIGN(data::AtomicFile out, data::AtomicFile::create(path));
  FileSink sink(std::move(out));
  PITH_RETURN_IF_ERROR(write_all(program, plan_file(program), sink));
  return sink.file().commit();
}

Result<ir::Bytes> emit_memory(const ir::Graph& graph, const EmitOptions& options) {
  ProgramBuilder program(graph);
  PITH_RETURN_IF_ERROR(program.build(options));
  const FileLayout layout = plan_file(program);
  MemorySink sink(layout.header.file_bytes, options.pool);
  PITH_RETURN_IF_ERROR(write_all(program, layout, sink));
  return sink.bytes;
}

}  // namespace pith
