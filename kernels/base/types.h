// Element types and weight layouts as kernels see them. Values are fixed: they are stored in files
// (schema/program.fbs repeats them; runtime/model/view.cc static_asserts that both agree).
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith {

enum class DType : uint8_t {
  none = 0,
  f32 = 1,
  f16 = 2,
  bf16 = 3,
  f64 = 4,
  i8 = 5,
  u8 = 6,
  i16 = 7,
  u16 = 8,
  i32 = 9,
  u32 = 10,
  i64 = 11,
  u64 = 12,
  boolean = 13,  // one byte, 0 or 1
  i4 = 14,       // two per byte, low nibble first; constants only
  u4 = 15,
};
inline constexpr int kDTypeCount = 16;

// How the bytes of a constant are arranged. An id is never reused.
// Packed ones hold a matrix [N, K] in panels of 32 outputs: kernels/base/panel_layout.h draws the bytes.
enum class Layout : uint16_t {
  row_major = 0,
  i8c = 1,        // 8 bits, one scale per channel
  i4s8 = 2,       // 4 bits, s8 scale per group of K, f32 scale per channel
  i4f16 = 3,      // 4 bits, f16 scale per group
  i4a = 4,        // i4s8 with a zero point per group
  lut4 = 5,       // 4 bits that index a table of 16 values (NF4, FP4), f16 scale per group
  f16_panel = 6,  // halves
  lut4s8 = 7,     // lut4 with the scales of i4s8
};

// Bits of one element; 0 for DType::none.
constexpr unsigned bits_of(DType t) {
  switch (t) {
    case DType::i4:
    case DType::u4:
      return 4;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 8;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16:
      return 16;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 32;
    case DType::f64:
    case DType::i64:
    case DType::u64:
      return 64;
    case DType::none:
      return 0;
  }
  return 0;
}
constexpr size_t size_of(DType t) { return bits_of(t) / 8; }  // 0 for the 4-bit types: use bits_of

constexpr bool is_float(DType t) {
  return t == DType::f32 || t == DType::f16 || t == DType::bf16 || t == DType::f64;
}
constexpr bool is_signed_integer(DType t) {
  return t == DType::i8 || t == DType::i16 || t == DType::i32 || t == DType::i64 || t == DType::i4;
}
constexpr bool is_unsigned_integer(DType t) {
  return t == DType::u8 || t == DType::u16 || t == DType::u32 || t == DType::u64 || t == DType::u4;
}
constexpr bool is_integer(DType t) { return is_signed_integer(t) || is_unsigned_integer(t); }

// The field's short name: "f32", "i8", "bool".
constexpr const char* name_of(DType t) {
  constexpr const char* kNames[kDTypeCount] = {"none", "f32", "f16", "bf16", "f64", "i8",   "u8", "i16",
                                               "u16",  "i32", "u32", "i64",  "u64", "bool", "i4", "u4"};
  return static_cast<unsigned>(t) < kDTypeCount ? kNames[static_cast<unsigned>(t)] : "?";
}

// Half-open index range handed to a kernel: rows, pixels, channels; the kernel's header says which.
struct Range {
  size_t begin = 0, end = 0;
};

}  // namespace pith
