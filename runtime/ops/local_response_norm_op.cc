// LocalResponseNorm: divides by a power of the local energy over neighbouring channels. Float.
#include "kernels/norm/local_response_norm.h"

#include "runtime/ops/axis_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  if (node.opt<schema::LocalResponseNormOptions>().size() == 0)
    return node_error(node, Code::bad_file, "the window size is 0");
  return expect_dtype(node, 0, {DType::f32});
}

Status infer(const NodeView& node) {
  set_output(node, 0, DType::f32, node.in(0).shape);
  return expect_axis(node, node.in(0).shape, node.opt<schema::LocalResponseNormOptions>().channel_axis());
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::LocalResponseNormOptions>();
  const kernels::LocalResponseNormArgs a{node.in(0).as<float>(),
                                         node.out(0).as_mutable<float>(),
                                         axis_view(node.in(0).shape, o.channel_axis()),
                                         o.size(),
                                         o.alpha(),
                                         o.beta(),
                                         o.bias()};
  parallel_for(context.pool, pieces_of(a.view), grain_of(a.view.n * 8),
               [&](Range pieces) { kernels::local_response_norm_ref(a, pieces); });
}

}  // namespace

PITH_OPERATOR(LocalResponseNorm){
    schema::Op::LocalResponseNormOptions, "local_response_norm", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
