// FullyConnected: y[.., N] = clamp(x[.., K] . w[N, K] + bias[N]). Three kinds, by element types:
//   f32 x, f32, f16, bf16 w          -> f32
//   f32 x, 8-bit w with scales    -> f32; each row of x is quantized on the way ("dynamic")
//   8-bit x and w, i32 bias       -> 8-bit, requantized; w row-major or packed
//   f32 x, packed w               -> f32; rows of x are quantized on the way, the bias is among the packed bytes
#include "kernels/gemm/fully_connected.h"

#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/panel_product.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

using schema::FullyConnectedOptions;

bool is_dynamic(const NodeView& node) { return node.in(0).dtype == DType::f32 && is_codes(node.in(1).dtype); }

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 3, 1, 1));
  if (has_code_panels(node)) return check_code_panels(node);
  if (has_panels(node)) return check_panel_product(node);
  PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::i8, DType::u8}));
  if (is_codes(node.in(0).dtype)) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::i8, DType::u8}));
    PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::i32}));
    PITH_RETURN_IF_ERROR(expect_tensor_grid(node, node.in(0), "input"));
    PITH_RETURN_IF_ERROR(expect_channel_grid(node, node.in(1), 0, "weights"));
    return expect_tensor_grid(node, node.out(0), "output");
  }
  PITH_RETURN_IF_ERROR(expect_dtype(node, 1, {DType::f32, DType::f16, DType::bf16, DType::i8, DType::u8}));
  PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::f32}));
  return is_dynamic(node) ? expect_channel_grid(node, node.in(1), 0, "weights") : Status::ok();
}

Status infer(const NodeView& node) {
  const TensorView &x = node.in(0), &w = node.in(1);
  node.out(0).dtype = is_codes(x.dtype) ? declared_codes(node, x) : DType::f32;
  if (w.shape.has_rank() && w.shape.rank() != 2)
    return node_error(node, Code::bad_file, "weights must be [outputs, inputs], found " + w.shape.text());
  const int64_t n = w.shape.has_rank() ? w.shape[0] : kUnknownDim;
  const int64_t k = w.shape.has_rank() ? w.shape[1] : kUnknownDim;
  if (node.has(2) && node.in(2).shape.has_rank()) {
    const Shape& bias = node.in(2).shape;
    if (bias.rank() != 1 || (n >= 0 && bias[0] >= 0 && bias[0] != n))
      return node_error(
          node, Code::bad_file,
          format("bias must be [%lld], found %s", static_cast<long long>(n), bias.text().c_str()));
  }
  Shape y = x.shape;
  if (y.has_rank()) {
    if (y.rank() == 0 || (y[y.rank() - 1] >= 0 && k >= 0 && y[y.rank() - 1] != k))
      return node_error(node, Code::bad_file,
                        format("input %s does not end in the %lld inputs of the weights", y.text().c_str(),
                               static_cast<long long>(k)));
    y[y.rank() - 1] = n;
  }
  set_output(node, 0, node.out(0).dtype, y);
  return Status::ok();
}

struct Extents {
  size_t m, n, k, blocks;
};
Extents extents(const NodeView& node) {
  const Shape &x = node.in(0).shape, &w = node.in(1).shape;
  const auto n = static_cast<size_t>(w[0]);
  return {static_cast<size_t>(x.count(0, x.rank() - 1)), n, static_cast<size_t>(w[1]),
          (n + kernels::kFullyConnectedColumns - 1) / kernels::kFullyConnectedColumns};
}

void run_float(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const Extents e = extents(node);
  const auto& o = node.opt<FullyConnectedOptions>();
  const kernels::FullyConnectedArgs a{e.m,
                                      e.n,
                                      e.k,
                                      node.in(0).as<float>(),
                                      node.in(1).data,
                                      node.has(2) ? node.in(2).as<float>() : nullptr,
                                      node.out(0).as_mutable<float>(),
                                      o.clamp_min(),
                                      o.clamp_max()};
  const auto kernel = node.in(1).dtype == DType::f16    ? kernels::fully_connected_ref<f16>
                      : node.in(1).dtype == DType::bf16 ? kernels::fully_connected_ref<bf16>
                                                        : kernels::fully_connected_ref<float>;
  parallel_for(context.pool, e.blocks, 1, [&](Range blocks) { kernel(a, blocks); });
}

// Scratch: codes of x, then the grid of each row.
size_t grids_offset(const Extents& e) { return (e.m * e.k + 15) / 16 * 16; }

void run_dynamic(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const Extents e = extents(node);
  const auto& o = node.opt<FullyConnectedOptions>();
  const QuantView& q = node.in(1).quant;
  auto* codes = static_cast<int8_t*>(context.scratch);
  void* behind_codes = codes + grids_offset(e);  // grids_offset keeps the grids aligned
  auto* grids = static_cast<kernels::RowGrid*>(behind_codes);
  const auto* x = node.in(0).as<float>();
  parallel_for(context.pool, e.m, 4,
               [&](Range rows) { kernels::quantize_rows_ref(x, e.k, codes, grids, rows); });
  kernels::FullyConnectedDynamicArgs a{};
  a.m = e.m, a.n = e.n, a.k = e.k;
  a.codes = codes;
  a.grids = grids;
  a.w = node.in(1).data;
  a.w_zero = q.zero_points.data();
  a.w_scale = q.scales.data();
  a.w_zero_stride = a.w_scale_stride = q.scales.size() == 1 ? 0 : 1;
  a.bias = node.has(2) ? node.in(2).as<float>() : nullptr;
  a.y = node.out(0).as_mutable<float>();
  a.clamp_min = o.clamp_min(), a.clamp_max = o.clamp_max();
  const auto kernel = node.in(1).dtype == DType::i8 ? kernels::fully_connected_dynamic_ref<int8_t>
                                                    : kernels::fully_connected_dynamic_ref<uint8_t>;
  parallel_for(context.pool, e.blocks, 1, [&](Range blocks) { kernel(a, blocks); });
}

void run_codes(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const Extents e = extents(node);
  kernels::FullyConnectedCodesArgs a{};
  a.m = e.m, a.n = e.n, a.k = e.k;
  static_cast<const RequantState*>(context.state)->fill(node, &a);
  const bool is_signed = node.out(0).dtype == DType::i8;
  with_code_types(node.in(0).dtype, node.in(1).dtype, [&](auto x, auto w) {
    parallel_for(context.pool, e.blocks, 1, [&](Range blocks) {
      if (is_signed)
        kernels::fully_connected_codes_ref<decltype(x), decltype(w), int8_t>(a, blocks);
      else
        kernels::fully_connected_codes_ref<decltype(x), decltype(w), uint8_t>(a, blocks);
    });
  });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const auto& o = node.opt<FullyConnectedOptions>();
  if (has_panels(node) && !has_code_panels(node)) return prepare_panel_product(node, context, Cpu{}, nullptr);
  if (is_codes(node.in(0).dtype)) {
    context.keep(RequantState::make(node.in(0), node.in(1), node.out(0), o.clamp_min(), o.clamp_max()));
    context.use("fully_connected_codes", run_codes);
  } else if (is_dynamic(node)) {
    const Extents e = extents(node);
    if (node.out(0).count() > 0) context.request_scratch(grids_offset(e) + e.m * sizeof(kernels::RowGrid));
    context.use("fully_connected_dynamic", run_dynamic);
  }
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(FullyConnected){
    schema::Op::FullyConnectedOptions, "fully_connected", kNoFlags, check, infer, prepare, run_float};

}  // namespace pith
