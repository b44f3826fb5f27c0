// What an operator is: TensorView and NodeView (what it works on), OpDef (what it can do), and the two
// contexts it is given.
//
// The life of an operator, in order:
//   check    once per session: option ranges, number of inputs, element types. Shapes are not known yet.
//   infer    once per plan: sets dtype and shape of every output (dtype first). The same code runs in the
//   converter, where a
//            dim may be kUnknownDim: propagate it, never compute with it (helpers:
//            runtime/ops/infer_helpers.h). Never reads input data unless need_value(node, i) says it may.
//   prepare  once per plan, shapes known, data not bound: choose the kernel, ask for scratch. May be null.
//   run      every inference; cannot fail, does not allocate.
#pragma once
#include <memory>
#include <span>

#include "kernels/base/cpu.h"
#include "kernels/base/types.h"
#include "pith/schema/ops_generated.h"
#include "runtime/base/shape.h"
#include "runtime/base/status.h"
#include "runtime/threads/parallel.h"

namespace pith {

// real = scale * (code - zero_point); see schema/program.fbs.
struct QuantView {
  std::span<const float> scales;
  std::span<const int32_t> zero_points;
  int axis = -1;
  uint32_t group = 0;
  bool empty() const { return scales.empty(); }
  bool per_tensor() const { return scales.size() == 1 && group == 0; }
};

struct TensorView {
  const char* name = "";
  DType dtype = DType::none;
  Layout layout = Layout::row_major;
  Shape shape;
  uint16_t group = 0;                // packed layouts: K per group scale, 0 where the layout has none
  const int8_t* codebook = nullptr;  // of layouts with a table: its 16 values
  QuantView quant;
  void* data = nullptr;       // constants: read-only mapping. Null until bound.
  bool is_constant = false;   // data comes from the file
  bool has_value = false;     // data may be read while planning
  bool value_wanted = false;  // set by need_value: the planner must provide it

  int64_t count() const { return shape.count(); }
  // Bytes of the dense row-major tensor; 4-bit types round up to whole bytes. Shape must be known.
  size_t byte_size() const { return (static_cast<size_t>(count()) * bits_of(dtype) + 7) / 8; }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  template <class T>
  T* as_mutable() const {
    return static_cast<T*>(data);
  }
};

struct NodeView {
  const char* name = "";
  schema::Op op = schema::Op::NONE;
  const void* options = nullptr;
  std::span<TensorView* const> inputs;   // null: omitted
  std::span<TensorView* const> outputs;  // null: unused

  template <class Options>
  const Options& opt() const {
    return *static_cast<const Options*>(options);
  }
  bool has(size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  bool has_out(size_t i) const { return i < outputs.size() && outputs[i] != nullptr; }
  TensorView& in(size_t i) const { return *inputs[i]; }
  TensorView& out(size_t i) const { return *outputs[i]; }
};

// Kept by a node between plans (an XNNPACK operator with packed weights, a table); freed with the session.
class NodeState {
 public:
  virtual ~NodeState() = default;
  // Operators with kRemembers. ready: why a run of the present plan cannot begin; remembered: tokens held; forget: all from
  // this place on.
  virtual Status ready() const { return Status::ok(); }
  virtual uint64_t remembered() const { return 0; }
  virtual void forget(uint64_t /*from*/) {}
  const char* owner = nullptr;  // the backend that made it, null: the reference; nobody casts another's state
};

struct RunContext {
  ThreadPool* pool = nullptr;
  void* scratch = nullptr;     // at least what prepare asked for, 128-byte aligned
  NodeState* state = nullptr;  // what prepare stored
};
using RunFn = void (*)(const NodeView&, RunContext&);
using BindFn = Status (*)(const NodeView&, NodeState*, void* scratch, ThreadPool* pool);

// The outcome of prepare: which kernel runs a node.
struct Kernel {
  const char* backend = "reference";
  const char* name = "";  // static storage
  RunFn run = nullptr;
  BindFn bind = nullptr;  // called after every (re)binding of data pointers
  size_t scratch_bytes = 0;
};

class PrepareContext {
 public:
  // cpu: what kernels may use; by default nothing beyond the baseline.
  PrepareContext(Kernel* kernel, std::unique_ptr<NodeState>* state, ThreadPool* pool, Cpu cpu = {})
      : kernel_(kernel), state_(state), pool_(pool), cpu_(cpu) {}
  void use(const char* kernel_name, RunFn run, BindFn bind = nullptr) {
    kernel_->name = kernel_name;
    kernel_->run = run;
    kernel_->bind = bind;
  }
  void set_backend(const char* backend) { kernel_->backend = backend; }
  void request_scratch(size_t bytes) { kernel_->scratch_bytes = bytes; }
  ThreadPool* pool() const { return pool_; }
  Cpu cpu() const { return cpu_; }
  // State kept from an earlier plan of this node, or null. The caller knows the type: one backend, one type
  // per node (see NodeState::owner).
  NodeState* state() const { return state_->get(); }
  void keep(std::unique_ptr<NodeState> state) { *state_ = std::move(state); }

 private:
  Kernel* kernel_;
  std::unique_ptr<NodeState>* state_;
  ThreadPool* pool_;
  Cpu cpu_;
};

enum OpFlags : uint32_t {
  kNoFlags = 0,
  kAliasesInput =
      1,  // output 0 has the bytes of input 0: no copy, run is never called unless input 0 cannot be shared
  kInPlace = 2,    // output 0 may overwrite an input of the same byte size that dies here
  kShapeOnly = 4,  // the output depends on the shapes of the inputs, not on their data
  kRemembers = 8,  // the output depends on earlier runs: its NodeState keeps something from run to run
};

struct OpDef {
  schema::Op tag;
  const char* name;
  uint32_t flags;
  Status (*check)(const NodeView&);
  Status (*infer)(const NodeView&);
  Status (*prepare)(const NodeView&, PrepareContext&);  // null: nothing to choose, `run` is the kernel
  RunFn run;
};

// Opens the definition of the operator that a row of op_list.inc names, in runtime/ops/<stem>_op.cc:
//   PITH_OPERATOR(Softmax){schema::Op::SoftmaxOptions, "softmax", kNoFlags, check, infer, nullptr, run};
// (The list itself is not included here: adding an operator must not rebuild all of them.)
#define PITH_OPERATOR(Name)       \
  extern const OpDef k##Name##Op; \
  const OpDef k##Name##Op

// The definition for a tag, or null when this build does not contain the operator.
const OpDef* find_op(schema::Op tag);

}  // namespace pith
