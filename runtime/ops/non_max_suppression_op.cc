// NonMaxSuppression: boxes[B,N,4], scores[B,C,N], max_output, iou_threshold, score_threshold -> i64 [kept, 3] of (batch,
// class, box). How many are kept depends on the data, so all inputs are planning values.
#include <algorithm>
#include <limits>

#include "kernels/detect/nms.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

struct NmsState final : NodeState {
  kernels::NmsArgs args{};
};

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 5, 1, 1));
  for (size_t i : {0, 1, 3, 4}) PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32}));
  return expect_dtype(node, 2, {DType::i64, DType::i32});
}

Status read_limits(const NodeView& node, kernels::NmsArgs* a) {
  a->max_output = 0;
  a->iou_threshold = 0;
  a->score_threshold = -std::numeric_limits<float>::infinity();
  double value = 0;
  std::vector<int64_t> most;
  if (node.has(2)) {
    PITH_RETURN_IF_ERROR(read_ints(node, 2, &most));
    if (most.empty()) return node_error(node, Code::bad_file, "max_output is empty");
    a->max_output = most[0];
  }
  if (node.has(3)) {
    PITH_RETURN_IF_ERROR(read_scalar(node, 3, &value));
    a->iou_threshold = static_cast<float>(value);
  }
  if (node.has(4)) {
    PITH_RETURN_IF_ERROR(read_scalar(node, 4, &value));
    a->score_threshold = static_cast<float>(value);
  }
  return Status::ok();
}

Status describe(const NodeView& node, kernels::NmsArgs* a) {
  const Shape& boxes = node.in(0).shape;
  const Shape& scores = node.in(1).shape;
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes[2] != 4 || boxes[0] != scores[0] ||
      boxes[1] != scores[2] || boxes[1] >= int64_t{1} << 32)
    return node_error(
        node, Code::bad_file,
        "boxes [B, N, 4] and scores [B, C, N] are needed, found " + boxes.text() + " and " + scores.text());
  PITH_RETURN_IF_ERROR(read_limits(node, a));
  a->batches = static_cast<size_t>(boxes[0]);
  a->classes = static_cast<size_t>(scores[1]);
  a->n = static_cast<size_t>(boxes[1]);
  a->center_point_box = node.opt<schema::NonMaxSuppressionOptions>().center_point_box();
  return Status::ok();
}

Status infer(const NodeView& node) {
  set_output(node, 0, DType::i64, Shape{kUnknownDim, 3});
  Status missing;  // asks for all inputs at once
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.has(i))
      if (Status s = need_value(node, i); !s.is_ok()) missing = std::move(s);
  PITH_RETURN_IF_ERROR(missing);
  kernels::NmsArgs a{};
  PITH_RETURN_IF_ERROR(describe(node, &a));
  if (a.max_output <= 0 || node.in(1).count() == 0) {
    set_output(node, 0, DType::i64, Shape{0, 3});
    return Status::ok();
  }
  a.boxes = node.in(0).as<float>();
  a.scores = node.in(1).as<float>();
  std::vector<uint32_t> order(a.n);
  set_output(node, 0, DType::i64,
             Shape{static_cast<int64_t>(kernels::nms_ref(a, order.data(), 0, nullptr)), 3});
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  kernels::NmsArgs a = static_cast<const NmsState*>(context.state)->args;
  a.boxes = node.in(0).as<float>();
  a.scores = node.in(1).as<float>();
  kernels::nms_ref(a, static_cast<uint32_t*>(context.scratch), static_cast<size_t>(node.out(0).shape[0]),
                   node.out(0).as_mutable<int64_t>());
}

Status prepare(const NodeView& node, PrepareContext& context) {
  auto state = std::make_unique<NmsState>();
  PITH_RETURN_IF_ERROR(describe(node, &state->args));
  context.use("nms", run);
  context.request_scratch(state->args.n * sizeof(uint32_t));
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

extern const OpDef kNonMaxSuppressionOp{
    schema::Op::NonMaxSuppressionOptions, "non_max_suppression", kNoFlags, check, infer, prepare, run};

}  // namespace pith
