// Shared parts of the lowerings: running, committing, converting constants.
#include "runtime/backends/xnnpack/xnn_operator.h"

#include <cstdlib>
#include <cstring>

#include "kernels/base/float16.h"

namespace pith {
namespace {

// Setup has succeeded in bind, so running cannot fail: the status says nothing new.
void run_operators(const NodeView&, RunContext& context) {
  auto& state = *static_cast<XnnState*>(context.state);
  const bool alone = context.pool == nullptr || context.pool->handle() == nullptr || state.serial;
  const bool share = !alone && state.brief.may_share();
  pthreadpool_t threads = share ? context.pool->handle() : nullptr;
  xnn_run_operator(state.op.get(), threads);
  if (state.second) xnn_run_operator(state.second.get(), threads);
  if (share) state.brief.shared();
}

// code ^ 0x80: u8 with zero point z and i8 with zero point z - 128 are the same numbers.
void shift_codes(ThreadPool* pool, const void* from, void* to, size_t n) {
  constexpr size_t kGrain = 1 << 16;
  parallel_for(pool, n, kGrain, [&](Range r) {
    const auto* x = static_cast<const uint8_t*>(from);
    auto* y = static_cast<uint8_t*>(to);
    for (size_t i = r.begin; i < r.end; ++i) y[i] = static_cast<uint8_t>(x[i] ^ 0x80u);
  });
}

void run_shifted(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const XnnState*>(context.state);
  if (s.shift_in != 0)
    shift_codes(context.pool, node.in(0).data, static_cast<char*>(context.scratch) + s.part[0], s.shift_in);
  run_operators(node, context);
  if (s.shift_out != 0) shift_codes(context.pool, node.out(0).data, node.out(0).data, s.shift_out);
}

template <class Half>
void widen(const void* from, float* to, size_t n) {
  const auto* x = static_cast<const Half*>(from);
  for (size_t i = 0; i < n; ++i) to[i] = to_float(x[i]);
}

}  // namespace

Status Lowering::done(const char* kernel_name, BindFn bind, size_t scratch_bytes, RunFn run) {
  if (fresh_ != nullptr) context_->keep(std::move(fresh_));
  context_->set_backend("xnnpack");
  state_->serial = serial_;
  state_->brief.expect(is_below(node_, kBriefWork));
  constexpr size_t kOverRead = 128;
  if (state_->shift_in != 0) {
    state_->part[0] = align_scratch(scratch_bytes);
    scratch_bytes = state_->part[0] + align_scratch(state_->shift_in + kOverRead);
  }
  if (scratch_bytes > 0) context_->request_scratch(scratch_bytes);
  const bool shifted = (state_->shift_in | state_->shift_out) != 0;
  context_->use(kernel_name, run != nullptr ? run : shifted ? run_shifted : run_operators, bind);
  return Status::ok();
}

// Handing work to another thread and waiting for it costs 3 to 10 us, and far more when that thread has lost its
// core: below about 10 us of work (2^17 multiply-adds) the calling thread is the faster one.
bool Lowering::is_below(const NodeView& node, int64_t work) {
  int64_t each = 2;  // per element of y
  switch (node.op) {
    case schema::Op::ConvOptions:
    case schema::Op::ConvTransposeOptions:
    case schema::Op::FullyConnectedOptions:
      each = node.in(1).shape.rank() > 0 ? node.in(1).count() / node.in(1).shape[0] : 1;
      break;
    case schema::Op::MatMulOptions:
      each = node.in(0).shape.rank() > 0 ? node.in(0).shape[node.in(0).shape.rank() - 1] : 1;
      break;
    case schema::Op::AttentionOptions:  // both products
      each = 2 * node.in(1).shape[node.in(1).shape.rank() - 2];
      break;
    case schema::Op::PoolOptions:
    case schema::Op::SoftmaxOptions:
      each = 8;
      break;
    case schema::Op::ReduceOptions:
      return node.in(0).count() <= work / each;
    default:
      break;
  }
  return node.out(0).count() <= work / (each > 0 ? each : 1);
}

Status decline(const char* reason) { return {Code::unsupported, reason}; }

Status check_xnn(xnn_status status) {
  switch (status) {
    case xnn_status_success:
      return Status::ok();
    case xnn_status_out_of_memory:
      return {Code::no_memory, "XNNPACK could not allocate memory for an operator"};
    case xnn_status_unsupported_parameter:
    case xnn_status_invalid_parameter:
      return decline("parameters outside its limits");
    case xnn_status_unsupported_hardware:
      return decline("no kernel for this processor");
    default:
      return {Code::internal, format("XNNPACK answered status %d", static_cast<int>(status))};
  }
}

bool fits_xnn(const TensorView& t) {
  constexpr int64_t kMaxDim = INT32_MAX / 4;
  constexpr uint64_t kMaxBytes = sizeof(size_t) == 8 ? uint64_t{1} << 40 : uint64_t{1} << 30;
  for (int64_t d : t.shape.dims())
    if (d <= 0 || d > kMaxDim) return false;
  return t.layout == Layout::row_major && t.count() > 0 && static_cast<uint64_t>(t.count()) <= kMaxBytes / 8;
}

PackBuffer::~PackBuffer() { std::free(data_); }

void* PackBuffer::allocate(size_t bytes) {
  constexpr size_t kSlack = 128;
  std::free(data_);
  data_ = std::aligned_alloc(128, align_scratch(bytes + kSlack));
  if (data_ != nullptr) std::memset(static_cast<char*>(data_) + bytes, 0, kSlack);
  return data_;
}

const float* as_f32(const TensorView& t, PackBuffer& buffer) {
  if (t.dtype == DType::f32) return t.as<float>();
  const auto n = static_cast<size_t>(t.count());
  auto* converted = static_cast<float*>(buffer.allocate(n * sizeof(float)));
  if (converted == nullptr) return nullptr;
  if (t.dtype == DType::f16)
    widen<f16>(t.data, converted, n);
  else
    widen<bf16>(t.data, converted, n);
  return converted;
}

}  // namespace pith
