// ScatterElements and ScatterNd: a copy of the data with updates written, added, ... at indexed places.
// Inputs data, indices (i32 or i64), updates. Indices that are known while planning must be valid; of those
// computed at run time, the ones outside are skipped.
#include "kernels/move/scatter.h"

#include <cstring>

#include "runtime/ops/copy_steps.h"
#include "runtime/ops/index_helpers.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node, schema::ScatterReduction reduction) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 3, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i64, DType::i32}));
  const DType dtype = node.in(0).dtype;
  if (node.in(2).dtype != dtype)
    return node_error(node, Code::bad_file,
                      format("data are %s, updates %s", name_of(dtype), name_of(node.in(2).dtype)));
  if (reduction > schema::ScatterReduction::MAX ||
      !kernels::scatter_supports(dtype, static_cast<kernels::ScatterRule>(reduction)))
    return node_error(node, Code::unsupported, format("this reduction cannot be done on %s", name_of(dtype)));
  const bool sums = reduction == schema::ScatterReduction::add || reduction == schema::ScatterReduction::mul;
  if (sums && !node.in(0).quant.empty())
    return node_error(node, Code::unsupported, "codes of a quantized tensor cannot be added or multiplied");
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.in(2)));
  return expect_same_quant(node, node.in(0), node.out(0));
}

void copy_data(const NodeView& node) {
  if (node.out(0).data != node.in(0).data && node.out(0).byte_size() > 0)
    std::memcpy(node.out(0).data, node.in(0).data, node.out(0).byte_size());
}

Status check_elements(const NodeView& node) {
  return check(node, node.opt<schema::ScatterElementsOptions>().reduction());
}

Status infer_elements(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  set_output(node, 0, node.in(0).dtype, x);
  int axis = 0;
  PITH_RETURN_IF_ERROR(
      expect_element_indices(node, 0, 1, node.opt<schema::ScatterElementsOptions>().axis(), &axis));
  if (node.in(1).shape.is_known() && node.in(2).shape.is_known() && !(node.in(1).shape == node.in(2).shape))
    return node_error(
        node, Code::bad_file,
        "indices of shape " + node.in(1).shape.text() + " for updates of shape " + node.in(2).shape.text());
  return Status::ok();
}

void run_elements(const NodeView& node, RunContext&) {
  copy_data(node);
  const auto& options = node.opt<schema::ScatterElementsOptions>();
  const Shape& x = node.in(0).shape;
  const Shape& at = node.in(1).shape;
  if (at.count() == 0) return;
  kernels::ScatterElementsArgs a;
  a.y = node.out(0).data;
  a.updates = node.in(2).data;
  a.indices = index_view(node.in(1));
  a.dtype = node.in(0).dtype;
  a.rule = static_cast<kernels::ScatterRule>(options.reduction());
  a.rank = x.rank();
  a.axis = options.axis() < 0 ? options.axis() + x.rank() : options.axis();
  a.n = x[a.axis];
  for (int d = 0; d < a.rank; ++d) {
    a.dims[d] = static_cast<size_t>(at[d]);
    a.y_stride[d] = static_cast<size_t>(x.count(d + 1, x.rank()));
  }
  kernels::scatter_elements_ref(a);
}

Status check_nd(const NodeView& node) {
  return check(node, node.opt<schema::ScatterNdOptions>().reduction());
}

Status infer_nd(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  const Shape& indices = node.in(1).shape;
  set_output(node, 0, node.in(0).dtype, x);
  int depth = 0;
  PITH_RETURN_IF_ERROR(expect_index_tuples(node, 1, x, 0, &depth));
  if (depth < 0) return Status::ok();
  const Shape& updates = node.in(2).shape;
  bool fits = updates.rank() == indices.rank() - 1 + x.rank() - depth;
  for (int d = 0; fits && d < updates.rank(); ++d) {
    const int64_t n = d < indices.rank() - 1 ? indices[d] : x[d - (indices.rank() - 1) + depth];
    fits = n < 0 || updates[d] < 0 || n == updates[d];
  }
  if (!fits)
    return node_error(node, Code::bad_file,
                      "updates of shape " + updates.text() + " do not fit indices of shape " +
                          indices.text() + " into data of shape " + x.text());
  return Status::ok();
}

void run_nd(const NodeView& node, RunContext&) {
  copy_data(node);
  const Shape& x = node.in(0).shape;
  const Shape& indices = node.in(1).shape;
  if (node.in(2).count() == 0) return;
  kernels::ScatterNdArgs a;
  a.y = node.out(0).data;
  a.updates = node.in(2).data;
  a.indices = index_view(node.in(1));
  a.dtype = node.in(0).dtype;
  a.rule = static_cast<kernels::ScatterRule>(node.opt<schema::ScatterNdOptions>().reduction());
  a.tuples = static_cast<size_t>(indices.count(0, indices.rank() - 1));
  a.depth = static_cast<int>(indices[indices.rank() - 1]);
  for (int d = 0; d < a.depth; ++d) {
    a.dims[d] = x[d];
    a.stride[d] = x.count(d + 1, x.rank());
  }
  a.inner = static_cast<size_t>(x.count(a.depth, x.rank()));
  kernels::scatter_nd_ref(a);
}

}  // namespace

PITH_OPERATOR(ScatterElements){schema::Op::ScatterElementsOptions,
                               "scatter_elements",
                               kNoFlags,
                               check_elements,
                               infer_elements,
                               nullptr,
                               run_elements};
PITH_OPERATOR(ScatterNd){
    schema::Op::ScatterNdOptions, "scatter_nd", kNoFlags, check_nd, infer_nd, nullptr, run_nd};

}  // namespace pith
