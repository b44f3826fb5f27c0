// InstanceNorm: normalizes every (batch, channel) over all other dims. Float. Inputs x, scale[C] and bias[C],
// both optional.
#include "kernels/norm/instance_norm.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 3, 1, 1));
  const float epsilon = node.opt<schema::InstanceNormOptions>().epsilon();
  if (!(epsilon >= 0 && epsilon < 3.4e38f))
    return node_error(node, Code::bad_file, format("epsilon is %g", static_cast<double>(epsilon)));
  for (size_t i = 0; i < 3; ++i) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  return Status::ok();
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  set_output(node, 0, DType::f32, x);
  if (!x.has_rank()) return Status::ok();
  int axis = 0;
  if (x.rank() < 2)
    return node_error(node, Code::bad_file, "needs a batch and a channel dim, found " + x.text());
  PITH_RETURN_IF_ERROR(
      normalize_axis(node, node.opt<schema::InstanceNormOptions>().channel_axis(), x.rank(), &axis));
  if (axis == 0) return node_error(node, Code::bad_file, "dim 0 is the batch and cannot be the channel");
  for (size_t i = 1; i < 3; ++i) {
    const int64_t count = node.has(i) ? node.in(i).shape.count() : x[axis];
    if (count >= 0 && x[axis] >= 0 && count != x[axis])
      return node_error(node, Code::bad_file,
                        format("input %zu has %lld elements for %lld channels", i,
                               static_cast<long long>(count), static_cast<long long>(x[axis])));
  }
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  if (x.count() == 0) return;
  const auto& o = node.opt<schema::InstanceNormOptions>();
  const int axis = o.channel_axis() < 0 ? o.channel_axis() + x.rank() : o.channel_axis();
  kernels::InstanceNormArgs a{};
  a.x = node.in(0).as<float>();
  a.scale = node.has(1) ? node.in(1).as<float>() : nullptr;
  a.bias = node.has(2) ? node.in(2).as<float>() : nullptr;
  a.y = node.out(0).as_mutable<float>();
  a.before = static_cast<size_t>(x.count(1, axis));
  a.channels = static_cast<size_t>(x[axis]);
  a.after = static_cast<size_t>(x.count(axis + 1, x.rank()));
  a.epsilon = o.epsilon();
  const size_t pieces = kernels::pieces_of(a, static_cast<size_t>(x[0]));
  parallel_for(context.pool, pieces, grain_of(static_cast<size_t>(x.count()) / pieces),
               [&](Range range) { kernels::instance_norm_ref(a, range); });
}

}  // namespace

PITH_OPERATOR(InstanceNorm){
    schema::Op::InstanceNormOptions, "instance_norm", kInPlace, check, infer, nullptr, run};

}  // namespace pith
