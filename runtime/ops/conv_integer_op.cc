// ConvInteger: exact i32 convolution of 8-bit codes, (x - x_zero) * (w - w_zero). Zero points are run-time
// tensors or omitted: x_zero one value, w_zero one value or one per output channel. Layouts as Conv.
#include "kernels/conv/conv.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/requant_state.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using schema::ConvIntegerOptions;

Status check(const NodeView& node) {
  const auto& o = node.opt<ConvIntegerOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 4, 1, 1));
  PITH_RETURN_IF_ERROR(check_window(node, window_options(o)));
  if (o.groups() == 0) return node_error(node, Code::bad_file, "has 0 groups");
  for (size_t i : {0u, 1u}) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::i8, DType::u8}));
    if (node.has(i + 2) && node.in(i + 2).dtype != node.in(i).dtype)
      return node_error(node, Code::bad_file,
                        format("zero point %zu must have the type of input %zu", i + 2, i));
  }
  return Status::ok();
}

Status infer(const NodeView& node) {
  const auto& o = node.opt<ConvIntegerOptions>();
  node.out(0).dtype = DType::i32;
  PITH_RETURN_IF_ERROR(infer_conv(node, window_options(o), o.groups(), SIZE_MAX));
  const int64_t outputs = node.in(1).shape.has_rank() ? node.in(1).shape[0] : kUnknownDim;
  for (size_t i : {2u, 3u}) {
    if (!node.has(i) || !node.in(i).shape.is_known() || node.in(i).count() == 1) continue;
    if (i == 2 || (outputs >= 0 && node.in(i).count() != outputs))
      return node_error(node, Code::bad_file,
                        format("zero point %zu has shape %s", i, node.in(i).shape.text().c_str()));
  }
  return Status::ok();
}

size_t zero_count(const NodeView& node) { return node.has(3) ? static_cast<size_t>(node.in(3).count()) : 1; }

int32_t zero_at(const NodeView& node, size_t input, size_t i) {
  if (!node.has(input)) return 0;
  const TensorView& t = node.in(input);
  return t.dtype == DType::i8 ? int32_t{t.as<int8_t>()[i]} : int32_t{t.as<uint8_t>()[i]};
}

Status prepare(const NodeView& node, PrepareContext& context) {
  context.request_scratch(zero_count(node) * sizeof(int32_t));
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<ConvIntegerOptions>();
  const Shape &x = node.in(0).shape, &y = node.out(0).shape;
  const size_t zeros = zero_count(node);
  auto* w_zero = static_cast<int32_t*>(context.scratch);
  for (size_t i = 0; i < zeros; ++i) w_zero[i] = zero_at(node, 3, i);
  kernels::ConvCodesArgs a{};
  a.window = conv_window(node, window_options(o));
  a.in_channels = static_cast<size_t>(x[x.rank() - 1]);
  a.out_channels = static_cast<size_t>(y[y.rank() - 1]);
  a.groups = o.groups();
  a.x = node.in(0).data;
  a.w = node.in(1).data;
  a.y = node.out(0).data;
  a.x_zero = zero_at(node, 2, 0);
  a.w_zero = w_zero;
  a.w_zero_stride = zeros == 1 ? 0 : 1;
  const auto pixels_total = static_cast<size_t>(y.count(0, y.rank() - 1));
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto xt, auto wt) {
    parallel_for(context.pool, pixels_total, 16, [&](Range pixels) {
      kernels::conv_codes_ref<decltype(xt), decltype(wt), int32_t>(a, pixels);
    });
  });
}

}  // namespace

PITH_OPERATOR(ConvInteger){
    schema::Op::ConvIntegerOptions, "conv_integer", kNoFlags, check, infer, prepare, run};

}  // namespace pith
