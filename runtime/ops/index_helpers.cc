// Index checks of the Gather and Scatter families.
#include "runtime/ops/index_helpers.h"

#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status out_of_range(const NodeView& node, size_t i, int64_t index, int64_t n) {
  return node_error(node, Code::bad_file,
                    format("input %zu ('%s') holds index %lld; the axis has %lld elements", i,
                           node.in(i).name, static_cast<long long>(index), static_cast<long long>(n)));
}

}  // namespace

Status expect_valid_indices(const NodeView& node, size_t i, int64_t n) {
  const TensorView& t = node.in(i);
  if (n < 0 || t.count() <= 0) return Status::ok();
  if (n == 0) return out_of_range(node, i, 0, n);
  if (!t.has_value) return Status::ok();
  const kernels::IndexView view = index_view(t);
  for (size_t k = 0; k < static_cast<size_t>(t.count()); ++k)
    if (view[k] < -n || view[k] >= n) return out_of_range(node, i, view[k], n);
  return Status::ok();
}

Status expect_element_indices(const NodeView& node, size_t data, size_t indices, int64_t axis_option,
                              int* axis) {
  const Shape& x = node.in(data).shape;
  const Shape& at = node.in(indices).shape;
  PITH_RETURN_IF_ERROR(normalize_axis(node, axis_option, x.rank(), axis));
  bool fits = x.rank() == at.rank();
  for (int d = 0; fits && d < x.rank(); ++d) fits = d == *axis || x[d] < 0 || at[d] <= x[d];
  if (!fits)
    return node_error(node, Code::bad_file,
                      "indices of shape " + at.text() + " do not fit data of shape " + x.text());
  return expect_valid_indices(node, indices, x[*axis]);
}

Status expect_index_tuples(const NodeView& node, size_t indices, const Shape& x, int batch, int* depth) {
  const TensorView& t = node.in(indices);
  *depth = -1;
  if (t.shape.rank() < 1) return node_error(node, Code::bad_file, "indices must have at least one dim");
  const int64_t last = t.shape[t.shape.rank() - 1];
  if (last < 0) return Status::ok();
  if (last < 1 || last > x.rank() - batch)
    return node_error(node, Code::bad_file,
                      format("tuples of %lld indices do not fit data of shape %s",
                             static_cast<long long>(last), x.text().c_str()));
  *depth = static_cast<int>(last);
  if (t.count() <= 0) return Status::ok();
  const auto tuple = static_cast<size_t>(last);
  const kernels::IndexView view = index_view(t);
  for (size_t d = 0; d < tuple; ++d) {
    const int64_t n = x[batch + static_cast<int>(d)];
    if (n < 0) continue;
    if (n == 0) return out_of_range(node, indices, 0, n);
    if (!t.has_value) continue;
    for (size_t k = d; k < static_cast<size_t>(t.count()); k += tuple)
      if (view[k] < -n || view[k] >= n) return out_of_range(node, indices, view[k], n);
  }
  return Status::ok();
}

}  // namespace pith
