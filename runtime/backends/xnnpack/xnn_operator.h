// What every lowering shares: an owned XNNPACK operator, the state kept between plans, and the Lowering that
// a lowering function fills in.
//
//   Status lower_x(const NodeView& node, Lowering& low) {
//     if (...) return decline("why not");
//     XnnState& s = low.state();                         // or low.packed_state(constants) with weights
//     if (!s.op) PITH_RETURN_IF_ERROR(check_xnn(xnn_create_...(..., s.op.put())));
//     PITH_RETURN_IF_ERROR(check_xnn(xnn_reshape_...(s.op.get(), ..., low.threads())));
//     return low.done("xnn_x", bind_x);                  // bind_x calls xnn_setup_...; run is shared
//   }
#pragma once
#include <xnnpack.h>

#include <utility>

#include "runtime/ops/op.h"
#include "runtime/threads/brief_work.h"

namespace pith {

class XnnOperator {
 public:
  XnnOperator() = default;
  XnnOperator(const XnnOperator&) = delete;
  XnnOperator& operator=(const XnnOperator&) = delete;
  ~XnnOperator() { reset(); }
  void reset() {
    if (op_ != nullptr) xnn_delete_operator(op_);
    op_ = nullptr;
  }
  xnn_operator_t get() const { return op_; }
  explicit operator bool() const { return op_ != nullptr; }
  xnn_operator_t* put() {  // for xnn_create_*: what was held is freed
    reset();
    return &op_;
  }

 private:
  xnn_operator_t op_ = nullptr;
};

// Lives with the session: packed weights survive planning for another shape.
class XnnState : public NodeState {
 public:
  XnnState() { owner = kOwner; }
  static constexpr const char* kOwner = "xnnpack";
  XnnOperator op;
  XnnOperator second;   // runs after `op` when present: a clamp, or the product after a conversion
  size_t part[2] = {};  // byte offsets into scratch; the workspace of `op` is at 0
  // u8 activations run as i8 where weights fit i8: codes move by 128 on the way in, from x to scratch + part[0],
  // and on the way out, within y. Bytes; 0: nothing moves.
  size_t shift_in = 0, shift_out = 0;
  bool runs_signed = false;  // `op` multiplies i8 codes (else u8)
  bool serial = false;       // too little work to wake other threads
  BriefWork brief;
  const void* input(const NodeView& node, void* scratch) const {
    return shift_in == 0 ? node.in(0).data : static_cast<char*>(scratch) + part[0];
  }
};

class Lowering {
 public:
  Lowering(const NodeView& node, PrepareContext* context)
      : node_(node), context_(context), serial_(is_below(node, kSerialWork)) {}
  pthreadpool_t threads() const {
    return context_->pool() == nullptr || serial_ ? nullptr : context_->pool()->handle();
  }
  // Fresh state: for operators that are cheap to create.
  XnnState& state() { return adopt(std::make_unique<XnnState>()); }
  // The same for a state of a kind of its own.
  XnnState& adopt(std::unique_ptr<XnnState> fresh) {
    fresh_ = std::move(fresh);
    state_ = fresh_.get();
    return *state_;
  }
  // For operators that pack the constants in `inputs`: the state of the last plan when these cannot have
  // changed, else fresh. Nothing else that enters xnn_create_* may depend on shapes.
  XnnState& packed_state(std::initializer_list<size_t> inputs) {
    for (size_t i : inputs)
      if (node_.has(i) && !node_.in(i).is_constant) return state();
    NodeState* kept = context_->state();
    if (kept == nullptr || kept->owner != XnnState::kOwner) return state();
    state_ = static_cast<XnnState*>(kept);
    return *state_;
  }
  // Commits: the node is ours. `scratch_bytes`: workspace and parts; room for shifted codes is added. `run`: null for
  // the usual way, `op` then `second`.
  Status done(const char* kernel_name, BindFn bind, size_t scratch_bytes = 0, RunFn run = nullptr);

 private:
  const NodeView& node_;
  PrepareContext* context_;
  std::unique_ptr<XnnState> fresh_;
  XnnState* state_ = nullptr;
  // Multiply-adds: about 10 us, and 0.7 ms of f32 on one thread.
  static constexpr int64_t kSerialWork = int64_t{1} << 17, kBriefWork = int64_t{1} << 25;
  static bool is_below(const NodeView& node, int64_t work);
  const bool serial_;
};

// The lowering does not take the node; the reason is shown by `pith inspect --kernels`. Static storage.
Status decline(const char* reason);
// ok, or how XNNPACK's refusal reaches us: unsupported parameters decline, out of memory fails.
Status check_xnn(xnn_status status);

// Sizes that XNNPACK is given. It computes in size_t without checks, and keeps kernel, stride and padding in
// 32 bits; every tensor here is far below what could overflow (64-bit) or refused (32-bit).
bool fits_xnn(const TensorView& t);

inline size_t dim(const Shape& s, int i) { return static_cast<size_t>(s[i]); }
inline size_t product(const Shape& s, int begin, int end) { return static_cast<size_t>(s.count(begin, end)); }

// Memory for a temporary copy of constants while packing; XNNPACK may read a few bytes past the end.
class PackBuffer {
 public:
  PackBuffer() = default;
  PackBuffer(const PackBuffer&) = delete;
  PackBuffer& operator=(const PackBuffer&) = delete;
  ~PackBuffer();
  void* allocate(size_t bytes);  // null: out of memory

 private:
  void* data_ = nullptr;
};
// Constants as f32: the tensor's own bytes, or converted from f16/bf16 into `buffer`. Null: out of memory.
const float* as_f32(const TensorView& t, PackBuffer& buffer);
inline bool is_f32_like(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

// Scratch layout: parts on 128-byte boundaries.
inline size_t align_scratch(size_t bytes) { return (bytes + 127) / 128 * 128; }

}  // namespace pith
