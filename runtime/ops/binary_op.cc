// Binary: y = clamp(f(a, b)) with numpy broadcasting. a and b of one type (pow: y has the type of a);
// comparisons and logic give bool. Quantized: both operands i8 or u8, and y too unless it is bool.
#include "kernels/elementwise/binary.h"

#include <cmath>

#include "runtime/ops/binary_codes.h"
#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

#define FLOAT_BINARY(name, steps, formula) \
  static_assert(static_cast<int>(schema::BinaryKind::name) == static_cast<int>(kernels::BinaryKind::name));
#define OTHER_BINARY(name) FLOAT_BINARY(name, 0, 0)
#include "kernels/elementwise/binary_list.inc"
#undef FLOAT_BINARY
#undef OTHER_BINARY
static_assert(static_cast<int>(schema::BinaryKind::MAX) + 1 == static_cast<int>(kernels::BinaryKind::kCount));

kernels::BinaryKind kind_of(const NodeView& node) {
  return static_cast<kernels::BinaryKind>(node.opt<schema::BinaryOptions>().kind());
}
bool gives_bool(kernels::BinaryKind kind) {
  return kernels::is_comparison(kind) || kernels::is_logical(kind);
}

Status check_clamp(const NodeView& node) {
  const auto& o = node.opt<schema::BinaryOptions>();
  if (o.clamp_min() == -INFINITY && o.clamp_max() == INFINITY) return Status::ok();
  if (!(o.clamp_min() <= o.clamp_max()))
    return node_error(node, Code::bad_file, "clamp_min is above clamp_max");
  if (gives_bool(kind_of(node)) || (node.in(0).quant.empty() && !is_float(node.in(0).dtype)))
    return node_error(node, Code::bad_file, "only float and quantized results can be clamped");
  return Status::ok();
}

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  const kernels::BinaryKind kind = kind_of(node);
  if (kind >= kernels::BinaryKind::kCount)
    return node_error(node, Code::unsupported, format("function %d is unknown", static_cast<int>(kind)));
  PITH_RETURN_IF_ERROR(check_clamp(node));
  const TensorView &a = node.in(0), &b = node.in(1);
  const char* name = schema::EnumNameBinaryKind(node.opt<schema::BinaryOptions>().kind());
  if (!a.quant.empty() || !b.quant.empty()) {
    if (kind >= kernels::BinaryKind::logical_and && kind <= kernels::BinaryKind::shift_right)
      return node_error(node, Code::unsupported, format("%s of quantized tensors", name));
    PITH_RETURN_IF_ERROR(expect_codes(node, a, "input 0"));
    PITH_RETURN_IF_ERROR(expect_codes(node, b, "input 1"));
    TensorView y = node.out(0);
    y.dtype = a.dtype;
    return gives_bool(kind) ? Status::ok() : expect_codes(node, y, "output");
  }
  if (!node.out(0).quant.empty())
    return node_error(node, Code::bad_file, "the output is quantized, the inputs are not");
  if (!kernels::has_binary(kind, a.dtype, b.dtype))
    return node_error(node, Code::unsupported,
                      format("%s of %s and %s", name, name_of(a.dtype), name_of(b.dtype)));
  return Status::ok();
}

Status infer(const NodeView& node) {
  node.out(0).dtype = gives_bool(kind_of(node)) ? DType::boolean : node.in(0).dtype;
  return broadcast(node, node.in(0).shape, node.in(1).shape, &node.out(0).shape);
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::BinaryOptions>();
  kernels::BinaryArgs a{};
  a.kind = kind_of(node);
  a.a = lane_of(node.in(0));
  a.b = lane_of(node.in(1));
  a.y = lane_of(node.out(0));
  const std::span<const int64_t> operands[] = {node.in(0).shape.dims(), node.in(1).shape.dims()};
  a.shape = kernels::make_broadcast(node.out(0).shape.dims(), operands);
  a.clamp_min = o.clamp_min();
  a.clamp_max = o.clamp_max();
  constexpr size_t kGrain = 8192;  // elements
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kGrain,
               [&](Range range) { kernels::binary_ref(a, range); });
}

void run_codes(const NodeView& node, RunContext& context) {
  kernels::CodeArithmetic c{};
  if (node.out(0).count() == 0 || !read_code_arithmetic(node, &c)) return;
  bind_code_arithmetic(node, &c);
  constexpr size_t kGrain = 16384;  // elements
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kGrain,
               [&](Range range) { kernels::code_arithmetic_ref(c, range); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  kernels::CodeArithmetic c{};
  if (read_code_arithmetic(node, &c)) context.use("binary_codes", run_codes);
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Binary){schema::Op::BinaryOptions, "binary", kInPlace, check, infer, prepare, run};

}  // namespace pith
