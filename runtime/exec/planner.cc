// Planning of one stage: infer shapes, compute what can be computed now, choose kernels, lay out memory, bind
// pointers.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/exec/session.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/plan/memory_planner.h"

namespace pith {
namespace {

// Values up to this size are computed while planning when their inputs are known: shape arithmetic, small
// tables.
constexpr size_t kPlanValueBytes = 64 << 10;
// Vector code may read this many bytes past a tensor.
constexpr uint64_t kArenaSlack = 256;

uint8_t* allocate_aligned(uint64_t bytes) {
  const uint64_t rounded = (bytes + kArenaSlack + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  return static_cast<uint8_t*>(std::aligned_alloc(kBufferAlignment, rounded));
}

}  // namespace

std::vector<Session::Watch> Session::watch(const std::vector<uint32_t>& tensors) const {
  std::vector<Watch> watches;
  for (uint32_t t : tensors) {
    const TensorView& view = tensors_[t];
    const auto* p = view.as<uint8_t>();
    watches.push_back({t, std::vector<uint8_t>(p, p + view.byte_size()), view.shape});
  }
  return watches;
}

bool Session::watches_hold(const Stage& stage) const {
  for (const Watch& w : stage.watches)
    if (w.bytes.size() != tensors_[w.tensor].byte_size() ||
        (!w.bytes.empty() && std::memcmp(w.bytes.data(), tensors_[w.tensor].data, w.bytes.size()) != 0))
      return false;
  return true;
}

void Session::discard_stages(size_t first) {
  while (stages_.size() > first) {
    for (uint32_t t : stages_.back().defined) {
      const bool is_input = std::find(inputs_.begin(), inputs_.end(), t) != inputs_.end();
      const Shape shape = is_input ? tensors_[t].shape : model_->tensors()[t].shape;
      tensors_[t] = model_->tensors()[t];
      tensors_[t].shape = shape;
      info_[t].storage = tensors_[t].is_constant ? Storage::constant : Storage::none;
    }
    for (const Watch& w : stages_.back().watches) tensors_[w.tensor].has_value = false;
    stages_.pop_back();
  }
  cursor_.clear();
}

void Session::define(Stage& stage, uint32_t tensor, Storage storage) {
  info_[tensor].root = tensor;
  info_[tensor].last_use = info_[tensor].static_last_use;
  info_[tensor].storage = storage;
  info_[tensor].stage = static_cast<uint32_t>(stages_.size() - 1);
  stage.defined.push_back(tensor);
}

void Session::alias(Stage& stage, uint32_t out, uint32_t in) {
  define(stage, out, info_[in].storage);
  info_[out].root = info_[in].root;
  tensors_[out].data = tensors_[in].data;
  tensors_[out].has_value = tensors_[in].has_value;
}

Status Session::build_stage(std::vector<Frame> begin, std::vector<Watch> watches) {
  if (stages_.empty())
    for (uint32_t t = 0; t < tensors_.size(); ++t)
      if (tensors_[t].is_constant) info_[t].root = t, info_[t].storage = Storage::constant;
  Stage& stage = stages_.emplace_back();
  stage.begin = begin;
  stage.watches = std::move(watches);
  for (const Watch& w : stage.watches) tensors_[w.tensor].has_value = true;
  if (stages_.size() == 1)
    for (uint32_t t : inputs_) define(stage, t, Storage::arena);
  cursor_ = std::move(begin);

  bool cut = false;
  const uint64_t started = monotonic_ns();
  Status s = infer_stage(stage, &cut);
  const uint64_t inferred = monotonic_ns();
  if (s.is_ok()) s = choose_kernels(stage);
  const uint64_t chosen = monotonic_ns();
  if (s.is_ok()) s = allocate(stage);
  const uint64_t allocated = monotonic_ns();
  if (s.is_ok()) s = bind(stage);
  times_.plan_ns += (inferred - started) + (allocated - chosen);
  times_.prepare_ns += (chosen - inferred) + (monotonic_ns() - allocated);
  if (!s.is_ok()) {  // leave nothing half-planned: the next run starts afresh
    discard_stages(0);
    planned_ = false;
  }
  return s;
}

Status Session::infer_stage(Stage& stage, bool* cut) {
  while (!cursor_.empty()) {
    Frame frame = cursor_.back();
    if (frame.next == block_ops_[frame.block].size()) {
      cursor_.pop_back();
      if (frame.if_op != SIZE_MAX) PITH_RETURN_IF_ERROR(leave_if(stage, frame.if_op, frame.block));
      continue;
    }
    const size_t op = block_ops_[frame.block][frame.next];
    const size_t depth = cursor_.size();
    if (ops_[op].def == nullptr)
      PITH_RETURN_IF_ERROR(enter_if(op, cut));
    else
      PITH_RETURN_IF_ERROR(plan_node(stage, op, cut));
    if (*cut) return Status::ok();
    ++cursor_[depth - 1].next;
  }
  return Status::ok();
}

Status Session::enter_if(size_t op, bool* cut) {
  const NodeView& node = ops_[op].node;
  if (Status s = need_value(node, 0); !s.is_ok()) {
    *cut = true;
    node.in(0).value_wanted = false;
    wanted_ = {id_of(&node.in(0))};
    return Status::ok();
  }
  if (node.in(0).count() < 1 || size_of(node.in(0).dtype) != 1)
    return node_error(node, Code::bad_file, "the condition must be one bool");
  const bool condition = *node.in(0).as<uint8_t>() != 0;
  cursor_.push_back({condition ? ops_[op].then_first : ops_[op].else_first, 0, op});
  return Status::ok();
}

Status Session::leave_if(Stage& stage, size_t op, uint32_t block) {
  const auto* results = model_->program().blocks()->Get(block)->outputs();
  const NodeView& node = ops_[op].node;
  for (uint32_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr) continue;
    const auto in = static_cast<uint32_t>(results->Get(i));
    const uint32_t out = id_of(node.outputs[i]);
    set_output(node, i, tensors_[in].dtype, tensors_[in].shape);
    alias(stage, out, in);
  }
  return check_inferred(ops_[op]);
}

Status Session::infer_node(const OpInstance& op, bool* cut) {
  Status s = op.def->infer(op.node);
  if (s.code() != Code::needs_value) return s;
  *cut = true;
  wanted_.clear();
  for (TensorView* t : op.node.inputs) {
    if (t == nullptr || !t->value_wanted) continue;
    t->value_wanted = false;
    wanted_.push_back(id_of(t));
  }
  return wanted_.empty() ? Status(Code::internal, s.message()) : Status::ok();
}

// The file must not promise anything else than what the shape rule says.
Status Session::check_inferred(const OpInstance& op) const {
  for (const TensorView* t : op.node.outputs) {
    if (t == nullptr) continue;
    const TensorView& declared = model_->tensors()[id_of(t)];
    if (t->dtype != declared.dtype)
      return node_error(op.node, Code::bad_file,
                        format("gives %s, but tensor '%s' is declared %s", name_of(t->dtype), t->name,
                               name_of(declared.dtype)));
    bool fits = t->shape.is_known() && t->shape.count() >= 0;
    if (fits && declared.shape.has_rank()) {
      fits = declared.shape.rank() == t->shape.rank();
      for (int d = 0; fits && d < t->shape.rank(); ++d)
        fits = declared.shape[d] < 0 || declared.shape[d] == t->shape[d];
    }
    if (!fits)
      return node_error(op.node, Code::bad_file,
                        format("gives shape %s, but tensor '%s' is declared %s", t->shape.text().c_str(),
                               t->name, declared.shape.text().c_str()));
  }
  return Status::ok();
}

Status Session::plan_node(Stage& stage, size_t op_index, bool* cut) {
  OpInstance& op = ops_[op_index];
  PITH_RETURN_IF_ERROR(infer_node(op, cut));
  if (*cut) return Status::ok();
  PITH_RETURN_IF_ERROR(check_inferred(op));
  if ((op.def->flags & kAliasesInput) != 0) {
    alias(stage, id_of(op.node.outputs[0]), id_of(op.node.inputs[0]));
    return Status::ok();
  }
  if (evaluates_now(op)) return evaluate(stage, op_index);
  for (const TensorView* t : op.node.outputs)
    if (t != nullptr) define(stage, id_of(t), Storage::arena);
  stage.steps.push_back({op_index, {}, {}});
  return Status::ok();
}

bool Session::evaluates_now(const OpInstance& op) const {
  if ((op.def->flags & kRemembers) != 0) return false;
  const bool shape_only = (op.def->flags & kShapeOnly) != 0;
  bool all_constant = true;
  for (const TensorView* t : op.node.inputs) {
    if (t == nullptr || shape_only) continue;
    if (!t->has_value) return false;
    all_constant = all_constant && t->is_constant;
  }
  size_t bytes = 0;
  for (const TensorView* t : op.node.outputs) bytes += t == nullptr ? 0 : t->byte_size();
  return bytes <= kPlanValueBytes || (all_constant && !shape_only);
}

// Runs one node while planning, by the reference: results are part of the plan.
Status Session::evaluate(Stage& stage, size_t op_index) {
  OpInstance& op = ops_[op_index];
  for (TensorView* t : op.node.outputs) {
    if (t == nullptr) continue;
    const uint64_t bytes = t->byte_size();
    if (bytes > options_.max_arena_bytes)
      return node_error(op.node, Code::no_memory, "its result is too large");
    AlignedBytes memory(allocate_aligned(bytes));
    if (memory == nullptr) return node_error(op.node, Code::no_memory, "cannot allocate its result");
    define(stage, id_of(t), Storage::value);
    t->data = memory.get();
    stage.value_bytes += bytes;
    stage.values.push_back(std::move(memory));
  }
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  PrepareContext prepare(&kernel, &state, nullptr);
  PITH_RETURN_IF_ERROR(choose_kernel(*op.def, op.node, {BackendChoice::reference}, prepare, &kernel));
  AlignedBytes scratch(allocate_aligned(kernel.scratch_bytes));
  if (scratch == nullptr) return node_error(op.node, Code::no_memory, "cannot allocate scratch");
  if (kernel.bind != nullptr) PITH_RETURN_IF_ERROR(kernel.bind(op.node, state.get(), scratch.get(), nullptr));
  RunContext run;
  run.scratch = scratch.get();
  run.state = state.get();
  kernel.run(op.node, run);
  for (TensorView* t : op.node.outputs)
    if (t != nullptr) t->has_value = true;
  return Status::ok();
}

Status Session::choose_kernels(Stage& stage) {
  for (Step& step : stage.steps) {
    OpInstance& op = ops_[step.op];
    PrepareContext context(&step.kernel, &op.state, pool_.get(), cpu_);
    const std::span<const NodeTiming> measured = timings(step.op);
    const BackendChoice tuned = measured.empty() ? BackendChoice::automatic : measured.front().backend;
    PITH_RETURN_IF_ERROR(choose_kernel(*op.def, op.node, {options_.backend, tuned}, context, &step.kernel,
                                       explain_ ? &step.candidates : nullptr));
    stage.scratch_bytes = std::max<uint64_t>(stage.scratch_bytes, step.kernel.scratch_bytes);
  }
  return Status::ok();
}

// Output 0 may take over the bytes of an input that nobody reads after this node.
bool Session::try_in_place(const OpInstance& op, uint32_t out) {
  if ((op.def->flags & kInPlace) == 0) return false;
  const int64_t position = info_[out].first;
  for (const TensorView* t : op.node.inputs) {
    if (t == nullptr || t->has_value) continue;
    uint32_t root = info_[id_of(t)].root;
    while (info_[root].root != root)
      root = info_[root].root;  // an owner may itself have been placed in another
    if (info_[root].storage != Storage::arena || info_[root].stage != info_[out].stage ||
        info_[root].last_use != position || tensors_[root].byte_size() != tensors_[out].byte_size() ||
        size_of(t->dtype) != size_of(tensors_[out].dtype))
      continue;
    info_[out].root = root;
    info_[root].last_use = std::max(info_[root].last_use, info_[out].last_use);
    return true;
  }
  return false;
}

Status Session::allocate(Stage& stage) {
  for (const Step& step : stage.steps)
    if (ops_[step.op].node.has_out(0)) try_in_place(ops_[step.op], id_of(ops_[step.op].node.outputs[0]));

  std::vector<BufferRequest> requests;
  std::vector<uint32_t> owners;
  const uint32_t here = static_cast<uint32_t>(stages_.size() - 1);
  for (uint32_t t : stage.defined) {
    if (info_[t].storage != Storage::arena || info_[t].root != t || info_[t].stage != here) continue;
    const uint64_t bytes = tensors_[t].byte_size();
    if (bytes > options_.max_arena_bytes || tensors_[t].count() < 0)
      return Status(Code::no_memory,
                    format("tensor '%s' of shape %s is larger than the memory limit of %llu bytes",
                           tensors_[t].name, tensors_[t].shape.text().c_str(),
                           static_cast<unsigned long long>(options_.max_arena_bytes)));
    requests.push_back({bytes, info_[t].first, std::max(info_[t].last_use, info_[t].first), 0});
    owners.push_back(t);
  }
  if (stage.scratch_bytes > 0) requests.push_back({stage.scratch_bytes, INT64_MIN, INT64_MAX, 0});
  stage.arena_bytes = plan_memory(requests);
  if (stage.arena_bytes > options_.max_arena_bytes)
    return Status(Code::no_memory, format("the plan needs %llu bytes; the limit is %llu",
                                          static_cast<unsigned long long>(stage.arena_bytes),
                                          static_cast<unsigned long long>(options_.max_arena_bytes)));
  stage.arena.reset(allocate_aligned(stage.arena_bytes));
  if (stage.arena == nullptr)
    return Status(Code::no_memory, format("cannot allocate %llu bytes for activations",
                                          static_cast<unsigned long long>(stage.arena_bytes)));
  for (size_t i = 0; i < owners.size(); ++i)
    tensors_[owners[i]].data = stage.arena.get() + requests[i].offset;
  stage.scratch_offset = stage.scratch_bytes > 0 ? requests.back().offset : 0;
  return Status::ok();
}

Status Session::bind(Stage& stage) {
  for (uint32_t t : stage.defined)
    if (info_[t].root != t) tensors_[t].data = tensors_[info_[t].root].data;
  for (Step& step : stage.steps)
    if (step.kernel.bind != nullptr) {
      OpInstance& op = ops_[step.op];
      PITH_RETURN_IF_ERROR(
          step.kernel.bind(op.node, op.state.get(), stage.arena.get() + stage.scratch_offset, pool_.get()));
    }
  return Status::ok();
}

}  // namespace pith
