// Session: creation, shapes, and the run loop. Planning is in planner.cc.
#include "runtime/exec/session.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runtime/base/isa_cap.h"
#if PITH_WITH_XNNPACK
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#endif
#include "runtime/ops/infer_helpers.h"

namespace pith {

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

void Session::AlignedFree::operator()(uint8_t* p) const { std::free(p); }

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options) {
  const uint64_t begin = monotonic_ns();
  std::unique_ptr<Session> s(new Session);
  const auto* entries = model->program().entry_points();
  if (options.entry >= entries->size())
    return Status(Code::bad_argument,
                  format("entry point %zu does not exist; the model has %u", options.entry, entries->size()));
  s->model_ = std::move(model);
  s->options_ = options;
  PITH_ASSIGN(s->cpu_, session_cpu());
  s->pool_ = options.pool ? options.pool : std::shared_ptr<ThreadPool>(ThreadPool::create(options.threads));
  s->tensors_.assign(s->model_->tensors().begin(), s->model_->tensors().end());
  s->info_.resize(s->tensors_.size());
  const schema::EntryPoint& entry = s->model_->entry(options.entry);
  if (entry.inputs() != nullptr) s->inputs_.assign(entry.inputs()->begin(), entry.inputs()->end());
  s->outputs_.assign(entry.outputs()->begin(), entry.outputs()->end());
  PITH_RETURN_IF_ERROR(s->build_ops());
  s->compute_last_uses();
  s->read_tuning();
  s->times_.create_ns = monotonic_ns() - begin;
  return s;
}

Status read_environment(SessionOptions* options) {
  PITH_ASSIGN(options->backend, parse_backend(std::getenv("PITH_BACKEND")));
  if (const char* tune = std::getenv("PITH_TUNE"); tune != nullptr) options->tuning = tune;
  return Status::ok();
}

void Session::read_tuning() {
  tuning_ = options_.measured;
  if (tuning_ != nullptr || options_.tuning.empty()) return;
  const TuneKey key = tune_key();
  const std::string path = options_.tuning == "auto" ? tuning_path(key) : options_.tuning;
  if (path.empty()) {
    tuning_note_ = "no tuning used: neither XDG_CACHE_HOME nor HOME names a folder";
    return;
  }
  Result<Tuning> read = pith::read_tuning(path, key, ops_.size());
  if (!read.is_ok()) {
    tuning_note_ = "no tuning used: " + read.status().message();
    return;
  }
  tuning_ = std::make_shared<const Tuning>(std::move(read).value());
  tuning_note_ = "tuned by '" + path + "'";
}

uint64_t Session::converted_inside(const Step& step) const {
  [[maybe_unused]] const NodeState* state = ops_[step.op].state.get();
#if PITH_WITH_XNNPACK
  if (state != nullptr) return xnnpack_converted_bytes(*state);
#endif
  return 0;
}

std::span<const NodeTiming> Session::timings(size_t op) const {
  if (tuning_ == nullptr || op >= tuning_->nodes.size()) return {};
  return tuning_->nodes[op];
}

// Operators of all blocks in position order: an If, then its branches, then what follows.
Status Session::build_ops() {
  const auto& blocks = *model_->program().blocks();
  block_ops_.resize(blocks.size());
  size_t pointers = 0;
  for (const schema::Block* b : blocks)
    if (b->operators() != nullptr)
      for (const schema::Operator* op : *b->operators())
        pointers += (op->inputs() == nullptr ? 0 : op->inputs()->size()) + op->outputs()->size();
  pointers_.reserve(pointers);  // spans into it must stay valid

  std::vector<Frame> stack{{0, 0, SIZE_MAX}};
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const auto* list = blocks.Get(frame.block)->operators();
    if (list == nullptr || frame.next >= list->size()) {
      stack.pop_back();
      continue;
    }
    const schema::Operator& source = *list->Get(static_cast<uint32_t>(frame.next++));
    block_ops_[frame.block].push_back(ops_.size());
    PITH_RETURN_IF_ERROR(build_op(source));
    if (const auto* branch = source.options_as_IfOptions()) {
      ops_.back().then_first = branch->then_block();
      ops_.back().else_first = branch->else_block();
      stack.push_back({branch->else_block(), 0, SIZE_MAX});
      stack.push_back({branch->then_block(), 0, SIZE_MAX});
    }
  }
  return Status::ok();
}

