// Conv: y[N, spatial.., O] = clamp(x[N, spatial.., C] * w[O, spatial.., C / groups] + bias[O]), 1 to 3
// spatial dims. f32 x with f32, f16 or bf16 w; or 8-bit x (per tensor) and w (per tensor or output channel), i32
// bias -> 8-bit y; or f32 x with packed w (groups = 1), where x is quantized on the way and the bias is among the packed bytes.
#include "kernels/conv/conv.h"

#include "kernels/gemm/dot_tile.h"
#include "runtime/ops/half_constants.h"
#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/panel_conv.h"
#include "runtime/ops/panel_product.h"
#include "runtime/ops/requant_state.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using schema::ConvOptions;

Status check(const NodeView& node) {
  const auto& o = node.opt<ConvOptions>();
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 3, 1, 1));
  PITH_RETURN_IF_ERROR(check_window(node, window_options(o)));
  if (o.groups() == 0) return node_error(node, Code::bad_file, "has 0 groups");
  if (has_panels(node)) return check_panel_conv(node);  // of either kind
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

Status infer(const NodeView& node) {
  const auto& o = node.opt<ConvOptions>();
  const TensorView& x = node.in(0);
  node.out(0).dtype = is_codes(x.dtype) ? declared_codes(node, x) : DType::f32;
  return infer_conv(node, window_options(o), o.groups(), 2);
}

size_t last_dim(const TensorView& t) { return static_cast<size_t>(t.shape[t.shape.rank() - 1]); }
size_t pixels_of(const TensorView& y) { return static_cast<size_t>(y.shape.count(0, y.shape.rank() - 1)); }

bool is_depthwise(const NodeView& node) {
  const size_t groups = node.opt<ConvOptions>().groups();
  return groups == last_dim(node.in(0)) && groups == last_dim(node.out(0));
}

// f32 work. Scratch: 16-bit weights as f32, then depthwise weights as [taps, C]; each where needed.
void run_float(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<ConvOptions>();
  kernels::ConvArgs a{};
  a.window = conv_window(node, window_options(o));
  a.in_channels = last_dim(node.in(0));
  a.out_channels = last_dim(node.out(0));
  a.groups = o.groups();
  a.x = node.in(0).as<float>();
  a.w = node.in(1).as<float>();
  a.bias = node.has(2) ? node.in(2).as<float>() : nullptr;
  a.y = node.out(0).as_mutable<float>();
  a.clamp_min = o.clamp_min(), a.clamp_max = o.clamp_max();
  const auto weights = static_cast<size_t>(node.in(1).count());
  auto* scratch = static_cast<float*>(context.scratch);
  if (has_half_weights(node)) {
    widen_weights(node.in(1), scratch);
    a.w = scratch;
    scratch += weights;
  }
  const bool depthwise = is_depthwise(node);
  if (depthwise) {
    kernels::depthwise_weights_ref(a.w, a.in_channels, a.window.taps(), scratch);
    a.w = scratch;
  }
  const auto kernel = depthwise ? kernels::depthwise_f32_ref : kernels::conv_f32_ref;
  parallel_for(context.pool, pixels_of(node.out(0)), 16, [&](Range pixels) { kernel(a, pixels); });
}

void run_codes(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<ConvOptions>();
  kernels::ConvCodesArgs a{};
  a.window = conv_window(node, window_options(o));
  a.in_channels = last_dim(node.in(0));
  a.out_channels = last_dim(node.out(0));
  a.groups = o.groups();
  static_cast<const RequantState*>(context.state)->fill(node, &a);
  const bool is_signed = node.out(0).dtype == DType::i8;
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto x, auto w) {
    parallel_for(context.pool, pixels_of(node.out(0)), 16, [&](Range pixels) {
      if (is_signed)
        kernels::conv_codes_ref<decltype(x), decltype(w), int8_t>(a, pixels);
      else
        kernels::conv_codes_ref<decltype(x), decltype(w), uint8_t>(a, pixels);
    });
  });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<ConvOptions>();
  if (has_panels(node) && !has_code_panels(node)) return prepare_panel_conv(node, context, Cpu{}, nullptr);
  if (is_codes(node.in(0).dtype)) {
    context.keep(RequantState::make(node.in(0), node.in(1), node.out(0), o.clamp_min(), o.clamp_max()));
    context.use("conv_codes", run_codes);
    return Status::ok();
  }
  const size_t bytes = static_cast<size_t>(node.in(1).count()) * sizeof(float);
  context.request_scratch((has_half_weights(node) ? bytes : 0) + (is_depthwise(node) ? bytes : 0));
  context.use(is_depthwise(node) ? "conv_depthwise_f32" : "conv_f32", run_float);
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Conv){schema::Op::ConvOptions, "conv", kNoFlags, check, infer, prepare, run_float};

}  // namespace pith
