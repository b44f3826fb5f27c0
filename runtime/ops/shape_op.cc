// Shape (dims [start, end) of x as i64) and, with element_count, Size (the number of elements, a scalar).
#include <algorithm>

#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

void span_of(const NodeView& node, int* begin, int* end) {
  const auto& o = node.opt<schema::ShapeOptions>();
  const int rank = node.in(0).shape.rank();
  *begin = std::clamp(o.start() < 0 ? o.start() + rank : o.start(), 0, rank);
  *end = std::clamp(o.end() < 0 ? o.end() + rank : o.end(), *begin, rank);
}

Status check(const NodeView& node) { return expect_counts(node, 1, 1, 1, 1); }

Status infer(const NodeView& node) {
  int begin = 0, end = 0;
  span_of(node, &begin, &end);
  const bool size = node.opt<schema::ShapeOptions>().element_count();
  set_output(node, 0, DType::i64, size ? Shape{} : Shape{end - begin});
  return Status::ok();
}

void run(const NodeView& node, RunContext&) {
  int begin = 0, end = 0;
  span_of(node, &begin, &end);
  auto* y = node.out(0).as_mutable<int64_t>();
  if (node.opt<schema::ShapeOptions>().element_count())
    y[0] = node.in(0).count();
  else
    for (int i = begin; i < end; ++i) y[i - begin] = node.in(0).shape[i];
}

}  // namespace

PITH_OPERATOR(Shape){schema::Op::ShapeOptions, "shape", kShapeOnly, check, infer, nullptr, run};

}  // namespace pith
