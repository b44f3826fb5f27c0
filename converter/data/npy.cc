// .npy reader and writer. The header is Python source: parsed by a tokenizer of just the literals numpy
// writes.
#include "converter/data/npy.h"

#include <cstring>
#include <limits>
#include <string_view>

#include "converter/data/atomic_file.h"
#include "runtime/base/checked.h"

namespace pith::data {
namespace {

using ull = unsigned long long;
constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = 6;
constexpr size_t kMaxRank = 32;    // numpy's own limit
constexpr size_t kDataAlign = 64;  // numpy pads its header so that the elements start on 64 bytes

// Walks over the dictionary. Every method answers false, or nothing, when the text is not what it looks for.
class DictReader {
 public:
  explicit DictReader(std::string_view text) : text_(text) {}
  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool take_string(std::string* out) {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    const size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    *out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  // A dimension; false also when it does not fit int64. An L at the end is Python 2.
  bool take_dim(int64_t* out) {
    skip_space();
    const size_t start = at_;
    int64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      if (!checked_mul(value, int64_t{10}, &value) || !checked_add(value, int64_t{text_[at_] - '0'}, &value))
        return false;
    if (at_ == start) return false;
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    *out = value;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  size_t position() const { return at_; }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != '\0') ++at_;
  }
  std::string_view text_;
  size_t at_ = 0;
};

Status bad_header(const std::string& name, const char* wanted, size_t position) {
  return Status(Code::bad_file,
                format("'%s': the .npy header is malformed at character %zu: expected %s; write the "
                       "file again with numpy.save",
                       name.c_str(), position, wanted));
}

struct NpyType {
  const char* code;  // descr without its byte-order character
  DType dtype;
};
constexpr NpyType kTypes[] = {{"f4", DType::f32}, {"f2", DType::f16}, {"f8", DType::f64},
                              {"i1", DType::i8},  {"u1", DType::u8},  {"i2", DType::i16},
                              {"u2", DType::u16}, {"i4", DType::i32}, {"u4", DType::u32},
                              {"i8", DType::i64}, {"u8", DType::u64}, {"b1", DType::boolean}};

Result<DType> dtype_of(const std::string& descr, const std::string& name) {
  const char order = descr.empty() ? '?' : descr[0];
  const std::string code = std::strchr("<>|=", order) != nullptr ? descr.substr(1) : descr;
  for (const NpyType& type : kTypes) {
    if (code != type.code) continue;
    if (order == '>' && size_of(type.dtype) > 1)
      return Status(Code::unsupported,
                    format("'%s': the elements are big endian ('%s'); save them little endian: "
                           "numpy.save(path, a.astype('<%s'))",
                           name.c_str(), descr.c_str(), type.code));
    return type.dtype;
  }
  if (code.starts_with("O"))
    return Status(Code::unsupported,
                  format("'%s': holds pickled Python objects, which are never loaded; save a plain "
                         "array, for example a.astype('float32')",
                         name.c_str()));
  return Status(
      Code::unsupported,
      format("'%s': element type '%s' is not supported; expected one of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1: "
             "convert with a.astype before numpy.save",
             name.c_str(), descr.substr(0, 40).c_str()));
}

struct Dict {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
  bool has_descr = false, has_fortran = false, has_shape = false;
};

Status parse_shape(DictReader& in, Dict* out, const std::string& name) {
  if (!in.take('(')) return bad_header(name, "'(' of the shape", in.position());
  while (!in.take(')')) {
    int64_t dim = 0;
    if (!in.take_dim(&dim)) return bad_header(name, "a dimension between 0 and 2^63 - 1", in.position());
    PITH_REQUIRE(out->shape.size() < kMaxRank, "'%s': more than %zu dimensions", name.c_str(), kMaxRank);
    out->shape.push_back(dim);
    if (!in.take(',')) {
      if (!in.take(')')) return bad_header(name, "',' or ')' in the shape", in.position());
      break;
    }
  }
  out->has_shape = true;
  return Status::ok();
}

Status parse_value(DictReader& in, const std::string& key, Dict* out, const std::string& name) {
  if (key == "descr" && !out->has_descr) {
    if (in.take('['))
      return Status(Code::unsupported, format("'%s': a structured array (with named fields); save one field: "
                                              "numpy.save(path, a['field'])",
                                              name.c_str()));
    out->has_descr = in.take_string(&out->descr);
    return out->has_descr ? Status::ok() : bad_header(name, "a quoted element type", in.position());
  }
  if (key == "fortran_order" && !out->has_fortran) {
    out->fortran = in.take_word("True");
    out->has_fortran = out->fortran || in.take_word("False");
    return out->has_fortran ? Status::ok() : bad_header(name, "True or False", in.position());
  }
  if (key == "shape" && !out->has_shape) return parse_shape(in, out, name);
  return bad_header(name, "each of the keys descr, fortran_order and shape once", in.position());
}

Result<Dict> parse_dict(std::string_view text, const std::string& name) {
  DictReader in(text);
  Dict out;
  if (!in.take('{')) return bad_header(name, "'{'", in.position());
  while (!in.take('}')) {
    std::string key;
    if (!in.take_string(&key) || !in.take(':'))
      return bad_header(name, "a quoted key and ':'", in.position());
    PITH_RETURN_IF_ERROR(parse_value(in, key, &out, name));
    if (!in.take(',')) {
      if (!in.take('}')) return bad_header(name, "',' or '}'", in.position());
      break;
    }
  }
  if (!in.at_end()) return bad_header(name, "nothing after '}'", in.position());
  if (!out.has_descr || !out.has_fortran || !out.has_shape)
    return bad_header(name, "the keys descr, fortran_order and shape", in.position());
  return out;
}

uint32_t little_endian(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

// Finds the text of the dictionary; *data_offset is where the elements begin.
Result<std::string_view> header_text(std::span<const std::byte> prefix, uint64_t file_size,
                                     const std::string& name, uint64_t* data_offset) {
  PITH_REQUIRE(prefix.size() >= kMagicBytes + 4, "'%s': %llu bytes are too few for a .npy file (truncated?)",
               name.c_str(), ull{file_size});
  PITH_REQUIRE(std::memcmp(prefix.data(), kMagic, kMagicBytes) == 0,
               "'%s': not a .npy file: expected it to begin with \"\\x93NUMPY\"%s", name.c_str(),
               std::memcmp(prefix.data(), "PK", 2) == 0
                   ? "; this is a .npz archive: save each array with numpy.save"
                   : "");
  const unsigned major = std::to_integer<unsigned>(prefix[6]), minor = std::to_integer<unsigned>(prefix[7]);
  if (major < 1 || major > 3 || minor != 0)
    return Status(Code::unsupported,
                  format("'%s': .npy version %u.%u; expected 1.0, 2.0 or 3.0", name.c_str(), major, minor));
  const size_t length_bytes = major == 1 ? 2 : 4, start = kMagicBytes + 2 + length_bytes;
  PITH_REQUIRE(prefix.size() >= start, "'%s': truncated inside of the .npy header", name.c_str());
  const uint64_t length = little_endian(prefix.subspan(kMagicBytes + 2, length_bytes));
  PITH_REQUIRE(in_bounds(start, length, file_size),
               "'%s': the .npy header says it has %llu bytes, the file has %llu", name.c_str(), ull{length},
               ull{file_size});
  PITH_REQUIRE(in_bounds(start, length, prefix.size()),
               "'%s': a .npy header of %llu bytes; at most %zu are accepted", name.c_str(), ull{length},
               kNpyPrefixBytes);
  *data_offset = start + length;
  return std::string_view(reinterpret_cast<const char*>(prefix.data()) + start, static_cast<size_t>(length));
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::span<const std::byte> prefix, uint64_t file_size,
                                   const std::string& name) {
  NpyHeader header;
  PITH_ASSIGN(const std::string_view text, header_text(prefix, file_size, name, &header.data_offset));
  PITH_ASSIGN(Dict dict, parse_dict(text, name));
  PITH_ASSIGN(header.dtype, dtype_of(dict.descr, name));
  if (dict.fortran && dict.shape.size() > 1)  // with one axis both orders are the same
    return Status(Code::unsupported, format("'%s': the array is in Fortran order; save it in C order: "
                                            "numpy.save(path, numpy.ascontiguousarray(a))",
                                            name.c_str()));
  header.shape = std::move(dict.shape);
  const std::string shape = shape_text(header.shape);
  PITH_REQUIRE(tensor_bytes(header.shape, header.dtype, &header.data_bytes),
               "'%s': shape %s of %s is larger than any file", name.c_str(), shape.c_str(),
               name_of(header.dtype));
  const uint64_t present = file_size - header.data_offset;
  PITH_REQUIRE(present >= header.data_bytes,
               "'%s': shape %s of %s needs %llu bytes, the file has %llu: it is truncated", name.c_str(),
               shape.c_str(), name_of(header.dtype), ull{header.data_bytes}, ull{present});
  PITH_REQUIRE(present == header.data_bytes,
               "'%s': %llu bytes follow the array of shape %s: expected one array per file", name.c_str(),
               ull{present - header.data_bytes}, shape.c_str());
  return header;
}

Result<NpyFile> NpyFile::open(const std::string& path) {
  NpyFile npy;
  PITH_ASSIGN(npy.file_, InputFile::open(path));
  const uint64_t size = npy.file_.size();
  std::vector<std::byte> prefix(static_cast<size_t>(size < kNpyPrefixBytes ? size : kNpyPrefixBytes));
  PITH_RETURN_IF_ERROR(npy.file_.read_at(0, prefix));
  PITH_ASSIGN(npy.header_, parse_npy_header(prefix, size, path));
  return npy;
}

Status NpyFile::check_values(const HostTensor& tensor) const {
  if (tensor.dtype != DType::boolean) return Status::ok();
  for (std::byte b : tensor.bytes)
    PITH_REQUIRE(b <= std::byte{1}, "'%s': a bool element is %u; expected 0 or 1", path().c_str(),
                 std::to_integer<unsigned>(b));
  return Status::ok();
}

Result<HostTensor> NpyFile::read_row(int64_t index) const {
  if (index < 0 || index >= rows())
    return Status(Code::bad_argument, format("'%s': row %lld is wanted, the array has %lld", path().c_str(),
                                             static_cast<long long>(index), static_cast<long long>(rows())));
  if (header_.shape.empty()) return read_all();
  const uint64_t row_bytes = header_.data_bytes / static_cast<uint64_t>(rows());
  HostTensor row{header_.dtype, {header_.shape.begin() + 1, header_.shape.end()}, {}};
  row.bytes.resize(static_cast<size_t>(row_bytes));
  PITH_RETURN_IF_ERROR(
      file_.read_at(header_.data_offset + row_bytes * static_cast<uint64_t>(index), row.bytes));
  PITH_RETURN_IF_ERROR(check_values(row));
  return row;
}

Result<HostTensor> NpyFile::read_all() const {
  HostTensor all{header_.dtype, header_.shape, {}};
  all.bytes.resize(static_cast<size_t>(header_.data_bytes));
  PITH_RETURN_IF_ERROR(file_.read_at(header_.data_offset, all.bytes));
  PITH_RETURN_IF_ERROR(check_values(all));
  return all;
}

Result<HostTensor> read_npy(const std::string& path) {
  PITH_ASSIGN(NpyFile file, NpyFile::open(path));
  return file.read_all();
}

// Everything before the elements: magic, version 1.0, header length, dictionary padded to kDataAlign.
static std::string npy_head(const char* code, DType dtype, std::span<const int64_t> shape) {
  std::string dims;  // a tuple of one needs its comma
  for (int64_t d : shape) dims += std::to_string(d) + (shape.size() == 1 ? "," : ", ");
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  std::string text = format("{'descr': '%c%s', 'fortran_order': False, 'shape': (%s), }",
                            size_of(dtype) == 1 ? '|' : '<', code, dims.c_str());
  const size_t preamble = kMagicBytes + 4;  // magic, version, u16 length
  while ((preamble + text.size() + 1) % kDataAlign != 0) text += ' ';
  text += '\n';
  std::string head(kMagic, kMagicBytes);
  head += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return head + text;
}

Status write_npy(const std::string& path, DType dtype, std::span<const int64_t> shape, const void* bytes) {
  const char* code = nullptr;
  for (const NpyType& type : kTypes)
    if (type.dtype == dtype) code = type.code;
  if (code == nullptr)
    return Status(Code::unsupported,
                  format("cannot write '%s': .npy has no element type for %s; convert to f32 first",
                         path.c_str(), name_of(dtype)));
  uint64_t size = 0;
  // The limit on the rank also keeps the header far below the 65,535 bytes that version 1 can say.
  if (shape.size() > kMaxRank || !tensor_bytes(shape, dtype, &size))
    return Status(Code::bad_argument, format("cannot write '%s': .npy cannot hold the shape %s", path.c_str(),
                                             shape_text(shape).c_str()));
  const std::string head = npy_head(code, dtype, shape);
  PITH_ASSIGN(AtomicFile file, AtomicFile::create(path));
  PITH_RETURN_IF_ERROR(file.append(head.data(), head.size()));
  PITH_RETURN_IF_ERROR(file.append(bytes, static_cast<size_t>(size)));
  return file.commit();
}

Status write_npy(const std::string& path, const HostTensor& tensor) {
  return write_npy(path, tensor.dtype, tensor.shape, tensor.bytes.data());
}

}  // namespace pith::data
