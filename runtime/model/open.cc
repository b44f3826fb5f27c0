// Opening a model: map, verify the container, verify the program, read the tensor table.
#include <cinttypes>
#include <cstring>

#include "runtime/base/checked.h"
#include "runtime/base/hash.h"
#include "runtime/model/model.h"
#include "runtime/ops/panel_weights.h"

namespace pith {
namespace {

using file::FileHeader;
using file::SegmentEntry;

static_assert(static_cast<int>(schema::DType::u4) == static_cast<int>(DType::u4));
static_assert(static_cast<int>(schema::DType::boolean) == static_cast<int>(DType::boolean));
static_assert(static_cast<int>(schema::DType::f16) == static_cast<int>(DType::f16));
#define PITH_SAME_LAYOUT(name) \
  static_assert(static_cast<int>(schema::Layout::name) == static_cast<int>(Layout::name))
PITH_SAME_LAYOUT(row_major);
PITH_SAME_LAYOUT(i8c);
PITH_SAME_LAYOUT(i4s8);
PITH_SAME_LAYOUT(i4f16);
PITH_SAME_LAYOUT(i4a);
PITH_SAME_LAYOUT(lut4);
PITH_SAME_LAYOUT(lut4s8);
PITH_SAME_LAYOUT(f16_panel);
static_assert(schema::Layout::MAX == schema::Layout::lut4s8, "a new layout needs a line above");
#undef PITH_SAME_LAYOUT

Status damaged(const char* what) {
  return Status(Code::bad_file,
                format("not a usable .pith file: %s; convert the model again or copy the file again", what));
}

Status verify_header(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(FileHeader)) return damaged("it is shorter than the 256-byte header");
  const auto& h = *static_cast<const FileHeader*>(static_cast<const void*>(bytes.data()));
  if (std::memcmp(h.magic, file::kMagic, sizeof h.magic) != 0)
    return damaged("it does not start with the Pith magic");
  if (h.header_crc != crc32c(&h, sizeof h - sizeof h.header_crc))
    return damaged("the header checksum does not match");
  if (h.major != file::kMajor ||
      h.minor > file::kMinor)  // a newer minor may say things that we would not hear
    return Status(Code::unsupported,
                  format("the file has format %u.%u; this runtime reads %u.0 to %u.%u: %s", h.major, h.minor,
                         file::kMajor, file::kMajor, file::kMinor,
                         h.major < file::kMajor ? "convert the model again" : "use a newer runtime"));
  if (const uint64_t unknown = h.required_features & ~file::kKnownFeatures; unknown != 0)
    return Status(Code::unsupported, format("the file requires feature bits 0x%" PRIx64
                                            " that this runtime does not know: use a newer runtime",
                                            unknown));
  if (h.header_bytes != sizeof h || h.segment_entry_bytes != sizeof(SegmentEntry))
    return damaged("header or segment entries have an unexpected size");
  if (h.file_bytes != bytes.size())
    return Status(Code::bad_file,
                  format("the file is truncated or has bytes appended: expected %" PRIu64 " bytes, found %zu",
                         h.file_bytes, bytes.size()));
  return Status::ok();
}

bool all_zero(std::span<const uint8_t> bytes) {
  for (uint8_t b : bytes)
    if (b != 0) return false;
  return true;
}

Status verify_segment(const SegmentEntry& s, size_t i, std::span<const uint8_t> bytes,
                      uint64_t previous_end) {
  if (s.codec != file::Codec::raw)
    return Status(Code::unsupported, format("segment %zu uses codec %u, unknown to this runtime", i,
                                            static_cast<unsigned>(s.codec)));
  PITH_REQUIRE(
      s.alignment_log2 >= 6 && s.alignment_log2 <= 24 && s.offset % (uint64_t{1} << s.alignment_log2) == 0,
      "segment %zu is not aligned as it claims", i);
  PITH_REQUIRE(
      s.offset >= previous_end && in_bounds(s.offset, s.bytes, bytes.size()) && s.logical_bytes == s.bytes,
      "segment %zu overlaps or leaves the file (offset %" PRIu64 ", %" PRIu64 " bytes)", i, s.offset,
      s.bytes);
  return Status::ok();
}

}  // namespace

