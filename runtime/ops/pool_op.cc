// Pool: max, average and lp pooling of x[N, spatial.., C], 1 to 3 spatial dims. f32; max also f64 and 8-bit
// codes (x and y on one grid); average also 8-bit codes. Max may give a second output: i64 positions,
// numbered channels first.
#include "kernels/pool/pool.h"

#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/pool_window.h"
#include "runtime/ops/requant_state.h"
#include "runtime/ops/window_shape.h"

namespace pith {
namespace {

using schema::PoolKind;
using schema::PoolOptions;

Status check_grids(const NodeView& node) {
  const QuantView &x = node.in(0).quant, &y = node.out(0).quant;
  if (node.opt<PoolOptions>().kind() == PoolKind::average) {
    PITH_RETURN_IF_ERROR(expect_tensor_grid(node, node.in(0), "input"));
    return expect_tensor_grid(node, node.out(0), "output");
  }
  if (x.empty() || y.empty()) return Status::ok();
  if (!x.per_tensor() || !y.per_tensor() || x.scales[0] != y.scales[0] ||
      x.zero_points[0] != y.zero_points[0])
    return node_error(node, Code::unsupported, "max pooling needs input and output on one grid");
  return Status::ok();
}

Status check(const NodeView& node) {
  const auto& o = node.opt<PoolOptions>();
  const bool is_max = o.kind() == PoolKind::max;
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, is_max ? 2 : 1));
  if (static_cast<unsigned>(o.kind()) > static_cast<unsigned>(PoolKind::MAX))
    return node_error(node, Code::bad_file, "unknown kind of pooling");
  PITH_RETURN_IF_ERROR(check_window(node, window_options(o)));
  PITH_RETURN_IF_ERROR(expect_window_values(node, "kernel", o.kernel(), 1));
  if (o.kernel() == nullptr) return node_error(node, Code::bad_file, "has no kernel size");
  if (o.p() < 1) return node_error(node, Code::bad_file, format("p is %d; it must be positive", o.p()));
  switch (o.kind()) {
    case PoolKind::max:
      PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::f64, DType::i8, DType::u8}));
      break;
    case PoolKind::average:
      PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32, DType::i8, DType::u8}));
      break;
    default:
      PITH_RETURN_IF_ERROR(expect_dtype(node, 0, {DType::f32}));
  }
  return is_codes(node.in(0).dtype) ? check_grids(node) : Status::ok();
}

WindowOptions options_of(const NodeView& node) {
  WindowOptions w = window_options(node.opt<PoolOptions>());
  w.ceil_mode = node.opt<PoolOptions>().ceil_mode();
  return w;
}

Shape kernel_of(const NodeView& node) {
  Shape kernel;
  for (uint32_t k : *node.opt<PoolOptions>().kernel()) kernel.push_back(k);
  return kernel;
}

Status infer(const NodeView& node) {
  const TensorView& x = node.in(0);
  node.out(0).dtype = x.dtype;
  if (node.has_out(1)) node.out(1).dtype = DType::i64;
  if (!x.shape.has_rank()) {
    set_output(node, 0, x.dtype, Shape::unknown_rank());
    set_output(node, 1, DType::i64, Shape::unknown_rank());
    return Status::ok();
  }
  Shape in, out;
  PITH_RETURN_IF_ERROR(spatial_dims(node, x, "input", &in));
  PITH_RETURN_IF_ERROR(expect_window_length(node, "kernel", node.opt<PoolOptions>().kernel(),
                                            static_cast<uint32_t>(in.rank())));
  if (node.opt<PoolOptions>().kernel()->size() == 0)
    return node_error(node, Code::bad_file, "has no kernel size");
  PITH_RETURN_IF_ERROR(window_output(node, options_of(node), in, kernel_of(node), &out));
  Shape y{x.shape[0]};
  for (int64_t d : out.dims()) y.push_back(d);
  y.push_back(x.shape[x.shape.rank() - 1]);
  set_output(node, 0, x.dtype, y);
  set_output(node, 1, DType::i64, y);
  return Status::ok();
}

using PoolKernel = void (*)(const kernels::PoolArgs&, Range);
PoolKernel kernel_for(PoolKind kind, DType dtype) {
  if (kind == PoolKind::lp) return kernels::lp_pool_f32_ref;
  const bool is_max = kind == PoolKind::max;
  switch (dtype) {
    case DType::i8:
      return is_max ? kernels::max_pool_ref<int8_t> : kernels::average_pool_codes_ref<int8_t>;
    case DType::u8:
      return is_max ? kernels::max_pool_ref<uint8_t> : kernels::average_pool_codes_ref<uint8_t>;
    case DType::f64:
      return kernels::max_pool_ref<double>;
    default:
      return is_max ? kernels::max_pool_ref<float> : kernels::average_pool_f32_ref;
  }
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  const auto& o = node.opt<PoolOptions>();
  const TensorView &x = node.in(0), &y = node.out(0);
  kernels::PoolArgs a{};
  a.window = pool_window(node);
  a.channels = static_cast<size_t>(x.shape[x.shape.rank() - 1]);
  a.x = x.data;
  a.y = y.data;
  a.indices = node.has_out(1) ? node.out(1).as_mutable<int64_t>() : nullptr;
  a.column_major = o.column_major_indices();
  a.count_padding = o.count_include_pad();
  a.p = o.p();
  if (is_codes(x.dtype) && o.kind() == PoolKind::average) {
    a.x_zero = x.quant.zero_points[0];
    a.y_zero = y.quant.zero_points[0];
    a.scale = x.quant.scales[0] / y.quant.scales[0];
  }
  const PoolKernel kernel = kernel_for(o.kind(), x.dtype);
  const auto pixels_total = static_cast<size_t>(y.shape.count(0, y.shape.rank() - 1));
  parallel_for(context.pool, pixels_total, 16, [&](Range pixels) { kernel(a, pixels); });
}

}  // namespace

kernels::Window pool_window(const NodeView& node) {
  Shape in, out;
  for (int d = 1; d + 1 < node.in(0).shape.rank(); ++d) {
    in.push_back(node.in(0).shape[d]);
    out.push_back(node.out(0).shape[d]);
  }
  return window_of(options_of(node), in, kernel_of(node), out);
}

PITH_OPERATOR(Pool){schema::Op::PoolOptions, "pool", kNoFlags, check, infer, nullptr, run};

}  // namespace pith
