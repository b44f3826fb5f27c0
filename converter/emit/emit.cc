// Emission in two steps: plan (number tensors, place constants, build the program), then write front to back.
#include "converter/emit/emit.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "converter/data/atomic_file.h"
#include "pith/schema/program_generated.h"
#include "runtime/base/hash.h"
#include "runtime/model/file_format.h"

namespace pith {
namespace {

using file::FileHeader;
using file::SegmentEntry;

uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

struct PlacedConstant {
  const ir::Value* value;
  uint64_t offset;  // in the weight segment
};

// Numbers every value that a node, an input or an output mentions, in execution order.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(const ir::Graph& graph) : graph_(graph) {}

  Status build(const EmitOptions& options) {
    for (const ir::Value* v : graph_.inputs) number(v);
    add_block(graph_.main);
    schema::EntryPointT& entry = *program_.entry_points.emplace_back(std::make_unique<schema::EntryPointT>());
    entry.name = "main";
    for (const ir::Value* v : graph_.inputs) entry.inputs.push_back(index_.at(v));
    for (const ir::Output& out : graph_.outputs) entry.outputs.push_back(output(out));
    program_.producer = "pith 0.1.0";
    for (const auto& [key, value] : options.metadata) {
      auto& pair = *program_.metadata.emplace_back(std::make_unique<schema::KeyValueT>());
      pair.key = key;
      pair.value = value;
    }
    builder_.ForceDefaults(false);
    builder_.Finish(schema::Program::Pack(builder_, &program_), schema::ProgramIdentifier());
    if (builder_.GetSize() > file::kMaxProgramBytes)
      return Status(Code::unsupported,
                    format("the program has %u bytes; at most 64 MiB are supported", builder_.GetSize()));
    return Status::ok();
  }

  std::pair<const uint8_t*, uint64_t> bytes() const {
    return {builder_.GetBufferPointer(), builder_.GetSize()};
  }
  const std::vector<PlacedConstant>& constants() const { return constants_; }
  uint64_t segment_bytes() const {
    return constants_.empty() ? 0 : round_up(next_offset_, 128) + file::kSegmentTail;
  }

 private:
  int32_t number(const ir::Value* v) {
    if (v == nullptr) return -1;
    const auto [at, added] = index_.emplace(v, static_cast<int32_t>(program_.tensors.size()));
    if (added) add_tensor(*v);
    return at->second;
  }

  void add_tensor(const ir::Value& v) {
    schema::TensorT& t = *program_.tensors.emplace_back(std::make_unique<schema::TensorT>());
    t.name = v.name;
    t.dtype = static_cast<schema::DType>(v.dtype);
    t.has_rank = v.shape.has_rank();
    t.dims.assign(v.shape.dims().begin(), v.shape.dims().end());
    if (std::any_of(v.dim_names.begin(), v.dim_names.end(), [](const std::string& s) { return !s.empty(); }))
      t.dim_names = v.dim_names;
    if (v.quant) {
      t.quantization = std::make_unique<schema::QuantizationT>();
      t.quantization->scales = v.quant->scales;
      t.quantization->zero_points = v.quant->zero_points;
      t.quantization->axis = v.quant->axis;
      t.quantization->group = v.quant->group;
    }
    if (!v.is_constant()) return;
    t.data = std::make_unique<schema::WeightRefT>();
    t.data->length = v.constant->size;
    t.data->offset = place(v);
    t.data->layout = static_cast<schema::Layout>(v.layout);
    t.data->group = v.group;
    t.data->codebook = v.codebook;
  }

  // Equal bytes are stored once.
  uint64_t place(const ir::Value& v) {
    const uint64_t hash = hash64(v.constant->data, v.constant->size);
    for (auto [at, end] = placed_.equal_range(hash); at != end; ++at) {
      const PlacedConstant& c = constants_[at->second];
      if (c.value->constant->size == v.constant->size &&
          (v.constant->size == 0 ||
           std::memcmp(c.value->constant->data, v.constant->data, v.constant->size) == 0))
        return c.offset;
    }
    const uint64_t offset = round_up(next_offset_, file::kTensorAlignment);
    next_offset_ = offset + v.constant->size;
    placed_.emplace(hash, constants_.size());
    constants_.push_back({&v, offset});
    return offset;
  }

  uint32_t add_block(const ir::Block& block) {
    const auto index = static_cast<uint32_t>(program_.blocks.size());
    program_.blocks.push_back(std::make_unique<schema::BlockT>());
    for (const auto& node : block.nodes) {
      auto op = std::make_unique<schema::OperatorT>();
      op->name = node->name;
      op->options = node->op;
      if (auto* branch = op->options.AsIfOptions()) {
        branch->then_block = add_block(*node->blocks[0]);
        branch->else_block = add_block(*node->blocks[1]);
      }
      for (const ir::Value* v : node->inputs) op->inputs.push_back(number(v));
      for (const ir::Value* v : node->outputs) op->outputs.push_back(number(v));
      program_.blocks[index]->operators.push_back(std::move(op));
    }
    for (const ir::Value* v : block.outputs) program_.blocks[index]->outputs.push_back(number(v));
    return index;
  }

