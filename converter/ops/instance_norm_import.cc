// Import of the normalizations over channels: Instance, Group, Batch (inference), MeanVariance, Lp and LRN.
#include "converter/ops/import.h"

namespace pith {
namespace {

using Kind = schema::BinaryKind;

Status instance(ImportContext& c) {
  schema::InstanceNormOptionsT o;
  o.epsilon = c.attr_float("epsilon", 1e-5f);
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

// [C] -> [C, 1, 1 ..], so that it meets dim 1 of a tensor of `rank` dims.
ir::Value* per_channel(ImportContext& c, ir::Value* v, int rank) {
  std::vector<int64_t> dims(static_cast<size_t>(rank - 1), 1);
  dims[0] = -1;
  return rank == 2 ? v : c.reshape(v, std::move(dims));
}

// Groups of channels become the channels of an instance normalization; before opset 21 scale and bias are per
// group.
Status group(ImportContext& c) {
  const int64_t groups = c.attr_int("num_groups", 0);
  if (!c.has(0) || !c.has(1) || !c.has(2)) return c.malformed("an input is missing");
  ir::Value* x = c.in(0);
  if (groups < 1) return c.malformed("num_groups is missing or below 1");
  if (x->shape.rank() < 2) return c.unsupported("the rank of the input is unknown or below 2");
  schema::InstanceNormOptionsT o;
  o.epsilon = c.attr_float("epsilon", 1e-5f);
  ir::Value* grouped = c.reshape(x, {0, groups, -1});
  const bool by_group = c.opset() < 21;
  ir::Value* y =
      by_group ? c.emit(std::move(o), {grouped, c.in(1), c.in(2)}) : c.emit(std::move(o), {grouped});
  y = c.emit(schema::ReshapeOptionsT{}, {y, c.emit(schema::ShapeOptionsT{}, {x})});
  if (!by_group) {
    y = c.binary(Kind::mul, y, per_channel(c, c.in(1), x->shape.rank()));
    y = c.binary(Kind::add, y, per_channel(c, c.in(2), x->shape.rank()));
  }
  c.set_out(0, y);
  return Status::ok();
}

// y = x * factor + offset, factor = scale / sqrt(var + epsilon); constants fold. Half inputs are computed in
// f32.
Status batch(ImportContext& c) {
  for (size_t i = 0; i < 5; ++i)
    if (!c.has(i)) return c.malformed("an input is missing");
  if (c.attr_int("training_mode", 0) != 0 || c.wants_out(1))
    return c.unsupported("training mode", "export the model for inference");
  if (c.attr_int("spatial", 1) == 0) return c.unsupported("spatial = 0");
  ir::Value* x = c.in(0);
  const int rank = x->shape.rank();
  if (rank < 2) return c.unsupported("the rank of the input is unknown or below 2");
  const DType type = x->dtype == DType::f64 ? DType::f64 : DType::f32;
  ir::Value *scale = c.cast(c.in(1), type), *bias = c.cast(c.in(2), type);
  ir::Value *mean = c.cast(c.in(3), type), *variance = c.cast(c.in(4), type);
  ir::Value* epsilon = c.const_scalar(type, static_cast<double>(c.attr_float("epsilon", 1e-5f)));
  ir::Value* deviation = c.unary(schema::UnaryKind::sqrt, c.binary(Kind::add, variance, epsilon));
  ir::Value* factor = c.binary(Kind::div, scale, deviation);
  ir::Value* offset = c.binary(Kind::sub, bias, c.binary(Kind::mul, mean, factor));
  ir::Value* y = c.binary(Kind::mul, c.cast(x, type), per_channel(c, factor, rank));
  y = c.binary(Kind::add, y, per_channel(c, offset, rank));
  c.set_out(0, c.cast(y, x->dtype));
  return Status::ok();
}

ir::Value* mean_over(ImportContext& c, ir::Value* x, ir::Value* axes) {
  schema::ReduceOptionsT o;
  o.kind = schema::ReduceKind::mean;
  return c.emit(std::move(o), {x, axes});
}

// (x - mean) / (std + 1e-9), as the operator is defined
Status mean_variance(ImportContext& c) {
  if (!c.has(0)) return c.malformed("the input is missing");
  ir::Value* axes = c.const_i64(c.has_attr("axes") ? c.attr_ints("axes") : std::vector<int64_t>{0, 2, 3});
  ir::Value* x = c.cast(c.in(0), DType::f32);
  ir::Value* centred = c.binary(Kind::sub, x, mean_over(c, x, axes));
  ir::Value* variance = mean_over(c, c.binary(Kind::mul, centred, centred), axes);
  ir::Value* deviation =
      c.binary(Kind::add, c.unary(schema::UnaryKind::sqrt, variance), c.const_scalar(DType::f32, 1e-9));
  c.set_out(0, c.cast(c.binary(Kind::div, centred, deviation), c.in(0)->dtype));
  return Status::ok();
}

Status lp(ImportContext& c) {
  schema::LpNormOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", -1));
  o.p = static_cast<int>(c.attr_int("p", 2));
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

Status local_response(ImportContext& c) {
  schema::LocalResponseNormOptionsT o;
  const int64_t size = c.attr_int("size", 0);
  if (size < 1 || size > INT32_MAX) return c.malformed("size is missing or not positive");
  o.size = static_cast<uint32_t>(size);
  o.alpha = c.attr_float("alpha", 1e-4f);
  o.beta = c.attr_float("beta", 0.75f);
  o.bias = c.attr_float("bias", 1);
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"InstanceNormalization", instance, 3},
    {"GroupNormalization", group, 3},
    {"BatchNormalization", batch, 5},
    {"MeanVarianceNormalization", mean_variance},
    {"LpNormalization", lp},
    {"LRN", local_response},
};

}  // namespace

std::span<const ImportRule> instance_norm_imports() { return kRules; }

}  // namespace pith
