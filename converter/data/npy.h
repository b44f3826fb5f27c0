// NumPy's .npy format, versions 1 to 3: reading rows where they are needed, and atomic writing.
//   magic "\x93NUMPY", major, minor, header length (u16 in v1, u32 in v2 and v3, little endian), then a
//   Python dictionary as text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  and the raw
//   elements.
// Read: f2 f4 f8, i1 to i8, u1 to u8, b1, little endian, C order. Everything else is refused with the numpy
// call that repairs the file. Pickled objects are never unpickled.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/data/host_tensor.h"
#include "converter/data/input_file.h"
#include "runtime/base/status.h"

namespace pith::data {

struct NpyHeader {
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  uint64_t data_offset = 0;
  uint64_t data_bytes = 0;
};

// `prefix` is the start of the file (kNpyPrefixBytes of it, or all if it is shorter); `file_size` all its
// bytes. `name` stands in messages.
inline constexpr size_t kNpyPrefixBytes = size_t{64} << 10;
Result<NpyHeader> parse_npy_header(std::span<const std::byte> prefix, uint64_t file_size,
                                   const std::string& name);

// An open .npy file whose first axis is read piece by piece.
class NpyFile {
 public:
  static Result<NpyFile> open(const std::string& path);
  const NpyHeader& header() const { return header_; }
  const std::string& path() const { return file_.path(); }
  // Length of the first axis; 1 for a scalar.
  int64_t rows() const { return header_.shape.empty() ? 1 : header_.shape[0]; }
  // Row `index` as a tensor without the first axis.
  Result<HostTensor> read_row(int64_t index) const;
  Result<HostTensor> read_all() const;

 private:
  Status check_values(const HostTensor& tensor) const;
  InputFile file_;
  NpyHeader header_;
};

Result<HostTensor> read_npy(const std::string& path);

// Writes version 1. bf16 and 4-bit types have no .npy spelling: refused.
Status write_npy(const std::string& path, DType dtype, std::span<const int64_t> shape, const void* bytes);
Status write_npy(const std::string& path, const HostTensor& tensor);

}  // namespace pith::data