Status Model::verify_container(const OpenOptions& options) {
  PITH_RETURN_IF_ERROR(verify_header(bytes_));
  const FileHeader& h = header();
  const uint64_t table_bytes = uint64_t{h.segment_count} * sizeof(SegmentEntry);
  if (h.segment_table_offset != sizeof h || h.segment_count > file::kMaxSegments ||
      !in_bounds(h.segment_table_offset, table_bytes, bytes_.size()))
    return damaged("the segment table leaves the file");
  if (hash64(bytes_.data() + h.segment_table_offset, table_bytes) != h.segment_table_hash)
    return damaged("the segment table does not match its hash");
  uint64_t end = h.segment_table_offset + table_bytes;
  if (h.program_offset < end || h.program_offset % 64 != 0 || h.program_bytes > file::kMaxProgramBytes ||
      !in_bounds(h.program_offset, h.program_bytes, bytes_.size()))
    return damaged("the program leaves the file");
  if (hash64(bytes_.data() + h.program_offset, h.program_bytes) != h.program_hash)
    return damaged("the program does not match its hash");
  segments_ = {
      static_cast<const SegmentEntry*>(static_cast<const void*>(bytes_.data() + h.segment_table_offset)),
      h.segment_count};

  uint64_t total = 0;
  for (const SegmentEntry& s : segments_) total += s.bytes < bytes_.size() ? s.bytes : bytes_.size();
  const bool hashes = options.hashes == HashCheck::always ||
                      (options.hashes == HashCheck::automatic && total <= kEagerHashBytes);
  if (hashes && !all_zero(bytes_.subspan(end, h.program_offset - end))) return damaged("padding is not zero");
  end = h.program_offset + h.program_bytes;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const SegmentEntry& s = segments_[i];
    PITH_RETURN_IF_ERROR(verify_segment(s, i, bytes_, end));
    if (hashes && !all_zero(bytes_.subspan(end, s.offset - end))) return damaged("padding is not zero");
    if (hashes && hash64(bytes_.data() + s.offset, s.bytes) != s.content_hash)
      return damaged(format("segment %zu does not match its hash", i).c_str());
    end = s.offset + s.bytes;
  }
  PITH_REQUIRE(end == bytes_.size(), "the file has bytes after its last segment");
  return Status::ok();
}

namespace {

// Limits are explicit: a program of 64 MiB with every table as small as possible stays within them.
constexpr uint32_t kMaxTableDepth = 16, kMaxTables = 4u << 20;

Status read_shape(const schema::Tensor& t, const char* name, Shape* out) {
  if (!t.has_rank()) {
    *out = Shape::unknown_rank();
    return Status::ok();
  }
  const auto* dims = t.dims();
  const uint32_t rank = dims == nullptr ? 0 : dims->size();
  PITH_REQUIRE(rank <= kMaxRank, "tensor '%s' has rank %u; at most %d is supported", name, rank, kMaxRank);
  // FlatBuffers' verifier aligns the length of a vector, not its 8-byte elements.
  PITH_REQUIRE(rank == 0 || reinterpret_cast<uintptr_t>(dims->Data()) % alignof(int64_t) == 0,
               "the dims of tensor '%s' are not aligned", name);
  for (uint32_t i = 0; i < rank; ++i) {
    PITH_REQUIRE(dims->Get(i) >= kUnknownDim, "tensor '%s' has a negative dim %lld", name,
                 static_cast<long long>(dims->Get(i)));
    out->push_back(dims->Get(i));
  }
  return Status::ok();
}

Status read_quant(const schema::Tensor& t, const char* name, TensorView* view) {
  const schema::Quantization* q = t.quantization();
  if (q == nullptr || q->scales() == nullptr || q->scales()->size() == 0) return Status::ok();
  const uint32_t n = q->scales()->size();
  PITH_REQUIRE(q->zero_points() != nullptr && q->zero_points()->size() == n,
               "tensor '%s' has %u scales but another number of zero points", name, n);
  view->quant = {{q->scales()->data(), n}, {q->zero_points()->data(), n}, q->axis(), q->group()};
  for (float s : view->quant.scales)
    PITH_REQUIRE(s > 0 && s < 3e38f, "tensor '%s' has a scale that is not a positive number", name);
  if (n == 1 && q->group() == 0) return Status::ok();
  PITH_REQUIRE(view->shape.has_rank() && q->axis() >= 0 && q->axis() < view->shape.rank(),
               "tensor '%s' is quantized along axis %d, which it does not have", name, q->axis());
  if (q->group() == 0) {
    const int64_t channels = view->shape[q->axis()];
    PITH_REQUIRE(channels == static_cast<int64_t>(n), "tensor '%s' has %lld channels but %u scales", name,
                 static_cast<long long>(channels), n);
  }
  return Status::ok();
}

// Bytes of the constant as its layout, element type and shape demand; reads group and codebook.
Status expected_bytes(const schema::WeightRef& ref, TensorView* view, uint64_t* bytes) {
  view->layout = static_cast<Layout>(ref.layout());
  view->group = ref.group();
  if (view->layout == Layout::row_major) {
    uint64_t bits = 0;
    PITH_REQUIRE(ref.group() == 0, "constant '%s' is row-major but has a group", view->name);
    PITH_REQUIRE(
        checked_mul<uint64_t>(static_cast<uint64_t>(view->shape.count()), bits_of(view->dtype), &bits),
        "constant '%s' is too large", view->name);
    *bytes = bits / 8 + (bits % 8 != 0);
    return Status::ok();
  }
  if (!is_panel_layout(view->layout))
    return Status(Code::unsupported,
                  format("constant '%s' has layout %u, unknown to this runtime: use a newer one", view->name,
                         static_cast<unsigned>(ref.layout())));
  PITH_REQUIRE(view->dtype == dtype_of(view->layout), "constant '%s' is packed as %s but declared as %s",
               view->name, name_of(dtype_of(view->layout)), name_of(view->dtype));
  PITH_REQUIRE(view->quant.empty(), "constant '%s' is packed and must have no scales of its own", view->name);
  PITH_REQUIRE(view->shape.rank() >= 2, "constant '%s' is packed but no matrix", view->name);
  const PanelMatrix m = panel_matrix_of(*view);
  const char* fault = panel_fault(m);
  PITH_REQUIRE(fault == nullptr, "constant '%s' cannot be packed as it claims: %s", view->name, fault);
  if (uses_table(view->layout)) {
    PITH_REQUIRE(ref.codebook() != nullptr && ref.codebook()->size() == 16,
                 "constant '%s' needs a table of 16 values", view->name);
    view->codebook = ref.codebook()->data();
  }
  *bytes = panel_matrix_bytes(m);
  return Status::ok();
}

Status read_constant(const schema::WeightRef& ref, std::span<const SegmentEntry> segments,
                     std::span<const uint8_t> bytes, TensorView* view) {
  PITH_REQUIRE(view->shape.is_known() && view->shape.count() >= 0,
               "constant '%s' has no definite shape or is too large", view->name);
  PITH_REQUIRE(ref.segment() < segments.size(), "constant '%s' names segment %u of %zu", view->name,
               ref.segment(), segments.size());
  const SegmentEntry& s = segments[ref.segment()];
  uint64_t bytes_needed = 0;
  PITH_REQUIRE(s.kind == file::SegmentKind::weights, "constant '%s' names a segment without weights",
               view->name);
  PITH_RETURN_IF_ERROR(expected_bytes(ref, view, &bytes_needed));
  PITH_REQUIRE(ref.length() == bytes_needed, "constant '%s' needs %llu bytes, the file gives %llu",
               view->name, static_cast<unsigned long long>(bytes_needed),
               static_cast<unsigned long long>(ref.length()));
  uint64_t with_tail = 0;
  PITH_REQUIRE(ref.offset() % file::kTensorAlignment == 0 &&
                   checked_add(ref.length(), file::kSegmentTail, &with_tail) &&
                   in_bounds(ref.offset(), with_tail, s.bytes),
               "constant '%s' leaves its segment", view->name);
  view->data = const_cast<uint8_t*>(bytes.data() + s.offset + ref.offset());
  view->is_constant = view->has_value = true;
  return Status::ok();
}

}  // namespace

