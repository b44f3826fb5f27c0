// The table of operators that have integer kernels, and what each demands of its node.
#include "converter/quantize/int8_role.h"

#include "converter/passes/integer_rules.h"

namespace pith::quantize {
namespace {

using schema::BinaryKind;
using schema::Op;
using schema::UnaryKind;

RoleOrReason no(std::string reason) { return {Int8Role::none, std::move(reason)}; }

RoleOrReason product_role(const ir::Node& node) {
  const ir::Value *w = node.in(1), *bias = node.in(2);
  if (w == nullptr || !w->is_constant() || w->dtype != DType::f32)
    return no("its weights are not f32 constants");
  if (bias != nullptr && (!bias->is_constant() || bias->dtype != DType::f32))
    return no("its bias is not an f32 constant");
  return {Int8Role::product, ""};
}

RoleOrReason unary_role(const schema::UnaryOptionsT& o) {
  switch (o.kind) {
    case UnaryKind::sigmoid:
    case UnaryKind::tanh:
    case UnaryKind::relu:
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::hard_swish:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::swish:
    case UnaryKind::clip:
    case UnaryKind::softplus:
    case UnaryKind::abs:
    case UnaryKind::neg:
      return {Int8Role::elementwise, ""};
    default:
      return no(format("%s needs more than 8 bits", schema::EnumNameUnaryKind(o.kind)));
  }
}

RoleOrReason binary_role(const ir::Node& node) {
  const BinaryKind kind = node.as<schema::BinaryOptionsT>()->kind;
  if (kind != BinaryKind::add && kind != BinaryKind::sub && kind != BinaryKind::mul)
    return no(format("no integer kernel for %s", schema::EnumNameBinaryKind(kind)));
  if (node.in(0) == nullptr || node.in(1) == nullptr) return no("an input is missing");
  if (node.in(0)->is_constant() && node.in(1)->is_constant()) return no("all inputs are constant");
  return {Int8Role::elementwise, ""};
}

RoleOrReason reduce_role(const ir::Node& node) {
  if (node.as<schema::ReduceOptionsT>()->kind != schema::ReduceKind::mean)
    return no("no integer kernel for this reduction");
  return {Int8Role::elementwise, ""};
}

RoleOrReason concat_role(const ir::Node& node) {
  for (const ir::Value* v : node.inputs)
    if (v == nullptr || v->is_constant()) return no("an input is constant");
  return {Int8Role::same_grid, ""};
}

}  // namespace

const char* name_of(Int8Role role) {
  constexpr const char* kNames[] = {"none", "product", "elementwise", "same_grid"};
  return kNames[static_cast<size_t>(role)];
}

RoleOrReason int8_role(const ir::Node& node) {
  switch (node.op.type) {
    case Op::ConvOptions:
    case Op::ConvTransposeOptions:
    case Op::FullyConnectedOptions:
      return product_role(node);
    case Op::UnaryOptions:
      return unary_role(*node.as<schema::UnaryOptionsT>());
    case Op::BinaryOptions:
      return binary_role(node);
    case Op::ReduceOptions:
      return reduce_role(node);
    case Op::ConcatOptions:
      return concat_role(node);
    case Op::MatMulOptions:
      return no(node.in(1) != nullptr && node.in(1)->is_constant()
                    ? "its weights are not laid out as a fully connected layer"
                    : "a product of two activations has no integer kernel");
    default:
      break;
  }
  if (node.is(Op::PoolOptions) && node.out(1) != nullptr) return no("its indices are wanted");
  if (node.is(Op::PoolOptions) && node.as<schema::PoolOptionsT>()->kind == schema::PoolKind::average)
    return {Int8Role::elementwise, ""};
  if (moves_codes(node) || resamples_codes(node))
    return {Int8Role::same_grid, ""};  // what fuse_qdq will run on codes
  return no("no integer kernel for this operator");
}

bool is_product(const ir::Node& node) {
  return node.is(Op::ConvOptions) || node.is(Op::ConvTransposeOptions) ||
         node.is(Op::FullyConnectedOptions) || node.is(Op::MatMulOptions);
}

std::optional<Int8Grid> known_output_grid(const ir::Node& node) {
  const auto* unary = node.as<schema::UnaryOptionsT>();
  if (unary == nullptr) return std::nullopt;
  if (unary->kind == UnaryKind::sigmoid) return kUnitGrid;
  if (unary->kind == UnaryKind::tanh) return kSignedUnitGrid;
  return std::nullopt;
}

}  // namespace pith::quantize