Status Session::build_op(const schema::Operator& source) {
  OpInstance op;
  op.def = find_op(source.options_type());
  op.node.name = source.name() == nullptr ? "" : source.name()->c_str();
  op.node.op = source.options_type();
  op.node.options = source.options();
  const size_t first_input = pointers_.size();
  if (source.inputs() != nullptr)
    for (int32_t t : *source.inputs())
      pointers_.push_back(t < 0 ? nullptr : &tensors_[static_cast<size_t>(t)]);
  const size_t first_output = pointers_.size();
  for (int32_t t : *source.outputs())
    pointers_.push_back(t < 0 ? nullptr : &tensors_[static_cast<size_t>(t)]);
  op.node.inputs = {pointers_.data() + first_input, first_output - first_input};
  op.node.outputs = {pointers_.data() + first_output, pointers_.size() - first_output};
  if (op.def != nullptr && op.def->check != nullptr) PITH_RETURN_IF_ERROR(op.def->check(op.node));
  if (op.def != nullptr && (op.def->flags & kRemembers) != 0) remembering_.push_back(ops_.size());
  ops_.push_back(std::move(op));
  return Status::ok();
}

uint64_t Session::remembered() const {
  for (size_t op : remembering_)
    if (ops_[op].state != nullptr) return ops_[op].state->remembered();
  return 0;
}

Status Session::rewind(uint64_t tokens) {
  if (tokens > remembered())
    return Status(Code::bad_argument, format("the session holds %llu tokens: it cannot go back to %llu",
                                             static_cast<unsigned long long>(remembered()),
                                             static_cast<unsigned long long>(tokens)));
  for (size_t op : remembering_)
    if (ops_[op].state != nullptr) ops_[op].state->forget(tokens);
  return Status::ok();
}

// Static and conservative: a tensor lives until the last operator of any branch that reads it or an alias of
// it.
void Session::compute_last_uses() {
  auto use = [&](uint32_t tensor, int64_t at) {
    info_[tensor].static_last_use = std::max(info_[tensor].static_last_use, at);
  };
  const auto end = static_cast<int64_t>(ops_.size());
  for (uint32_t t : outputs_) use(t, end);
  for (uint32_t t : inputs_) use(t, end);
  for (size_t i = ops_.size(); i-- > 0;) {
    const OpInstance& op = ops_[i];
    for (const TensorView* t : op.node.outputs)
      if (t != nullptr) info_[id_of(t)].first = static_cast<int64_t>(i);
    for (const TensorView* t : op.node.inputs)
      if (t != nullptr) use(id_of(t), static_cast<int64_t>(i));
    if (op.def != nullptr && (op.def->flags & kAliasesInput) != 0 && op.node.has(0) && op.node.has_out(0))
      use(id_of(op.node.inputs[0]), info_[id_of(op.node.outputs[0])].static_last_use);
    if (op.def != nullptr) continue;
    // Reached after both branches (they come later), so their makers' aliases must be updated too: results of
    // a branch are kept to the end, which is safe and costs little.
    for (uint32_t b : {op.then_first, op.else_first})
      if (const auto* results = model_->program().blocks()->Get(b)->outputs())
        for (int32_t t : *results) use(static_cast<uint32_t>(t), end);
  }
  // A result of a branch may alias a tensor made inside it: one more reverse pass settles chains of aliases.
  for (size_t i = ops_.size(); i-- > 0;) {
    const OpInstance& op = ops_[i];
    if (op.def != nullptr && (op.def->flags & kAliasesInput) != 0 && op.node.has(0) && op.node.has_out(0))
      use(id_of(op.node.inputs[0]), info_[id_of(op.node.outputs[0])].static_last_use);
  }
}

