// Gather, GatherElements, GatherNd: elements of x picked by indices (i32 or i64; negative ones count from the
// end). Indices that are known while planning must be valid; those computed at run time are moved to the
// nearest valid one.
#include "kernels/move/gather.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/index_helpers.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

constexpr size_t kGrainBytes = 32 << 10;

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i64, DType::i32}));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status infer_gather(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  const Shape& x = node.in(0).shape;
  const Shape& indices = node.in(1).shape;
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, node.opt<schema::GatherOptions>().axis(), x.rank(), &axis));
  if (x.rank() - 1 + indices.rank() > kMaxRank)
    return node_error(node, Code::unsupported, format("gives a rank above %d", kMaxRank));
  PITH_RETURN_IF_ERROR(expect_valid_indices(node, 1, x[axis]));
  Shape y;
  for (int d = 0; d < axis; ++d) y.push_back(x[d]);
  for (int64_t n : indices.dims()) y.push_back(n);
  for (int d = axis + 1; d < x.rank(); ++d) y.push_back(x[d]);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

void run_gather(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  const int given = node.opt<schema::GatherOptions>().axis();
  const int axis = given < 0 ? given + x.rank() : given;
  if (node.out(0).count() == 0) return;
  kernels::GatherArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.indices = index_view(node.in(1));
  a.count = static_cast<size_t>(node.in(1).count());
  a.n = x[axis];
  a.inner_bytes = static_cast<size_t>(x.count(axis + 1, x.rank())) * size_of(node.in(0).dtype);
  parallel_for(context.pool, static_cast<size_t>(x.count(0, axis)) * a.count, kGrainBytes / a.inner_bytes + 1,
               [&](Range rows) { kernels::gather_ref(a, rows); });
}

Status infer_elements(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  int axis = 0;
  PITH_RETURN_IF_ERROR(
      expect_element_indices(node, 0, 1, node.opt<schema::GatherElementsOptions>().axis(), &axis));
  set_output(node, 0, node.in(0).dtype, node.in(1).shape);
  return Status::ok();
}

void run_elements(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  if (y.count() == 0) return;
  const int given = node.opt<schema::GatherElementsOptions>().axis();
  kernels::GatherElementsArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.indices = index_view(node.in(1));
  a.element_bytes = size_of(node.in(0).dtype);
  a.rank = x.rank();
  a.axis = given < 0 ? given + x.rank() : given;
  a.n = x[a.axis];
  for (int d = 0; d < a.rank; ++d) {
    a.y_dims[d] = static_cast<size_t>(y[d]);
    a.x_stride[d] = static_cast<size_t>(x.count(d + 1, x.rank()));
  }
  const size_t row = a.y_dims[a.rank - 1];
  parallel_for(context.pool, static_cast<size_t>(y.count()) / row, kGrainBytes / (row * a.element_bytes) + 1,
               [&](Range rows) { kernels::gather_elements_ref(a, rows); });
}

Status infer_nd(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  const auto batch = node.opt<schema::GatherNdOptions>().batch_dims();
  const Shape& x = node.in(0).shape;
  const Shape& indices = node.in(1).shape;
  if (batch >= kMaxRank || static_cast<int>(batch) >= std::min(x.rank(), indices.rank()))
    return node_error(node, Code::bad_file,
                      format("batch_dims %u does not fit shapes %s and %s", batch, x.text().c_str(),
                             indices.text().c_str()));
  const int b = static_cast<int>(batch);
  for (int d = 0; d < b; ++d)
    if (x[d] >= 0 && indices[d] >= 0 && x[d] != indices[d])
      return node_error(
          node, Code::bad_file,
          format("batch dim %d differs: %s and %s", d, x.text().c_str(), indices.text().c_str()));
  int depth = 0;
  PITH_RETURN_IF_ERROR(expect_index_tuples(node, 1, x, b, &depth));
  if (indices.rank() - 1 + x.rank() - b - depth > kMaxRank)
    return node_error(node, Code::unsupported, format("gives a rank above %d", kMaxRank));
  Shape y;
  for (int d = 0; d + 1 < indices.rank(); ++d) y.push_back(indices[d]);
  if (depth < 0)
    y = Shape::unknown_rank();
  else
    for (int d = b + depth; d < x.rank(); ++d) y.push_back(x[d]);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

void run_nd(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& indices = node.in(1).shape;
  if (node.out(0).count() == 0) return;
  const int b = static_cast<int>(node.opt<schema::GatherNdOptions>().batch_dims());
  const size_t bytes = size_of(node.in(0).dtype);
  kernels::GatherNdArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.indices = index_view(node.in(1));
  a.tuples = static_cast<size_t>(indices.count(b, indices.rank() - 1));
  a.depth = static_cast<int>(indices[indices.rank() - 1]);
  for (int d = 0; d < a.depth; ++d) {
    a.dims[d] = x[b + d];
    a.stride_bytes[d] = x.count(b + d + 1, x.rank()) * static_cast<int64_t>(bytes);
  }
  a.batch_bytes = static_cast<size_t>(x.count(b, x.rank())) * bytes;
  a.inner_bytes = static_cast<size_t>(x.count(b + a.depth, x.rank())) * bytes;
  parallel_for(context.pool, static_cast<size_t>(indices.count(0, indices.rank() - 1)),
               kGrainBytes / a.inner_bytes + 1, [&](Range rows) { kernels::gather_nd_ref(a, rows); });
}

}  // namespace

PITH_OPERATOR(Gather){
    schema::Op::GatherOptions, "gather", kNoFlags, check, infer_gather, nullptr, run_gather};
PITH_OPERATOR(GatherElements){schema::Op::GatherElementsOptions,
                              "gather_elements",
                              kNoFlags,
                              check,
                              infer_elements,
                              nullptr,
                              run_elements};
PITH_OPERATOR(GatherNd){schema::Op::GatherNdOptions, "gather_nd", kNoFlags, check, infer_nd, nullptr, run_nd};

}  // namespace pith
