// ReverseSequence: per batch entry, the first sequence_lens[b] steps in reverse order. The time and batch
// axes are the first two dims, in either order.
#include "kernels/move/select.h"
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i64, DType::i32}));
  const auto& o = node.opt<schema::ReverseSequenceOptions>();
  if (!((o.time_axis() == 0 && o.batch_axis() == 1) || (o.time_axis() == 1 && o.batch_axis() == 0)))
    return node_error(node, Code::bad_file, "the time and batch axes must be 0 and 1");
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  const Shape& lengths = node.in(1).shape;
  if (x.rank() < 2)
    return node_error(node, Code::bad_file, "the input must have at least two dims, found " + x.text());
  const int64_t batch = x[node.opt<schema::ReverseSequenceOptions>().batch_axis()];
  if (lengths.rank() != 1 || (lengths[0] >= 0 && batch >= 0 && lengths[0] != batch))
    return node_error(node, Code::bad_file,
                      "sequence lengths of shape " + lengths.text() + " for an input of shape " + x.text());
  set_output(node, 0, node.in(0).dtype, x);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  const Shape& x = node.in(0).shape;
  if (x.count() == 0) return;
  kernels::ReverseSequenceArgs a{};
  a.x = node.in(0).data;
  a.y = node.out(0).data;
  a.lengths = node.in(1).data;
  a.wide_lengths = node.in(1).dtype == DType::i64;
  a.dims[0] = static_cast<size_t>(x[0]);
  a.dims[1] = static_cast<size_t>(x[1]);
  a.time_axis = node.opt<schema::ReverseSequenceOptions>().time_axis();
  a.inner_bytes = static_cast<size_t>(x.count(2, x.rank())) * size_of(node.in(0).dtype);
  parallel_for(context.pool, a.dims[0] * a.dims[1], (32 << 10) / a.inner_bytes + 1,
               [&](Range rows) { kernels::reverse_sequence_ref(a, rows); });
}

}  // namespace

extern const OpDef kReverseSequenceOp{
    schema::Op::ReverseSequenceOptions, "reverse_sequence", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
