// IDX, the format of MNIST: big endian u8 0, u8 0, u8 type, u8 rank, rank x u32 dims, elements.
// Types: 08 u8, 09 i8, 0B i16, 0C i32, 0D f32, 0E f64. A gzipped file is decompressed into memory (at most 1
// GiB), a plain one is read where it is needed.
#include <algorithm>
#include <cstring>

#include "converter/data/data_source.h"
#include "converter/data/gzip_reader.h"
#include "converter/data/input_file.h"
#include "runtime/base/checked.h"

namespace pith::data {
namespace {

using ull = unsigned long long;
constexpr size_t kMaxRank = 8;
constexpr uint64_t kMaxInflated = uint64_t{1} << 30;

DType idx_dtype(unsigned code) {
  switch (code) {
    case 0x08:
      return DType::u8;
    case 0x09:
      return DType::i8;
    case 0x0B:
      return DType::i16;
    case 0x0C:
      return DType::i32;
    case 0x0D:
      return DType::f32;
    case 0x0E:
      return DType::f64;
    default:
      return DType::none;
  }
}

struct IdxHeader {
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;  // of all elements
  uint64_t offset = 0;
};

// `read` gives the next bytes of the file.
template <class Read>
Result<IdxHeader> parse_header(const std::string& name, Read&& read) {
  std::byte magic[4];
  PITH_RETURN_IF_ERROR(read(std::span(magic)));
  IdxHeader header;
  header.dtype = idx_dtype(std::to_integer<unsigned>(magic[2]));
  const auto rank = std::to_integer<size_t>(magic[3]);
  PITH_REQUIRE(
      magic[0] == std::byte{0} && magic[1] == std::byte{0} && header.dtype != DType::none,
      "'%s': not an IDX file: expected it to begin with 0, 0 and a type code 08 to 0E, found %02x %02x %02x",
      name.c_str(), std::to_integer<unsigned>(magic[0]), std::to_integer<unsigned>(magic[1]),
      std::to_integer<unsigned>(magic[2]));
  PITH_REQUIRE(rank >= 1 && rank <= kMaxRank, "'%s': an IDX file of rank %zu; expected 1 to %zu",
               name.c_str(), rank, kMaxRank);
  for (size_t i = 0; i < rank; ++i) {
    std::byte dim[4];
    PITH_RETURN_IF_ERROR(read(std::span(dim)));
    uint32_t value = 0;
    for (std::byte b : dim) value = value << 8 | std::to_integer<uint32_t>(b);
    header.shape.push_back(value);
  }
  header.offset = 4 + 4 * rank;
  PITH_REQUIRE(tensor_bytes(header.shape, header.dtype, &header.bytes),
               "'%s': shape %s is larger than any file", name.c_str(), shape_text(header.shape).c_str());
  PITH_REQUIRE(header.bytes > 0, "'%s': shape %s holds nothing", name.c_str(),
               shape_text(header.shape).c_str());
  return header;
}

void reverse_elements(std::span<std::byte> bytes, size_t element) {
  for (size_t at = 0; element > 1 && at + element <= bytes.size(); at += element)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + element));
}

class IdxSource : public DataSource {
 public:
  Status open(const std::string& path) {
    PITH_ASSIGN(file_, InputFile::open(path));
    std::byte two[2] = {};
    if (file_.size() >= 2) PITH_RETURN_IF_ERROR(file_.read_at(0, two));
    const bool gzip = two[0] == std::byte{0x1f} && two[1] == std::byte{0x8b};
    PITH_RETURN_IF_ERROR(gzip ? open_gzip(path) : open_plain(path));
    spec_.count = header_.shape[0];
    spec_.dtype = header_.dtype;
    spec_.shape.assign(header_.shape.begin() + 1, header_.shape.end());
    if (spec_.shape.size() == 2) spec_.axes = Axes::hw;
    record_bytes_ = header_.bytes / static_cast<uint64_t>(spec_.count);
    return Status::ok();
  }
  Result<HostTensor> read(int64_t index) const override {
    HostTensor record{spec_.dtype, spec_.shape, std::vector<std::byte>(static_cast<size_t>(record_bytes_))};
    const uint64_t at = record_bytes_ * static_cast<uint64_t>(index);
    if (inflated_.empty())
      PITH_RETURN_IF_ERROR(file_.read_at(header_.offset + at, record.bytes));
    else
      std::memcpy(record.bytes.data(), inflated_.data() + at, record.bytes.size());
    reverse_elements(record.bytes, size_of(spec_.dtype));
    return record;
  }

 private:
  Status open_plain(const std::string& path) {
    uint64_t at = 0;
    PITH_ASSIGN(header_, parse_header(path, [&](std::span<std::byte> out) {
                  const uint64_t from = at;
                  at += out.size();
                  return file_.read_at(from, out);
                }));
    PITH_REQUIRE(file_.size() - header_.offset == header_.bytes,
                 "'%s': shape %s of %s needs %llu bytes, the file has %llu: it is %s", path.c_str(),
                 shape_text(header_.shape).c_str(), name_of(header_.dtype), ull{header_.bytes},
                 ull{file_.size() - header_.offset},
                 file_.size() - header_.offset < header_.bytes ? "truncated" : "too long");
    return Status::ok();
  }
  Status open_gzip(const std::string& path) {
    PITH_ASSIGN(GzipReader reader, GzipReader::open(path));
    PITH_ASSIGN(header_, parse_header(path, [&](std::span<std::byte> out) { return reader.read(out); }));
    uint64_t most = 0;  // what the compressed bytes can hold at all
    if (!checked_mul(file_.size(), kMaxDeflateRatio, &most)) most = kMaxInflated;
    PITH_REQUIRE(header_.bytes <= most,
                 "'%s': shape %s needs %llu bytes, more than %llu gzipped bytes can hold", path.c_str(),
                 shape_text(header_.shape).c_str(), ull{header_.bytes}, ull{file_.size()});
    if (header_.bytes > kMaxInflated)
      return Status(Code::unsupported,
                    format("'%s': %llu bytes when decompressed, at most %llu are kept in memory; "
                           "decompress the file with gunzip",
                           path.c_str(), ull{header_.bytes}, ull{kMaxInflated}));
    inflated_.resize(static_cast<size_t>(header_.bytes));
    PITH_RETURN_IF_ERROR(reader.read(inflated_));
    return reader.expect_end();
  }

  InputFile file_;
  std::vector<std::byte> inflated_;  // all elements, when the file is gzipped
  IdxHeader header_;
  uint64_t record_bytes_ = 0;
};

}  // namespace

Result<SourcePtr> open_idx_source(const std::string& file) {
  auto source = std::make_shared<IdxSource>();
  PITH_RETURN_IF_ERROR(source->open(file));
  return SourcePtr(std::move(source));
}

}  // namespace pith::data
