// Elementwise nodes over 8-bit codes: functions of one code by table, and f32 to codes.
#include "kernels/elementwise/code_runs.h"
#include "kernels/elementwise/unary.h"
#include "kernels/lookup/code_table.h"
#include "kernels/quantize/codes_of_floats.h"
#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/binary_codes.h"
#include "runtime/ops/quant_helpers.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

// Elements of about 10 us, what waking another thread costs.
constexpr size_t kTableGrain = size_t{1} << 17, kQuantizeGrain = size_t{1} << 16,
                 kArithmeticGrain = size_t{1} << 16;

struct TableState final : NodeState {
  TableState() { owner = kPithOwner; }
  uint8_t codes[256];
  kernels::CodeTableFn fn = nullptr;
};

void run_table(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const TableState*>(context.state);
  const auto* x = node.in(0).as<uint8_t>();
  auto* y = node.out(0).as_mutable<uint8_t>();
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kTableGrain,
               [&](Range r) { s.fn(x + r.begin, y + r.begin, r.end - r.begin, s.codes); });
}

struct ArithmeticState final : NodeState {
  ArithmeticState() { owner = kPithOwner; }
  kernels::CodeArithmetic arithmetic{};
  const kernels::CodeRunKernel* kernel = nullptr;
};

void run_arithmetic(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const ArithmeticState*>(context.state);
  kernels::CodeArithmetic c = s.arithmetic;
  bind_code_arithmetic(node, &c);
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kArithmeticGrain,
               [&](Range elements) { kernels::code_arithmetic(c, *s.kernel, elements); });
}

struct QuantizeState final : NodeState {
  QuantizeState() { owner = kPithOwner; }
  kernels::FloatGrid grid{};
  kernels::CodesOfFloatsFn fn = nullptr;
};

void run_quantize(const NodeView& node, RunContext& context) {
  const auto& s = *static_cast<const QuantizeState*>(context.state);
  const auto* x = node.in(0).as<float>();
  auto* y = node.out(0).as_mutable<uint8_t>();
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kQuantizeGrain,
               [&](Range r) { s.fn(x + r.begin, y + r.begin, r.end - r.begin, s.grid); });
}

// Scale and zero point of inputs 1 and 2, else of the output itself. False: more than one scale, or not known yet.
bool read_float_grid(const NodeView& node, kernels::FloatGrid* g) {
  const TensorView& y = node.out(0);
  g->lo = y.dtype == DType::i8 ? -128 : 0;
  if (!node.has(1)) {
    if (!y.quant.per_tensor() || y.quant.zero_points.size() > 1) return false;
    g->scale = scale_of(y), g->zero = zero_point_of(y);
    return g->zero >= g->lo && g->zero <= g->lo + 255;
  }
  const TensorView& scale = node.in(1);
  if (!scale.has_value || scale.dtype != DType::f32 || scale.count() != 1) return false;
  if (node.opt<schema::QuantizeOptions>().block() != 0) return false;
  g->scale = scale.as<float>()[0];
  g->zero = 0;
  if (!node.has(2)) return true;
  const TensorView& zero = node.in(2);
  if (!zero.has_value || zero.dtype != y.dtype || zero.count() != 1) return false;
  g->zero = y.dtype == DType::i8 ? int32_t{zero.as<int8_t>()[0]} : int32_t{zero.as<uint8_t>()[0]};
  return true;
}

}  // namespace

Status take_unary(const NodeView& node, PrepareContext& context) {
  const TensorView &x = node.in(0), &y = node.out(0);
  if (x.quant.empty() || !is_codes(x.dtype)) return leave("works on 8-bit codes only");
  const auto& o = node.opt<schema::UnaryOptions>();
  const auto kind = static_cast<kernels::UnaryKind>(o.kind());
  auto s = std::make_unique<TableState>();
  kernels::make_unary_table({kind, lane_of(x), lane_of(y), o.alpha(), o.beta()}, s->codes);
  const kernels::CodeTableKernel& kernel = kernels::select_code_table(context.cpu());
  if (!worth_taking(kernel.needs, context.cpu())) return leave_scalar();
  s->fn = kernel.fn;
  context.keep(std::move(s));
  context.use(kernel.name, run_table);
  return Status::ok();
}

Status take_binary(const NodeView& node, PrepareContext& context) {
  auto s = std::make_unique<ArithmeticState>();
  if (!read_code_arithmetic(node, &s->arithmetic)) return leave("not a sum or product of 8-bit codes");
  s->kernel = &kernels::select_code_run(context.cpu());
  if (!worth_taking(s->kernel->needs, context.cpu())) return leave_scalar();
  context.use(s->kernel->name, run_arithmetic);
  context.keep(std::move(s));
  return Status::ok();
}

Status take_quantize(const NodeView& node, PrepareContext& context) {
  if (node.in(0).dtype != DType::f32 || !is_codes(node.out(0).dtype)) return leave("not f32 to 8-bit codes");
  auto s = std::make_unique<QuantizeState>();
  if (!read_float_grid(node, &s->grid)) return leave("not one constant scale");
  const kernels::CodesOfFloatsKernel& kernel = kernels::select_codes_of_floats(context.cpu());
  if (!worth_taking(kernel.needs, context.cpu())) return leave_scalar();
  s->fn = kernel.fn;
  context.keep(std::move(s));
  context.use(kernel.name, run_quantize);
  return Status::ok();
}

}  // namespace pith
