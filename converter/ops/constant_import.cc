// Import of Constant (all numeric forms), ConstantOfShape, Range and EyeLike.
#include "converter/import/onnx/onnx_importer.h"
#include "converter/ops/import.h"

namespace pith {
namespace {

Status constant(ImportContext& c) {
  if (const SourceTensor* t = c.attr_tensor("value")) {
    c.set_out(0, c.constant(*t));
  } else if (c.has_attr("value_float")) {
    c.set_out(0, c.const_scalar(DType::f32, static_cast<double>(c.attr_float("value_float", 0))));
  } else if (c.has_attr("value_floats")) {
    const std::vector<float> values = c.attr_floats("value_floats");
    c.set_out(0, c.const_f32(Shape{static_cast<int64_t>(values.size())}, values));
  } else if (c.has_attr("value_int")) {
    // A scalar of 64 bits: through a list, so that no bit is lost in a double.
    c.set_out(0, c.reshape(c.const_i64({c.attr_int("value_int", 0)}), {}));
  } else if (c.has_attr("value_ints")) {
    c.set_out(0, c.const_i64(c.attr_ints("value_ints")));
  } else {
    return c.unsupported("strings and sparse tensors are not supported");
  }
  return Status::ok();
}

Status constant_of_shape(ImportContext& c) {
  const SourceTensor* value = c.attr_tensor("value");
  if (value != nullptr && value->shape.count() != 1) return c.malformed("value must have one element");
  ir::Value* fill = value == nullptr ? c.const_scalar(DType::f32, 0) : c.constant(*value);
  c.set_out(0, c.emit(schema::FillOptionsT{}, {c.in(0), fill}));
  return Status::ok();
}

Status range(ImportContext& c) {
  c.set_out(0, c.emit(schema::RangeOptionsT{}, {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

Status eye_like(ImportContext& c) {
  schema::EyeLikeOptionsT o;
  o.k = static_cast<int>(c.attr_int("k", 0));
  ir::Value* y = c.emit(std::move(o), {c.in(0)});
  if (c.has_attr("dtype")) {
    PITH_ASSIGN(const DType to, onnx_dtype(static_cast<int>(c.attr_int("dtype", 1)), "the wanted result"));
    y = c.cast(y, to);
  }
  c.set_out(0, y);
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> constant_imports() {
  static constexpr ImportRule kRules[] = {{"Constant", constant, 0},
                                          {"ConstantOfShape", constant_of_shape},
                                          {"EyeLike", eye_like},
                                          {"Range", range, 3}};
  return kRules;
}

}  // namespace pith
