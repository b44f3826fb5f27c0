// Session: one model made ready to run, with its own activations. Belongs to one thread at a time.
//
// A plan is a list of stages. Most models have one. Where the shape of a tensor depends on a value that is
// only known once earlier nodes have run (NonZero, Reshape to a computed shape, If on an input), the plan is
// cut: the first stage runs, then the next one is planned with the values at hand. Later runs compare those
// values and plan again only if they changed.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/exec/dispatch.h"
#include "runtime/exec/trace.h"
#include "runtime/exec/tuning.h"
#include "runtime/model/model.h"
#include "runtime/threads/team_policy.h"

namespace pith {

struct SessionOptions {
  size_t threads = 1;
  std::shared_ptr<ThreadPool> pool;  // shared with other sessions (see parallel.h); overrides threads
  BackendChoice backend = BackendChoice::automatic;
  size_t entry = 0;
  uint64_t max_arena_bytes = uint64_t{1} << 40;
  // What `pith tune` measured: "" none, "auto" the file in the cache folder, else a file. One that is missing, made for
  // something else or malformed is not used: Session::tuning_note() says why.
  std::string tuning;
  std::shared_ptr<const Tuning> measured;  // the same without a file; overrides it
};
// PITH_BACKEND and PITH_TUNE.
Status read_environment(SessionOptions* options);

struct MemoryUse {
  uint64_t arena_bytes = 0;       // activations, planned
  uint64_t scratch_bytes = 0;     // part of the arenas
  uint64_t plan_value_bytes = 0;  // values computed while planning
};

// Where the time before the first run went.
struct StartTimes {
  uint64_t create_ns = 0;   // operators checked, lifetimes found
  uint64_t plan_ns = 0;     // shapes inferred, small values computed, memory laid out; create not included
  uint64_t prepare_ns = 0;  // backends: kernels chosen, weights packed, pointers bound
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options);
  ~Session();

  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  // Shape may hold unknown dims until set; data is null until prepare. Outputs are valid after run, until the
  // next run.
  const TensorView& input(size_t i) const { return tensors_[inputs_[i]]; }
  const TensorView& output(size_t i) const { return tensors_[outputs_[i]]; }

  // Must agree with the declared dims. Moves the data of every input: write inputs after prepare.
  Status set_input_shape(size_t i, const Shape& shape);
  // Plans and allocates as far as possible without input data. Called by run when needed.
  Status prepare();
  // No heap allocation once the plan is complete and no planning value changes.
  Status run();

  // Models with memory (a cache of keys and values): tokens held from earlier runs, and forgetting those from place `tokens`
  // on. A run that cannot hold its tokens too is refused before anything changes.
  uint64_t remembered() const;
  Status rewind(uint64_t tokens);

  void set_trace(TraceSink* sink) { trace_ = sink; }
  MemoryUse memory() const;
  // Sums over all planning since create.
  const StartTimes& start_times() const { return times_; }
  // Fills Step::candidates. Set before prepare, which then tries every backend on every node.
  void explain_kernels() { explain_ = true; }
  // What became of SessionOptions::tuning, a sentence; empty when there was none.
  const std::string& tuning_note() const { return tuning_note_; }

  struct Step {
    size_t op;  // index for node()
    Kernel kernel;
    std::vector<KernelCandidate> candidates;  // filled when explain_kernels was called; the chosen one first
  };
  size_t stage_count() const { return stages_.size(); }
  const std::vector<Step>& steps(size_t stage) const { return stages_[stage].steps; }
  const NodeView& node(size_t op) const { return ops_[op].node; }
  size_t node_count() const { return ops_.size(); }
  TuneKey tune_key() const { return pith::tune_key(*model_, cpu_, pool_->threads()); }
  BackendChoice backend() const { return options_.backend; }
  // Bytes that the step's kernel converts on the way in and out, besides its own work.
  uint64_t converted_inside(const Step& step) const;
  // What was measured for a node, the quickest backend first; empty: nothing.
  std::span<const NodeTiming> timings(size_t op) const;

