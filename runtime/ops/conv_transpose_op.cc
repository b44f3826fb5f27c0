// ConvTranspose: the gradient of Conv as an operator of its own. x[N, spatial.., C], w[O, spatial.., C /
// groups], bias[O]; out = (in - 1) * stride - pads + (kernel - 1) * dilation + 1 + output_pad. Element types
// as Conv, f16 and bf16 weights included.
#include "kernels/conv/conv_transpose.h"

#include "kernels/gemm/dot_tile.h"
#include "runtime/ops/half_constants.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/requant_state.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using schema::ConvTransposeOptions;

Status check(const NodeView& node) {
  const auto& o = node.opt<ConvTransposeOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 3, 1, 1));
  PITH_RETURN_IF_ERROR(check_window(node, window_options(o)));
  PITH_RETURN_IF_ERROR(expect_window_values(node, "output_pads", o.output_pads(), 0));
  if (o.groups() == 0) return node_error(node, Code::bad_file, "has 0 groups");
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::i8, DType::u8}));
  if (!is_codes(node.in(0).dtype)) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32, DType::f16, DType::bf16}));
    return expect_dtype(node, 2, {DType::f32});
  }
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i8, DType::u8}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::i32}));
  PITH_RETURN_IF_ERROR(expect_tensor_grid(node, node.in(0), "input"));
  PITH_RETURN_IF_ERROR(expect_channel_grid(node, node.in(1), 0, "weights"));
  return expect_tensor_grid(node, node.out(0), "output");
}

Status output_dims(const NodeView& node, const Shape& in, const Shape& kernel, Shape* y) {
  const auto& o = node.opt<ConvTransposeOptions>();
  const int rank = in.rank();
  for (int d = 0; d < rank; ++d) {
    if (kernel[d] == 0 || kernel[d] > kMaxWindowValue)
      return node_error(node, Code::bad_file,
                        format("the kernel size %lld is out of range", static_cast<long long>(kernel[d])));
    if (in[d] < 0 || kernel[d] < 0) {
      y->push_back(kUnknownDim);
      continue;
    }
    const int64_t reach = (kernel[d] - 1) * window_value(o.dilations(), d, 1) + 1;
    const int64_t grown = in[d] == 0 ? 0 : (in[d] - 1) * window_value(o.strides(), d, 1) + reach;
    const int64_t size = grown + window_value(o.output_pads(), d, 0) - window_value(o.pads(), d, 0) -
                         window_value(o.pads(), d + rank, 0);
    if (size < 0)
      return node_error(node, Code::bad_file,
                        format("the pads of spatial dim %d are larger than its %lld outputs", d,
                               static_cast<long long>(grown)));
    y->push_back(size);
  }
  return Status::ok();
}

Status infer(const NodeView& node) {
  const auto& o = node.opt<ConvTransposeOptions>();
  const TensorView &x = node.in(0), &w = node.in(1);
  node.out(0).dtype = is_codes(x.dtype) ? declared_codes(node, x) : DType::f32;
  if (!x.shape.has_rank() || !w.shape.has_rank()) {
    set_output(node, 0, node.out(0).dtype, Shape::unknown_rank());
    return Status::ok();
  }
  Shape in, kernel;
  PITH_RETURN_IF_ERROR(spatial_dims(node, x, "input", &in));
  PITH_RETURN_IF_ERROR(spatial_dims(node, w, "weights", &kernel));
  const auto rank = static_cast<uint32_t>(in.rank());
  PITH_RETURN_IF_ERROR(expect_window_length(node, "strides", o.strides(), rank));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "dilations", o.dilations(), rank));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "output_pads", o.output_pads(), rank));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "pads", o.pads(), 2 * rank));
  PITH_RETURN_IF_ERROR(expect_conv_weights(node, o.groups(), 2));
  Shape y{x.shape[0]};
  PITH_RETURN_IF_ERROR(output_dims(node, in, kernel, &y));
  y.push_back(w.shape[0]);
  set_output(node, 0, node.out(0).dtype, y);
  return Status::ok();
}

// The fields that both argument structs share.
template <class Args>
Args geometry(const NodeView& node) {
  const auto& o = node.opt<ConvTransposeOptions>();
  Args a{};
  a.window = conv_window(node, window_options(o));
  a.in_channels = static_cast<size_t>(node.in(0).shape[node.in(0).shape.rank() - 1]);
  a.out_channels = static_cast<size_t>(node.in(1).shape[0]);
  a.groups = o.groups();
  return a;
}

size_t pixels_of(const TensorView& y) { return static_cast<size_t>(y.shape.count(0, y.shape.rank() - 1)); }

void run_float(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<ConvTransposeOptions>();
  auto a = geometry<kernels::ConvArgs>(node);
  a.x = node.in(0).as<float>();
  a.w = node.in(1).as<float>();
  if (has_half_weights(node)) {
    auto* wide = static_cast<float*>(context.scratch);
    widen_weights(node.in(1), wide);
    a.w = wide;
  }
  a.bias = node.has(2) ? node.in(2).as<float>() : nullptr;
  a.y = node.out(0).as_mutable<float>();
  a.clamp_min = o.clamp_min(), a.clamp_max = o.clamp_max();
  parallel_for(context.pool, pixels_of(node.out(0)), 16,
               [&](Range pixels) { kernels::conv_transpose_f32_ref(a, pixels); });
}

void run_codes(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  auto a = geometry<kernels::ConvCodesArgs>(node);
  static_cast<const RequantState*>(context.state)->fill(node, &a);
  const bool is_signed = node.out(0).dtype == DType::i8;
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto x, auto w) {
    parallel_for(context.pool, pixels_of(node.out(0)), 16, [&](Range pixels) {
      if (is_signed)
        kernels::conv_transpose_codes_ref<decltype(x), decltype(w), int8_t>(a, pixels);
      else
        kernels::conv_transpose_codes_ref<decltype(x), decltype(w), uint8_t>(a, pixels);
    });
  });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<ConvTransposeOptions>();
  if (is_codes(node.in(0).dtype)) {
    context.keep(RequantState::make(node.in(0), node.in(1), node.out(0), o.clamp_min(), o.clamp_max()));
    context.use("conv_transpose_codes", run_codes);
  } else if (has_half_weights(node)) {
    context.request_scratch(static_cast<size_t>(node.in(1).count()) * sizeof(float));
  }
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(ConvTranspose){
    schema::Op::ConvTransposeOptions, "conv_transpose", kNoFlags, check, infer, prepare, run_float};

}  // namespace pith
