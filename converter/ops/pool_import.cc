// Import of MaxPool, AveragePool, LpPool and of the global pools, which are reductions over the spatial dims.
#include "converter/ops/window_attributes.h"

namespace pith {
namespace {

using schema::PoolKind;
using schema::ReduceKind;

Status import_window_pool(ImportContext& c, PoolKind kind) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0}));
  WindowAttributes w;
  PITH_RETURN_IF_ERROR(read_window(c, c.in(0), {}, &w));
  const int64_t p = c.attr_int("p", 2);
  if (p < 1 || p > 1000) return c.unsupported("attribute p is outside 1 to 1000");
  schema::PoolOptionsT o;
  o.kind = kind;
  o.kernel = w.kernel, o.strides = w.strides, o.pads = w.pads, o.dilations = w.dilations;
  o.ceil_mode = c.attr_int("ceil_mode", 0) != 0;
  o.count_include_pad = c.attr_int("count_include_pad", 0) != 0;
  o.column_major_indices = c.attr_int("storage_order", 0) != 0;
  o.p = static_cast<int32_t>(p);
  const int rank = static_cast<int>(w.kernel.size()) + 2;
  const size_t outputs = kind == PoolKind::max && c.wants_out(1) ? 2 : 1;
  const auto y = c.emit_n(o, {to_channels_last(c, c.in(0), rank)}, outputs);
  for (size_t i = 0; i < outputs; ++i) c.set_out(i, to_channels_first(c, y[i], rank));
  return Status::ok();
}

// [2, 3 .. rank - 1]; where the rank is known only at run time, computed then.
ir::Value* spatial_axes(ImportContext& c, ir::Value* x) {
  if (x->shape.has_rank()) {
    std::vector<int64_t> axes;
    for (int d = 2; d < x->shape.rank(); ++d) axes.push_back(d);
    return c.const_i64(axes);
  }
  const schema::ShapeOptionsT shape;
  ir::Value* rank = c.reshape(c.emit(shape, {c.emit(shape, {x})}), {});
  const auto number = [&](double v) { return c.const_scalar(DType::i64, v); };
  return c.emit(schema::RangeOptionsT{}, {number(2), rank, number(1)});
}

Status import_global_pool(ImportContext& c, ReduceKind kind) {
  PITH_RETURN_IF_ERROR(need_inputs(c, {0}));
  const Shape& shape = c.in(0)->shape;
  if (shape.has_rank() && shape.rank() < 3)
    return c.unsupported("the input must have spatial dims, found shape " + shape.text());
  schema::ReduceOptionsT o;
  o.kind = kind;
  o.keepdims = true;
  c.set_out(0, c.emit(o, {c.in(0), spatial_axes(c, c.in(0))}));
  return Status::ok();
}

Status import_max_pool(ImportContext& c) { return import_window_pool(c, PoolKind::max); }
Status import_average_pool(ImportContext& c) { return import_window_pool(c, PoolKind::average); }
Status import_lp_pool(ImportContext& c) { return import_window_pool(c, PoolKind::lp); }
Status import_global_average_pool(ImportContext& c) { return import_global_pool(c, ReduceKind::mean); }
Status import_global_max_pool(ImportContext& c) { return import_global_pool(c, ReduceKind::max); }
Status import_global_lp_pool(ImportContext& c) {
  const int64_t p = c.attr_int("p", 2);
  if (p != 1 && p != 2) return c.unsupported("only p = 1 and p = 2 are supported");
  return import_global_pool(c, p == 1 ? ReduceKind::l1 : ReduceKind::l2);
}

}  // namespace

std::span<const ImportRule> pool_imports() {
  static constexpr ImportRule kRules[] = {{"AveragePool", import_average_pool},
                                          {"GlobalAveragePool", import_global_average_pool},
                                          {"GlobalLpPool", import_global_lp_pool},
                                          {"GlobalMaxPool", import_global_max_pool},
                                          {"LpPool", import_lp_pool},
                                          {"MaxPool", import_max_pool}};
  return kRules;
}

}  // namespace pith