Status Session::set_input_shape(size_t i, const Shape& shape) {
  if (i >= inputs_.size())
    return Status(Code::bad_argument,
                  format("input %zu does not exist; the model has %zu", i, inputs_.size()));
  const TensorView& declared = model_->tensors()[inputs_[i]];
  bool fits = shape.is_known() && shape.count() >= 0;
  if (fits && declared.shape.has_rank()) {
    fits = shape.rank() == declared.shape.rank();
    for (int d = 0; fits && d < shape.rank(); ++d)
      fits = declared.shape[d] < 0 || declared.shape[d] == shape[d];
  }
  if (!fits)
    return Status(Code::bad_argument, format("input '%s' expects shape %s, found %s", declared.name,
                                             declared.shape.text().c_str(), shape.text().c_str()));
  if (planned_ && tensors_[inputs_[i]].shape == shape) return Status::ok();
  tensors_[inputs_[i]].shape = shape;
  planned_ = false;
  return Status::ok();
}

Status Session::prepare() {
  if (planned_) return Status::ok();
  for (uint32_t t : inputs_) {
    if (!tensors_[t].shape.is_known())
      return Status(Code::bad_argument, format("input '%s' has shape %s: set its actual shape before the run",
                                               tensors_[t].name, tensors_[t].shape.text().c_str()));
  }
  discard_stages(0);
  PITH_RETURN_IF_ERROR(build_stage({{0, 0, SIZE_MAX}}, {}));
  planned_ = true;
  return Status::ok();
}

Status Session::run() {
  PITH_RETURN_IF_ERROR(prepare());
  for (size_t op : remembering_)
    if (ops_[op].state != nullptr) PITH_RETURN_IF_ERROR(ops_[op].state->ready());
  if (pool_->threads() == 1) return run_stages(nullptr);
  const uint64_t begin = monotonic_ns();
  PITH_RETURN_IF_ERROR(run_stages(team_.shares() ? pool_.get() : nullptr));
  team_.ran(monotonic_ns() - begin);
  return Status::ok();
}

Status Session::run_stages(ThreadPool* pool) {
  for (size_t k = 0;; ++k) {
    if (k == stages_.size()) {
      if (cursor_.empty()) break;
      std::vector<Frame> begin = std::move(cursor_);
      PITH_RETURN_IF_ERROR(build_stage(std::move(begin), watch(wanted_)));
    } else if (k > 0 && !watches_hold(stages_[k])) {
      std::vector<Frame> begin = stages_[k].begin;
      std::vector<uint32_t> wanted;
      for (const Watch& w : stages_[k].watches) wanted.push_back(w.tensor);
      discard_stages(k);
      PITH_RETURN_IF_ERROR(build_stage(std::move(begin), watch(wanted)));
    }
    Stage& stage = stages_[k];
    RunContext context;
    context.pool = pool;
    for (Step& step : stage.steps) {
      OpInstance& op = ops_[step.op];
      context.scratch = stage.arena.get() + stage.scratch_offset;
      context.state = op.state.get();
      if (trace_ == nullptr) {
        step.kernel.run(op.node, context);
        continue;
      }
      const uint64_t begin = monotonic_ns();
      step.kernel.run(op.node, context);
      trace_->on_step({&op.node, &step.kernel, begin, monotonic_ns()});
    }
  }
  return Status::ok();
}

MemoryUse Session::memory() const {
  MemoryUse use;
  for (const Stage& s : stages_) {
    use.arena_bytes += s.arena_bytes;
    use.scratch_bytes += s.scratch_bytes;
    use.plan_value_bytes += s.value_bytes;
  }
  return use;
}

}  // namespace pith
