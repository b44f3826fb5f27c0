// Where: y = cond ? p : q with numpy broadcasting. cond: bool; p, q, y: one type of whole bytes, one
// quantization.
#include "kernels/elementwise/where.h"

#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 3, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::boolean}));
  const TensorView &p = node.in(1), &q = node.in(2);
  if (p.dtype != q.dtype)
    return node_error(node, Code::bad_file,
                      format("chooses between %s and %s", name_of(p.dtype), name_of(q.dtype)));
  if (bits_of(p.dtype) < 8) return node_error(node, Code::unsupported, "4-bit elements");
  if (!same_quant(p.quant, q.quant) || !same_quant(p.quant, node.out(0).quant))
    return node_error(node, Code::unsupported, "operands and result differ in quantization");
  return Status::ok();
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(1).dtype;
  Shape values;
  PITH_RETURN_IF_ERROR(broadcast(node, node.in(1).shape, node.in(2).shape, &values));
  return broadcast(node, node.in(0).shape, values, &node.out(0).shape);
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::WhereArgs a{};
  a.cond = node.in(0).as<uint8_t>();
  a.p = node.in(1).data;
  a.q = node.in(2).data;
  a.y = node.out(0).data;
  a.element_bytes = size_of(node.out(0).dtype);
  const std::span<const int64_t> operands[] = {node.in(0).shape.dims(), node.in(1).shape.dims(),
                                               node.in(2).shape.dims()};
  a.shape = kernels::make_broadcast(node.out(0).shape.dims(), operands);
  constexpr size_t kGrain = 16384;  // elements
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kGrain,
               [&](Range range) { kernels::where_ref(a, range); });
}

}  // namespace

PITH_OPERATOR(Where){schema::Op::WhereOptions, "where", kInPlace, check, infer, nullptr, run};

}  // namespace pith
