// Lays out the bytes of a .pith file by hand, apart from the converter's writer: what a test forges, golden or hostile.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "pith/schema/program_generated.h"
#include "runtime/base/hash.h"
#include "runtime/model/file_format.h"

namespace pith::test {

inline void seal_header(file::FileHeader* header) {
  header->header_crc = crc32c(header, sizeof *header - sizeof header->header_crc);
}

// Everything of a file up to its one weight segment.
struct FileHead {
  file::FileHeader header{};
  file::SegmentEntry segment{};
  std::vector<uint8_t> bytes;  // header, segment table, program

  // The segment will have `segment_bytes` bytes with hash `content_hash`.
  FileHead(const schema::ProgramT& program, uint64_t segment_bytes, uint64_t content_hash) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(schema::Program::Pack(builder, &program), schema::ProgramIdentifier());
    segment.bytes = segment.logical_bytes = segment_bytes;
    segment.kind = file::SegmentKind::weights;
    segment.alignment_log2 = 16;
    segment.content_hash = content_hash;
    std::memcpy(header.magic, file::kMagic, sizeof header.magic);
    header.major = file::kMajor;
    header.minor = file::kMinor;
    header.header_bytes = sizeof header;
    header.segment_table_offset = sizeof header;
    header.segment_count = 1;
    header.segment_entry_bytes = sizeof segment;
    header.program_offset = sizeof header + sizeof segment;
    header.program_bytes = builder.GetSize();
    header.program_hash = hash64(builder.GetBufferPointer(), builder.GetSize());
    const uint64_t end = header.program_offset + header.program_bytes;
    segment.offset = (end + file::kPageAlignment - 1) / file::kPageAlignment * file::kPageAlignment;
    header.file_bytes = segment.offset + segment.bytes;
    header.segment_table_hash = hash64(&segment, sizeof segment);
    seal_header(&header);
    append(&header, sizeof header);
    append(&segment, sizeof segment);
    append(builder.GetBufferPointer(), builder.GetSize());
  }

 private:
  void append(const void* from, size_t size) {
    const size_t at = bytes.size();
    bytes.resize(at + size);
    std::memcpy(bytes.data() + at, from, size);
  }
};

}  // namespace pith::test
