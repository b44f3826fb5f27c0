// Cast: x as the element type `to`; all pairs of types.
#include "kernels/elementwise/cast.h"

#include <algorithm>

#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

DType type_of(const NodeView& node) { return static_cast<DType>(node.opt<schema::CastOptions>().to()); }

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  if (bits_of(node.in(0).dtype) == 0 || bits_of(type_of(node)) == 0)
    return node_error(node, Code::bad_file, "input or result has no known element type");
  const auto rounding = node.opt<schema::CastOptions>().rounding();
  if (rounding != schema::CastRounding::wrap && rounding != schema::CastRounding::saturate)
    return node_error(node, Code::unsupported, "unknown rounding");
  return Status::ok();
}

Status infer(const NodeView& node) {
  set_output(node, 0, type_of(node), node.in(0).shape);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  kernels::CastArgs a{};
  a.x.data = node.in(0).data;
  a.x.dtype = node.in(0).dtype;
  a.y.data = node.out(0).data;
  a.y.dtype = node.out(0).dtype;
  a.saturate = node.opt<schema::CastOptions>().rounding() == schema::CastRounding::saturate;
  const auto count = static_cast<size_t>(node.out(0).count());
  constexpr size_t kUnit =
      kernels::kBlock;  // whole blocks, so that no two threads share a byte of 4-bit elements
  parallel_for(context.pool, (count + kUnit - 1) / kUnit, 32, [&](Range units) {
    kernels::cast_ref(a, {units.begin * kUnit, std::min(units.end * kUnit, count)});
  });
}

}  // namespace

PITH_OPERATOR(Cast){schema::Op::CastOptions, "cast", kInPlace, check, infer, nullptr, run};

}  // namespace pith
