// The fixed parts of a .pith file: header and segment table. docs/format.md draws them. All integers little
// endian.
//
//   0        FileHeader (256 bytes)
//   256      SegmentEntry[segment_count] (64 bytes each)
//   ...      program FlatBuffer (offset multiple of 64, < 64 MiB)
//   ...      segments, each at a multiple of its alignment; the last 256 bytes of a weight segment are zero
//   gaps between these parts are zero
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pith::file {

inline constexpr uint8_t kMagic[8] = {0x89, 'P',  'I',  'T',
                                      'H',  '\r', '\n', 0x1a};  // text-mode transfer breaks it
inline constexpr uint16_t kMajor = 1;                           // a reader refuses another major
inline constexpr uint16_t kMinor = 0;  // additions only; a reader refuses a newer one

// Required features: a reader refuses a file that sets a bit it does not know.
inline constexpr uint64_t kKnownFeatures = 0;

inline constexpr uint64_t kMaxProgramBytes = uint64_t{64} << 20;
inline constexpr uint32_t kMaxSegments = 4096;
inline constexpr uint64_t kTensorAlignment = 128;  // offset of a tensor in its segment
inline constexpr uint64_t kSegmentTail = 256;      // zero bytes that vector code may over-read
// Segments of kSmallSegment bytes or more start on a page of 4, 16 and 64 KiB; smaller ones on kTensorAlignment, so that
// a model of 30 kB stays a file of 30 kB (docs/decisions/0002).
inline constexpr uint64_t kPageAlignment = 65536;
inline constexpr uint64_t kSmallSegment = uint64_t{1} << 20;

struct FileHeader {
  uint8_t magic[8];
  uint16_t major, minor;
  uint32_t header_bytes;  // 256
  uint64_t required_features;
  uint64_t advisory_features;
  uint64_t file_bytes;
  uint64_t program_offset, program_bytes;
  uint64_t segment_table_offset;
  uint32_t segment_count, segment_entry_bytes;  // 64
  uint64_t program_hash;                        // hash64 of the program bytes
  uint64_t segment_table_hash;                  // hash64 of the table (which holds the hash of every segment)
  uint8_t reserved[164];                        // zero
  uint32_t header_crc;                          // crc32c of the 252 bytes before
};
static_assert(sizeof(FileHeader) == 256);

enum class SegmentKind : uint16_t { weights = 1, tokenizer = 2, labels = 3 };
enum class Codec : uint16_t { raw = 0 };

struct SegmentEntry {
  uint64_t offset, bytes;  // bytes as stored
  uint64_t logical_bytes;  // after decoding; equal to bytes for Codec::raw
  SegmentKind kind;
  Codec codec;
  uint32_t alignment_log2;
  uint64_t content_hash;  // hash64 of the stored bytes
  uint8_t reserved[24];   // zero
};
static_assert(sizeof(SegmentEntry) == 64);
static_assert(std::endian::native == std::endian::little, "Pith runs on little-endian machines");

}  // namespace pith::file