  // An output carries its source name. A value that already has another role (input, constant, second output,
  // another name somebody relies on) is copied by an identity transpose.
  int32_t output(const ir::Output& out) {
    const bool plain =
        out.value->producer != nullptr &&
        std::find(used_as_output_.begin(), used_as_output_.end(), out.value) == used_as_output_.end();
    if (plain) {
      used_as_output_.push_back(out.value);
      const int32_t t = number(out.value);
      program_.tensors[static_cast<size_t>(t)]->name = out.name;
      return t;
    }
    auto op = std::make_unique<schema::OperatorT>();
    op->name = out.name + "/copy";
    op->inputs = {number(out.value)};
    schema::TransposeOptionsT identity;
    for (int d = 0; d < out.value->shape.rank(); ++d) identity.perm.push_back(static_cast<uint32_t>(d));
    op->options.Set(std::move(identity));
    ir::Value copy = *out.value;
    copy.name = out.name;
    copy.constant.reset();
    op->outputs = {static_cast<int32_t>(program_.tensors.size())};
    add_tensor(copy);
    program_.blocks[0]->operators.push_back(std::move(op));
    return program_.blocks[0]->operators.back()->outputs[0];
  }

  const ir::Graph& graph_;
  schema::ProgramT program_;
  flatbuffers::FlatBufferBuilder builder_{4096};
  std::map<const ir::Value*, int32_t> index_;
  std::vector<PlacedConstant> constants_;
  std::multimap<uint64_t, size_t> placed_;
  std::vector<const ir::Value*> used_as_output_;
  uint64_t next_offset_ = 0;
};

// Where the bytes go: a file or memory.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status append(const void* bytes, uint64_t size) = 0;
  virtual Status extend_to(uint64_t size) = 0;
  virtual Status write_at(uint64_t offset, const void* bytes, uint64_t size) = 0;
};

struct FileLayout {
  FileHeader header{};
  SegmentEntry segment{};
};

FileLayout plan_file(const ProgramBuilder& program) {
  FileLayout f;
  FileHeader& h = f.header;
  const bool weights = program.segment_bytes() > 0;
  std::memcpy(h.magic, file::kMagic, sizeof h.magic);
  h.major = file::kMajor;
  h.minor = file::kMinor;
  h.header_bytes = sizeof h;
  h.segment_table_offset = sizeof h;
  h.segment_count = weights ? 1 : 0;
  h.segment_entry_bytes = sizeof(SegmentEntry);
  h.program_offset = round_up(sizeof h + h.segment_count * sizeof(SegmentEntry), 64);
  h.program_bytes = program.bytes().second;
  h.program_hash = hash64(program.bytes().first, h.program_bytes);
  h.file_bytes = h.program_offset + h.program_bytes;
  if (!weights) return f;
  SegmentEntry& s = f.segment;
  s.bytes = s.logical_bytes = program.segment_bytes();
  s.kind = file::SegmentKind::weights;
  s.codec = file::Codec::raw;
  s.alignment_log2 = s.bytes >= file::kSmallSegment ? 16 : 7;
  s.offset = round_up(h.file_bytes, uint64_t{1} << s.alignment_log2);
  h.file_bytes = s.offset + s.bytes;
  return f;
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
    PITH_RETURN_IF_ERROR(fill_to(c.offset));
    hash.update(c.value->constant->data, c.value->constant->size);
    PITH_RETURN_IF_ERROR(sink.append(c.value->constant->data, c.value->constant->size));
    at += c.value->constant->size;
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
  explicit MemorySink(uint64_t size) : bytes(ir::new_bytes(static_cast<size_t>(size), &p_)) {}
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

 private:
  uint8_t* p_ = nullptr;  // before `bytes`, whose making sets it
  uint64_t at_ = 0;

 public:
  ir::Bytes bytes;
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
  data::AtomicFile& file() { return out_; }

 private:
  data::AtomicFile out_;
};

}  // namespace

Status emit_file(const ir::Graph& graph, const EmitOptions& options, const std::string& path) {
  ProgramBuilder program(graph);
  PITH_RETURN_IF_ERROR(program.build(options));
  PITH_ASSIGN(data::AtomicFile out, data::AtomicFile::create(path));
  FileSink sink(std::move(out));
  PITH_RETURN_IF_ERROR(write_all(program, plan_file(program), sink));
  return sink.file().commit();
}

Result<ir::Bytes> emit_memory(const ir::Graph& graph, const EmitOptions& options) {
  ProgramBuilder program(graph);
  PITH_RETURN_IF_ERROR(program.build(options));
  const FileLayout layout = plan_file(program);
  MemorySink sink(layout.header.file_bytes);
  PITH_RETURN_IF_ERROR(write_all(program, layout, sink));
  return sink.bytes;
}

}  // namespace pith
