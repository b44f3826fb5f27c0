// TopK: the k largest or smallest elements along an axis and their indices (i64). k is input 1, one i64,
// known while planning; unsorted results are not promised any order, so they are sorted too.
#include "kernels/reduce/top_k.h"

#include "runtime/ops/axis_helpers.h"
#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 2));
  const DType t = node.in(0).dtype;
  if (t == DType::f16 || t == DType::bf16 || t == DType::boolean || bits_of(t) < 8)
    return node_error(node, Code::unsupported, format("of %s", name_of(t)));
  if (!node.has_out(1)) return node_error(node, Code::bad_file, "the indices must be an output");
  if (!same_quant(node.in(0).quant, node.out(0).quant))
    return node_error(node, Code::unsupported, "input and values differ in quantization");
  return Status::ok();
}

Status infer(const NodeView& node) {
  const auto& o = node.opt<schema::TopKOptions>();
  const Shape& x = node.in(0).shape;
  set_output(node, 0, node.in(0).dtype, Shape::unknown_rank());
  set_output(node, 1, DType::i64, Shape::unknown_rank());
  std::vector<int64_t> k;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &k));
  if (k.size() != 1 || k[0] < 0) return node_error(node, Code::bad_file, "k must be one number, 0 or more");
  if (!x.has_rank()) return Status::ok();
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, o.axis(), x.rank(), &axis));
  if (x[axis] >= 0 && k[0] > x[axis])
    return node_error(node, Code::bad_file,
                      format("k = %lld is more than axis %d of %s holds", static_cast<long long>(k[0]), axis,
                             x.text().c_str()));
  Shape y = x;
  y[axis] = k[0];
  node.out(0).shape = node.out(1).shape = y;
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<schema::TopKOptions>();
  kernels::TopKArgs a{};
  a.x = node.in(0).data;
  a.dtype = node.in(0).dtype;
  a.values = node.out(0).data;
  a.indices = node.out(1).as_mutable<int64_t>();
  a.view = axis_view(node.in(0).shape, o.axis());
  a.k = axis_view(node.out(0).shape, o.axis()).n;
  a.largest = o.largest();
  parallel_for(context.pool, a.view.outer * a.view.inner, grain_of(a.view.n * 4),
               [&](Range columns) { kernels::top_k_ref(a, columns); });
}

}  // namespace

PITH_OPERATOR(TopK){schema::Op::TopKOptions, "top_k", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
