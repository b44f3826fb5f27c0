// OneHot: a new axis of length depth that is `on` at the index and `off` elsewhere. Inputs indices, depth
// (one element, a planning value), values [off, on]. An index outside [-depth, depth) is legal and gives
// `off` everywhere.
#include "kernels/move/generate.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 3, 1, 1));
  for (size_t i = 0; i < 2; ++i)
    PITH_RETURN_IF_ERROR(expect_dtype(node, i,
                                      {DType::i64, DType::i32, DType::f32, DType::f64, DType::i8, DType::u8,
                                       DType::i16, DType::u16, DType::u32, DType::u64}));
  return expect_whole_bytes(node, 2);
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(2).dtype;
  const Shape& indices = node.in(0).shape;
  if (indices.rank() == kMaxRank)
    return node_error(node, Code::unsupported, format("gives a rank above %d", kMaxRank));
  int axis = 0;
  PITH_RETURN_IF_ERROR(
      normalize_axis(node, node.opt<schema::OneHotOptions>().axis(), indices.rank() + 1, &axis));
  if (node.in(2).shape.is_known() && node.in(2).count() != 2)
    return node_error(node, Code::bad_file,
                      "values must be the pair [off, on]; they have shape " + node.in(2).shape.text());
  double depth = 0;
  PITH_RETURN_IF_ERROR(read_scalar(node, 1, &depth));
  if (!(depth >= 0 && depth <= static_cast<double>(kMaxElements)))
    return node_error(node, Code::bad_file, format("depth %g is not a length", depth));
  Shape y;
  for (int d = 0; d <= indices.rank(); ++d)
    y.push_back(d == axis ? static_cast<int64_t>(depth) : indices[d < axis ? d : d - 1]);
  set_output(node, 0, node.in(2).dtype, y);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const Shape& y = node.out(0).shape;
  if (y.count() == 0) return;
  const int given = node.opt<schema::OneHotOptions>().axis();
  const int axis = given < 0 ? given + y.rank() : given;
  kernels::OneHotArgs a{};
  a.indices = node.in(0).data;
  a.index_dtype = node.in(0).dtype;
  a.y = node.out(0).data;
  a.element_bytes = size_of(node.in(2).dtype);
  a.off = node.in(2).data;
  a.on = node.in(2).as<uint8_t>() + a.element_bytes;
  a.depth = y[axis];
  a.inner = static_cast<size_t>(y.count(axis + 1, y.rank()));
  const size_t block = static_cast<size_t>(a.depth) * a.inner;
  parallel_for(context.pool, static_cast<size_t>(y.count(0, axis)), (1 << 14) / block + 1,
               [&](Range outer) { kernels::one_hot_ref(a, outer); });
}

}  // namespace

extern const OpDef kOneHotOp{schema::Op::OneHotOptions, "one_hot", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
