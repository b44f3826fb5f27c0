// The semantic pass: every index in range, every tensor defined once and before it is used, blocks nested
// without cycles.
#include <vector>

#include "runtime/model/model.h"
#include "runtime/ops/panel_weights.h"

namespace pith {
namespace {

using schema::Block;
using schema::Operator;
using schema::Program;

class ProgramVerifier {
 public:
  ProgramVerifier(const Program& program, std::span<const TensorView> tensors)
      : program_(program), tensors_(tensors), defined_(tensors.size(), false) {
    for (size_t i = 0; i < tensors.size(); ++i) defined_[i] = tensors[i].is_constant;
    made_ = defined_;
  }

  Status run() {
    PITH_REQUIRE(program_.blocks() != nullptr && program_.blocks()->size() > 0, "the program has no blocks");
    PITH_REQUIRE(program_.entry_points() != nullptr && program_.entry_points()->size() > 0,
                 "the program has no entry point");
    block_used_.assign(program_.blocks()->size(), false);
    for (const schema::EntryPoint* entry : *program_.entry_points()) {
      if (entry->inputs() == nullptr) continue;
      for (int32_t t : *entry->inputs()) PITH_RETURN_IF_ERROR(define(t, "the entry point"));
    }
    PITH_RETURN_IF_ERROR(block(0, 0));
    for (const schema::EntryPoint* entry : *program_.entry_points()) {
      PITH_REQUIRE(entry->name() != nullptr && entry->outputs() != nullptr && entry->outputs()->size() > 0,
                   "an entry point has no name or no outputs");
      for (int32_t t : *entry->outputs()) PITH_RETURN_IF_ERROR(use(t, entry->name()->c_str()));
    }
    return Status::ok();
  }

 private:
  Status in_range(int32_t t, const char* who) const {
    PITH_REQUIRE(t >= 0 && static_cast<size_t>(t) < tensors_.size(), "'%s' names tensor %d of %zu", who, t,
                 tensors_.size());
    return Status::ok();
  }
  Status use(int32_t t, const char* who) const {
    PITH_RETURN_IF_ERROR(in_range(t, who));
    PITH_REQUIRE(defined_[static_cast<size_t>(t)], "'%s' reads tensor '%s' before anything makes it", who,
                 tensors_[static_cast<size_t>(t)].name);
    PITH_REQUIRE(tensors_[static_cast<size_t>(t)].layout == Layout::row_major,
                 "'%s' cannot read the packed weights '%s'", who, tensors_[static_cast<size_t>(t)].name);
    return Status::ok();
  }
  Status define(int32_t t, const char* who) {
    PITH_RETURN_IF_ERROR(in_range(t, who));
    PITH_REQUIRE(!made_[static_cast<size_t>(t)], "'%s' makes tensor '%s', which exists already", who,
                 tensors_[static_cast<size_t>(t)].name);
    defined_[static_cast<size_t>(t)] = made_[static_cast<size_t>(t)] = true;
    trail_.push_back(t);
    return Status::ok();
  }

  // depth bounds recursion; a block belongs to exactly one If, so the whole walk is linear.
  Status block(uint32_t index, int depth) {
    PITH_REQUIRE(index < block_used_.size(), "an operator names block %u of %zu", index, block_used_.size());
    PITH_REQUIRE(depth <= kMaxDepth && !block_used_[index], "block %u is nested too deeply or used twice",
                 index);
    block_used_[index] = true;
    const Block& b = *program_.blocks()->Get(index);
    if (b.operators() != nullptr)
      for (const Operator* op : *b.operators()) PITH_RETURN_IF_ERROR(operation(*op, depth));
    if (b.outputs() != nullptr)
      for (int32_t t : *b.outputs()) PITH_RETURN_IF_ERROR(use(t, "a block's result"));
    return Status::ok();
  }

  Status operation(const Operator& op, int depth) {
    const char* name = op.name() == nullptr ? "" : op.name()->c_str();
    PITH_REQUIRE(op.options() != nullptr, "operator '%s' has no options", name);
    if (op.options_type() != schema::Op::IfOptions && find_op(op.options_type()) == nullptr)
      return Status(Code::unsupported,
                    format("operator '%s' has type %u (%s), which this runtime does not contain", name,
                           static_cast<unsigned>(op.options_type()), schema::EnumNameOp(op.options_type())));
    if (op.version() != 1)
      return Status(Code::unsupported,
                    format("operator '%s' has version %u; this runtime knows version 1: use a newer one",
                           name, op.version()));
    if (op.inputs() != nullptr)
      for (uint32_t i = 0; i < op.inputs()->size(); ++i) PITH_RETURN_IF_ERROR(input(op, i, name));
    if (op.options_type() == schema::Op::IfOptions) PITH_RETURN_IF_ERROR(branches(op, name, depth));
    PITH_REQUIRE(op.outputs() != nullptr && op.outputs()->size() > 0, "operator '%s' has no outputs", name);
    for (int32_t t : *op.outputs())
      if (t != -1) PITH_RETURN_IF_ERROR(define(t, name));
    return Status::ok();
  }

  // Packed weights are bytes that only some operators can read.
  Status input(const Operator& op, uint32_t i, const char* name) const {
    const int32_t t = op.inputs()->Get(i);
    if (t == -1) return Status::ok();
    PITH_RETURN_IF_ERROR(in_range(t, name));
    const TensorView& view = tensors_[static_cast<size_t>(t)];
    if (view.layout != Layout::row_major && reads_panels(op.options_type(), i)) return Status::ok();
    return use(t, name);
  }

  Status branches(const Operator& op, const char* name, int depth) {
    PITH_REQUIRE(op.inputs() != nullptr && op.inputs()->size() == 1 && op.inputs()->Get(0) >= 0,
                 "If '%s' needs exactly its condition as input", name);
    const auto* options = op.options_as_IfOptions();
    for (uint32_t index : {options->then_block(), options->else_block()}) {
      const size_t mark = trail_.size();
      PITH_RETURN_IF_ERROR(block(index, depth + 1));
      for (; trail_.size() > mark; trail_.pop_back())  // what a block makes is seen only inside it
        defined_[static_cast<size_t>(trail_.back())] = false;
      const Block& b = *program_.blocks()->Get(index);
      PITH_REQUIRE(
          b.outputs() != nullptr && op.outputs() != nullptr && b.outputs()->size() == op.outputs()->size(),
          "If '%s' and its block disagree on the number of results", name);
    }
    return Status::ok();
  }

  static constexpr int kMaxDepth = 16;
  const Program& program_;
  std::span<const TensorView> tensors_;
  std::vector<bool> defined_;  // visible here
  std::vector<bool> made_;     // made anywhere: every tensor has one maker
  std::vector<bool> block_used_;
  std::vector<int32_t> trail_;  // defined tensors, in order
};

}  // namespace

Status verify_program(const schema::Program& program, std::span<const TensorView> tensors) {
  return ProgramVerifier(program, tensors).run();
}

}  // namespace pith
