// Numbering, placement and the FlatBuffer.
#include "converter/emit/program_builder.h"

#include <cstring>

#include "converter/ir/deferred.h"
#include "runtime/base/hash.h"

namespace pith {
namespace {

using file::FileHeader;
using file::SegmentEntry;

uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

}  // namespace

Status ProgramBuilder::build(const EmitOptions& options) {
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

int32_t ProgramBuilder::number(const ir::Value* v) {
  if (v == nullptr) return -1;
  const auto [at, added] = index_.emplace(v, static_cast<int32_t>(program_.tensors.size()));
  if (added) add_tensor(*v);
  return at->second;
}

void ProgramBuilder::add_tensor(const ir::Value& v) {
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

// Plain bytes that are equal are stored once, deferred ones when they are the same object.
const PlacedConstant* ProgramBuilder::equal_to(const ir::Value& v, uint64_t hash) const {
  for (auto [at, end] = placed_.equal_range(hash); at != end; ++at) {
    const PlacedConstant& c = constants_[at->second];
    const ir::Bytes &a = *c.value->constant, &b = *v.constant;
    if (a.size != b.size || a.deferred != b.deferred) continue;
    if (b.deferred != nullptr || b.size == 0 || a.data == b.data || std::memcmp(a.data, b.data, b.size) == 0)
      return &c;
  }
  return nullptr;
}

uint64_t ProgramBuilder::place(const ir::Value& v) {
  const bool later = v.constant->deferred != nullptr;
  const uint64_t hash =
      later ? reinterpret_cast<uintptr_t>(v.constant->deferred.get()) : ir::source_hash(*v.constant);
  if (const PlacedConstant* c = equal_to(v, hash); c != nullptr) return c->offset;
  const uint64_t offset = round_up(next_offset_, file::kTensorAlignment);
  next_offset_ = offset + v.constant->size;
  placed_.emplace(hash, constants_.size());
  constants_.push_back({&v, offset});
  return offset;
}

uint64_t ProgramBuilder::segment_bytes() const {
  return constants_.empty() ? 0 : round_up(next_offset_, 128) + file::kSegmentTail;
}

size_t ProgramBuilder::deferred() const {
  return static_cast<size_t>(std::count_if(constants_.begin(), constants_.end(), [](const PlacedConstant& c) {
    return c.value->constant->deferred != nullptr;
  }));
}

uint64_t ProgramBuilder::content_hash() const {
  Hash64 hash;
  hash.update(builder_.GetBufferPointer(), builder_.GetSize());
  std::vector<std::pair<size_t, uint64_t>> plain;  // in their order: the map's keys hold addresses too
  for (const auto& [key, at] : placed_)
    if (constants_[at].value->constant->deferred == nullptr) plain.emplace_back(at, key);
  std::sort(plain.begin(), plain.end());
  for (const auto& [at, key] : plain) hash.update(&key, sizeof key);
  return hash.digest();
}

uint32_t ProgramBuilder::add_block(const ir::Block& block) {
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
int32_t ProgramBuilder::output(const ir::Output& out) {
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

}  // namespace pith