Status Model::read_tensors() {
  const auto* list = program_->tensors();
  tensors_.resize(list == nullptr ? 0 : list->size());
  for (uint32_t i = 0; i < tensors_.size(); ++i) {
    const schema::Tensor& t = *list->Get(i);
    TensorView& view = tensors_[i];
    view.name = t.name() == nullptr ? "" : t.name()->c_str();
    PITH_REQUIRE(static_cast<int>(t.dtype()) > 0 && static_cast<int>(t.dtype()) < kDTypeCount,
                 "tensor '%s' has unknown element type %d", view.name, static_cast<int>(t.dtype()));
    view.dtype = static_cast<DType>(t.dtype());
    PITH_RETURN_IF_ERROR(read_shape(t, view.name, &view.shape));
    PITH_RETURN_IF_ERROR(read_quant(t, view.name, &view));
    if (t.data() != nullptr) PITH_RETURN_IF_ERROR(read_constant(*t.data(), segments_, bytes_, &view));
  }
  return Status::ok();
}

Status Model::verify(const OpenOptions& options) {
  PITH_RETURN_IF_ERROR(verify_container(options));
  const FileHeader& h = header();
  flatbuffers::Verifier verifier(bytes_.data() + h.program_offset, h.program_bytes, kMaxTableDepth,
                                 kMaxTables);
  if (!schema::VerifyProgramBuffer(verifier)) return damaged("the program is not a well-formed FlatBuffer");
  program_ = schema::GetProgram(bytes_.data() + h.program_offset);
  PITH_RETURN_IF_ERROR(read_tensors());
  return verify_program(*program_, tensors_);
}

Result<std::shared_ptr<const Model>> Model::open(const char* path, const OpenOptions& options) {
  PITH_ASSIGN(std::unique_ptr<Mapping> mapping, Mapping::open(path));
  auto model = std::make_shared<Model>();
  model->bytes_ = {mapping->data(), static_cast<size_t>(mapping->size())};
  model->mapping_ = std::move(mapping);
  if (Status s = model->verify(options); !s.is_ok()) return std::move(s).with_context(format("'%s': ", path));
  return std::shared_ptr<const Model>(std::move(model));
}

Result<std::shared_ptr<const Model>> Model::from_memory(std::span<const uint8_t> bytes,
                                                        const OpenOptions& options) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % file::kTensorAlignment != 0)
    return Status(Code::bad_argument, "model bytes must be 128-byte aligned");
  auto model = std::make_shared<Model>();
  model->bytes_ = bytes;
  PITH_RETURN_IF_ERROR(model->verify(options));
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace pith
