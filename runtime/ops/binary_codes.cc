// From tensors and options to integers.
#include "runtime/ops/binary_codes.h"

#include "kernels/base/requant.h"
#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

bool read_operation(const NodeView& node, kernels::CodeOperation* operation) {
  switch (node.opt<schema::BinaryOptions>().kind()) {
    case schema::BinaryKind::add:
      *operation = kernels::CodeOperation::sum;
      return true;
    case schema::BinaryKind::sub:
      *operation = kernels::CodeOperation::difference;
      return true;
    case schema::BinaryKind::mul:
      *operation = kernels::CodeOperation::product;
      return true;
    default:
      return false;
  }
}

}  // namespace

bool read_code_arithmetic(const NodeView& node, kernels::CodeArithmetic* c) {
  const TensorView &a = node.in(0), &b = node.in(1), &y = node.out(0);
  if (a.quant.empty() || a.dtype != b.dtype || a.dtype != y.dtype) return false;
  if (!read_operation(node, &c->operation)) return false;
  c->is_signed = a.dtype == DType::i8;
  c->a_grid = {scale_of(a), zero_point_of(a)};
  c->b_grid = {scale_of(b), zero_point_of(b)};
  c->y_grid = {scale_of(y), zero_point_of(y)};
  const auto& o = node.opt<schema::BinaryOptions>();
  const int32_t lo = c->is_signed ? -128 : 0;
  c->lo = quantize(o.clamp_min(), c->y_grid.scale, c->y_grid.zero, lo, lo + 255);
  c->hi = quantize(o.clamp_max(), c->y_grid.scale, c->y_grid.zero, lo, lo + 255);
  return kernels::make_code_factors(c);
}

void bind_code_arithmetic(const NodeView& node, kernels::CodeArithmetic* c) {
  c->a = node.in(0).data, c->b = node.in(1).data, c->y = node.out(0).data;
  const std::span<const int64_t> operands[] = {node.in(0).shape.dims(), node.in(1).shape.dims()};
  c->shape = kernels::make_broadcast(node.out(0).shape.dims(), operands);
}

}  // namespace pith