 private:
  struct OpInstance {
    const OpDef* def = nullptr;  // null for If
    NodeView node;
    std::unique_ptr<NodeState> state;
    uint32_t then_first = 0, else_first = 0;  // If: block index
  };
  struct Frame {  // a position in a block; `if_op` is the operator whose branch this is, or npos
    uint32_t block;
    size_t next;
    size_t if_op;
  };
  struct Watch {
    uint32_t tensor;
    std::vector<uint8_t> bytes;
    Shape shape;
  };
  struct AlignedFree {
    void operator()(uint8_t* p) const;
  };
  using AlignedBytes = std::unique_ptr<uint8_t, AlignedFree>;
  struct Stage {
    std::vector<Frame> begin;  // where planning of this stage starts
    std::vector<Watch> watches;
    std::vector<uint32_t> defined;  // tensors this stage defines, in order
    std::vector<Step> steps;
    AlignedBytes arena;
    uint64_t arena_bytes = 0, scratch_bytes = 0, scratch_offset = 0, value_bytes = 0;
    std::vector<AlignedBytes> values;
  };
  enum class Storage : uint8_t { none, constant, arena, value };
  struct TensorInfo {
    int64_t static_last_use = -1;  // position, conservative over branches and aliases
    int64_t last_use = -1;         // the same, extended in this plan by tensors that share the bytes
    int64_t first = -1;            // static position of the maker
    uint32_t root = 0;             // whose bytes these are
    uint32_t stage = 0;
    Storage storage = Storage::none;
  };

  Session() = default;
  Status run_stages(ThreadPool* pool);
  void read_tuning();
  Status build_ops();
  Status build_op(const schema::Operator& source);
  void compute_last_uses();
  uint32_t id_of(const TensorView* t) const { return static_cast<uint32_t>(t - tensors_.data()); }

  // Planning (planner.cc)
  Status build_stage(std::vector<Frame> begin, std::vector<Watch> watches);
  Status infer_stage(Stage& stage, bool* cut);
  Status plan_node(Stage& stage, size_t op, bool* cut);
  Status infer_node(const OpInstance& op, bool* cut);
  Status check_inferred(const OpInstance& op) const;
  Status enter_if(size_t op, bool* cut);
  Status leave_if(Stage& stage, size_t op, uint32_t block);
  void alias(Stage& stage, uint32_t out, uint32_t in);
  void define(Stage& stage, uint32_t tensor, Storage storage);
  bool evaluates_now(const OpInstance& op) const;
  Status evaluate(Stage& stage, size_t op);
  Status choose_kernels(Stage& stage);
  bool try_in_place(const OpInstance& op, uint32_t out);
  Status allocate(Stage& stage);
  Status bind(Stage& stage);
  void discard_stages(size_t first);
  bool watches_hold(const Stage& stage) const;
  std::vector<Watch> watch(const std::vector<uint32_t>& tensors) const;

  std::shared_ptr<const Model> model_;
  SessionOptions options_;
  std::shared_ptr<ThreadPool> pool_;
  Cpu cpu_;
  std::vector<TensorView> tensors_;
  std::vector<TensorInfo> info_;
  std::vector<TensorView*> pointers_;  // inputs and outputs of all ops, one after the other
  std::vector<OpInstance> ops_;        // position order: an If before the operators of its branches
  std::vector<size_t> remembering_;    // ops with kRemembers
  std::vector<std::vector<size_t>> block_ops_;
  std::vector<uint32_t> inputs_, outputs_;
  std::vector<Stage> stages_;
  std::vector<Frame> cursor_;     // where planning stopped; empty when the plan is complete
  std::vector<uint32_t> wanted_;  // tensors whose values the node at the cursor waits for
  bool planned_ = false;
  bool explain_ = false;
  TraceSink* trace_ = nullptr;
  TeamPolicy team_;
  std::shared_ptr<const Tuning> tuning_;
  std::string tuning_note_;
  StartTimes times_;
};

}  // namespace pith
