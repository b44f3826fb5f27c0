// The header is a Python dictionary as text: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 10), }
#include "cli/run/plain_npy.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pith::board {
namespace {

struct TypeName {
  pith_dtype dtype;
  const char* descr;
  size_t bytes;
};
constexpr TypeName kTypes[] = {{PITH_F32, "<f4", 4}, {PITH_F16, "<f2", 2}, {PITH_F64, "<f8", 8},
                               {PITH_I8, "|i1", 1},  {PITH_U8, "|u1", 1},  {PITH_I16, "<i2", 2},
                               {PITH_U16, "<u2", 2}, {PITH_I32, "<i4", 4}, {PITH_U32, "<u4", 4},
                               {PITH_I64, "<i8", 8}, {PITH_U64, "<u8", 8}, {PITH_BOOL, "|b1", 1}};
constexpr char kMagic[] = "\x93NUMPY\x01";  // followed by the minor version and the header's length (u16)
constexpr size_t kMagicBytes = 7, kPrefixBytes = 10;

// The dims between the parentheses; false when there are too many, or one is not a number below 2^40.
bool parse_dims(const std::string& header, std::vector<int64_t>* dims) {
  size_t at = header.find("'shape'");
  if (at == std::string::npos || (at = header.find('(', at)) == std::string::npos) return false;
  const char* p = header.c_str() + at + 1;
  for (;;) {
    while (*p == ' ' || *p == ',') ++p;
    if (*p == ')') return true;
    char* end = nullptr;
    const long long dim = std::strtoll(p, &end, 10);
    if (end == p || dim < 0 || dim > (1ll << 40) || dims->size() == PITH_MAX_RANK) return false;
    dims->push_back(dim);
    p = end;
  }
}

std::string parse_header(const std::string& path, const std::string& header, Array* array, uint64_t* bytes) {
  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes)
    if (header.find(std::string("'") + t.descr + "'") != std::string::npos) type = &t;
  if (type == nullptr) return "'" + path + "' has an element type that models do not take";
  if (header.find("'fortran_order': False") == std::string::npos)
    return "'" + path + "' is in Fortran order: save numpy.ascontiguousarray(x)";
  if (!parse_dims(header, &array->dims)) return "'" + path + "' has no shape that can be read";
  array->dtype = type->dtype;
  *bytes = type->bytes;
  for (int64_t d : array->dims)
    if (__builtin_mul_overflow(*bytes, static_cast<uint64_t>(d), bytes) || *bytes > uint64_t{1} << 40)
      return "'" + path + "' is too large";
  return "";
}

std::string read_from(std::FILE* file, const std::string& path, Array* array) {
  unsigned char prefix[kPrefixBytes];
  if (std::fread(prefix, 1, sizeof prefix, file) != sizeof prefix ||
      std::memcmp(prefix, kMagic, kMagicBytes) != 0)
    return "'" + path + "' is not a .npy file of version 1";
  std::string header(prefix[8] + 256u * prefix[9], '\0');
  if (std::fread(header.data(), 1, header.size(), file) != header.size())
    return "'" + path + "' ends in its header";
  uint64_t bytes = 0;
  if (std::string problem = parse_header(path, header, array, &bytes); !problem.empty()) return problem;
  std::fseek(file, 0, SEEK_END);
  const long end = std::ftell(file);
  if (end < 0 || static_cast<uint64_t>(end) != kPrefixBytes + header.size() + bytes)
    return "'" + path + "' does not have the size its shape says";
  std::fseek(file, static_cast<long>(kPrefixBytes + header.size()), SEEK_SET);
  array->bytes.resize(bytes);
  if (std::fread(array->bytes.data(), 1, bytes, file) != bytes) return "cannot read '" + path + "'";
  return "";
}

}  // namespace

std::string read_npy(const std::string& path, Array* array) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return "cannot open '" + path + "': " + std::strerror(errno);
  std::string problem = read_from(file, path, array);
  std::fclose(file);
  return problem;
}

std::string write_npy(const std::string& path, const pith_tensor& tensor) {
  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes)
    if (t.dtype == tensor.dtype) type = &t;
  if (type == nullptr)
    return std::string("output type ") + pith_dtype_name(tensor.dtype) + " has no .npy spelling";
  std::string header = std::string("{'descr': '") + type->descr + "', 'fortran_order': False, 'shape': (";
  for (int32_t d = 0; d < tensor.rank; ++d) header += std::to_string(tensor.dims[d]) + ", ";
  header += "), }";
  header.resize((header.size() + kPrefixBytes + 1 + 63) / 64 * 64 - kPrefixBytes,
                ' ');  // data 64-byte aligned
  header.back() = '\n';
  std::string start(kMagic, kMagicBytes);
  start += '\0';
  start += static_cast<char>(header.size() % 256);
  start += static_cast<char>(header.size() / 256);
  start += header;
  const std::string temporary = path + ".part";
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return "cannot write '" + temporary + "': " + std::strerror(errno);
  const bool written = std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
                       std::fwrite(tensor.data, 1, tensor.bytes, file) == tensor.bytes &&
                       std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (std::fclose(file) == 0 && written && std::rename(temporary.c_str(), path.c_str()) == 0) return "";
  const std::string problem = "cannot write '" + path + "': " + std::strerror(errno);
  std::remove(temporary.c_str());
  return problem;
}

}  // namespace pith::board
