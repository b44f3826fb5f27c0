// The program of a file under construction: tensors numbered, constants placed, the FlatBuffer made; and the file's layout
// around it. All of it is known before the first weight is written.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/ir/graph.h"
#include "pith/schema/program_generated.h"
#include "runtime/model/file_format.h"

namespace pith {

struct PlacedConstant {
  const ir::Value* value;
  uint64_t offset;  // in the weight segment
};

// Numbers every value that a node, an input or an output mentions, in execution order.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(const ir::Graph& graph) : graph_(graph) {}

  Status build(const EmitOptions& options);
  std::pair<const uint8_t*, uint64_t> bytes() const {
    return {builder_.GetBufferPointer(), builder_.GetSize()};
  }
  const std::vector<PlacedConstant>& constants() const { return constants_; }
  uint64_t segment_bytes() const;
  size_t deferred() const;        // constants that are not made yet
  uint64_t content_hash() const;  // of the program and of all constants but the deferred ones

 private:
  int32_t number(const ir::Value* v);
  void add_tensor(const ir::Value& v);
  uint64_t place(const ir::Value& v);
  const PlacedConstant* equal_to(const ir::Value& v, uint64_t hash) const;
  uint32_t add_block(const ir::Block& block);
  int32_t output(const ir::Output& out);

  const ir::Graph& graph_;
  schema::ProgramT program_;
  flatbuffers::FlatBufferBuilder builder_{4096};
  std::map<const ir::Value*, int32_t> index_;
  std::vector<PlacedConstant> constants_;
  std::multimap<uint64_t, size_t> placed_;
  std::vector<const ir::Value*> used_as_output_;
  uint64_t next_offset_ = 0;
};

struct FileLayout {
  file::FileHeader header{};
  file::SegmentEntry segment{};
};
FileLayout plan_file(const ProgramBuilder& program);

}  // namespace pith
