// GridSample: x[N, C, spatial..], grid[N, places.., rank] -> y[N, C, places..]; 1 to 3 spatial dims, f32.
#include "kernels/resize/grid_sample.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32}));
  const auto& o = node.opt<schema::GridSampleOptions>();
  if (o.mode() > schema::ResizeMode::MAX || o.padding() > schema::GridPadding::MAX)
    return node_error(node, Code::unsupported, "the mode or padding is unknown");
  return Status::ok();
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  const Shape& grid = node.in(1).shape;
  const int rank = x.rank() - 2;
  if (rank < 1 || rank > kernels::kGridMaxRank || grid.rank() != x.rank() ||
      (grid[rank + 1] >= 0 && grid[rank + 1] != rank) || (grid[0] >= 0 && x[0] >= 0 && grid[0] != x[0]))
    return node_error(node, Code::bad_file,
                      "x[N, C, spatial..] and grid[N, places.., rank] are needed, found " + x.text() +
                          " and " + grid.text());
  Shape y{x[0], x[1]};
  for (int d = 1; d <= rank; ++d) y.push_back(grid[d]);
  if (x.is_known() && y.is_known() && x.count() == 0 && y.count() != 0)
    return node_error(node, Code::bad_file, "the image " + x.text() + " has no element to sample");
  set_output(node, 0, DType::f32, y);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const Shape& x = node.in(0).shape;
  const auto& o = node.opt<schema::GridSampleOptions>();
  kernels::GridSampleArgs a;
  a.x = node.in(0).as<float>();
  a.grid = node.in(1).as<float>();
  a.y = node.out(0).as_mutable<float>();
  a.mode = static_cast<kernels::GridMode>(o.mode());
  a.border = static_cast<kernels::GridBorder>(o.padding());
  a.align_corners = o.align_corners();
  a.channels = static_cast<size_t>(x[1]);
  a.rank = x.rank() - 2;
  for (int d = 0; d < a.rank; ++d) a.dims[d] = x[d + 2];
  a.places = static_cast<size_t>(node.out(0).shape.count(2, x.rank()));
  parallel_for(context.pool, static_cast<size_t>(x[0]) * a.places, 256 / a.channels + 1,
               [&](Range places) { kernels::grid_sample_ref(a, places); });
}

}  // namespace

extern const OpDef kGridSampleOp{
    schema::Op::GridSampleOptions, "grid_sample", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
