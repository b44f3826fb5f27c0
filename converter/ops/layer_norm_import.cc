// Import of LayerNormalization, RMSNormalization and their Microsoft relatives with a skip connection.
#include "converter/ops/import.h"

namespace pith {
namespace {

// The device wants a scale of as many elements as the normalized dims, or one: others are expanded.
ir::Value* full_row(ImportContext& c, const ir::Value& x, ir::Value* row, int64_t axis) {
  if (row == nullptr || !x.shape.has_rank() || !row->shape.is_known()) return row;
  const int rank = x.shape.rank(), from = static_cast<int>(axis < 0 ? axis + rank : axis);
  if (from < 0 || from >= rank) return row;  // refused by the operator
  const int64_t needed = x.shape.count(from, rank), count = row->shape.count();
  if (needed < 0 || count == needed || count == 1) return row;
  std::vector<int64_t> dims(x.shape.dims().begin() + from, x.shape.dims().end());
  return c.emit(schema::ExpandOptionsT{}, {row, c.const_i64(std::move(dims))});
}

std::vector<ir::Value*> layer(ImportContext& c, ir::Value* x, ir::Value* scale, ir::Value* bias,
                              size_t outputs) {
  schema::LayerNormOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", -1));
  o.epsilon = c.attr_float("epsilon", 1e-5f);
  scale = full_row(c, *x, scale, o.axis);
  bias = full_row(c, *x, bias, o.axis);
  std::vector<ir::Value*> inputs = {x, scale};
  if (bias != nullptr) inputs.push_back(bias);
  return c.emit_n(std::move(o), std::move(inputs), outputs);
}

ir::Value* rms(ImportContext& c, ir::Value* x, ir::Value* scale) {
  schema::RmsNormOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", -1));
  o.epsilon = c.attr_float("epsilon", 1e-5f);
  scale = full_row(c, *x, scale, o.axis);
  return c.emit(std::move(o), {x, scale});
}

Status layer_normalization(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("the input or the scale is missing");
  const size_t outputs = c.wants_out(2) ? 3 : c.wants_out(1) ? 2 : 1;
  const auto outs = layer(c, c.in(0), c.in(1), c.in(2), outputs);
  for (size_t i = 0; i < outs.size(); ++i) c.set_out(i, outs[i]);
  return Status::ok();
}

Status rms_normalization(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("the input or the scale is missing");
  if (c.wants_out(1)) return c.unsupported("the second output");
  c.set_out(0, rms(c, c.in(0), c.in(1)));
  return Status::ok();
}

// input, skip, gamma, then beta (not for the rms form) and bias -> y, mean, inv_std, input + skip + bias
template <bool root_mean_square>
Status skip_normalization(ImportContext& c) {
  if (!c.has(0) || !c.has(1) || !c.has(2)) return c.malformed("input, skip or gamma is missing");
  if (c.wants_out(1) || c.wants_out(2)) return c.unsupported("the statistics as outputs");
  const size_t bias = root_mean_square ? 3 : 4;
  ir::Value* sum = c.binary(schema::BinaryKind::add, c.in(0), c.in(1));
  if (c.has(bias)) sum = c.binary(schema::BinaryKind::add, sum, c.in(bias));
  c.set_out(0, root_mean_square ? rms(c, sum, c.in(2)) : layer(c, sum, c.in(2), c.in(3), 1)[0]);
  c.set_out(3, sum);
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"LayerNormalization", layer_normalization, 2},
    {"RMSNormalization", rms_normalization, 2},
    {"SimplifiedLayerNormalization", rms_normalization, 2},
    {"com.microsoft:SkipLayerNormalization", skip_normalization<false>, 3},
    {"com.microsoft:SkipSimplifiedLayerNormalization", skip_normalization<true>, 3},
};

}  // namespace

std::span<const ImportRule> layer_norm_imports() { return kRules; }

}  // namespace pith
