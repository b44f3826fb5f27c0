// Import of elementwise functions of one operand.
#include <cmath>

#include "converter/ops/import.h"

namespace pith {
namespace {

using Kind = schema::UnaryKind;

template <Kind kind>
Status plain(ImportContext& c) {
  c.set_out(0, c.unary(kind, c.in(0)));
  return Status::ok();
}

// Functions whose parameters are float attributes; a null name leaves the parameter as it is.
Status with_attributes(ImportContext& c, Kind kind, const char* alpha, float alpha_default,
                       const char* beta = nullptr, float beta_default = 0) {
  const float a = alpha == nullptr ? alpha_default : c.attr_float(alpha, alpha_default);
  const float b = beta == nullptr ? beta_default : c.attr_float(beta, beta_default);
  c.set_out(0, c.unary(kind, c.in(0), a, b));
  return Status::ok();
}

Status leaky_relu(ImportContext& c) { return with_attributes(c, Kind::leaky_relu, "alpha", 0.01f); }
Status elu(ImportContext& c) { return with_attributes(c, Kind::elu, "alpha", 1); }
Status selu(ImportContext& c) {
  return with_attributes(c, Kind::selu, "alpha", 1.67326319217681884765625f, "gamma",
                         1.05070102214813232421875f);
}
Status celu(ImportContext& c) {
  if (c.attr_float("alpha", 1) == 0) return c.malformed("alpha is 0");
  return with_attributes(c, Kind::celu, "alpha", 1);
}
Status thresholded_relu(ImportContext& c) { return with_attributes(c, Kind::thresholded_relu, "alpha", 1); }
Status hard_sigmoid(ImportContext& c) {
  return with_attributes(c, Kind::hard_sigmoid, "alpha", 0.2f, "beta", 0.5f);
}
Status shrink(ImportContext& c) { return with_attributes(c, Kind::shrink, "lambd", 0.5f, "bias", 0); }
Status swish(ImportContext& c) { return with_attributes(c, Kind::swish, "alpha", 1); }
Status quick_gelu(ImportContext& c) { return with_attributes(c, Kind::swish, "alpha", 1.702f); }

Status gelu(ImportContext& c) {
  const std::string form = c.attr_string("approximate", "none");
  if (form != "none" && form != "tanh") return c.unsupported("approximate = '" + form + "'");
  c.set_out(0, c.unary(form == "tanh" ? Kind::gelu_tanh : Kind::gelu, c.in(0)));
  return Status::ok();
}

template <Kind kind>
Status biased_gelu(ImportContext& c) {
  ir::Value* x = c.has(1) ? c.binary(schema::BinaryKind::add, c.in(0), c.in(1)) : c.in(0);
  c.set_out(0, c.unary(kind, x));
  return Status::ok();
}

Status is_inf(ImportContext& c) {
  const auto positive = static_cast<float>(c.attr_int("detect_positive", 1));
  const auto negative = static_cast<float>(c.attr_int("detect_negative", 1));
  c.set_out(0, c.unary(Kind::is_inf, c.in(0), positive, negative));
  return Status::ok();
}

// Bounds are attributes before opset 11, then scalar tensors of the type of x.
Status clip(ImportContext& c) {
  if (!c.has(0)) return c.malformed("the input is missing");
  float low = -INFINITY, high = INFINITY;
  if (c.opset() < 11) {
    low = c.attr_float("min", low);
    high = c.attr_float("max", high);
    c.set_out(0, c.unary(Kind::clip, c.in(0), low, high));
    return Status::ok();
  }
  std::vector<float> values;
  bool constant = c.in(0)->dtype != DType::f64;
  for (size_t i = 1; i < 3; ++i) {
    if (!c.has(i)) continue;
    const bool known = ImportContext::const_floats(c.in(i), &values) && values.size() == 1;
    if (known) (i == 1 ? low : high) = values[0];
    constant = constant && known;
  }
  if (!c.has(1) && !c.has(2)) {
    c.set_out(0, c.in(0));
  } else if (constant) {
    c.set_out(0, c.unary(Kind::clip, c.in(0), low, high));
  } else {
    ir::Value* y = c.in(0);
    if (c.has(1)) y = c.binary(schema::BinaryKind::max, y, c.in(1));
    if (c.has(2)) y = c.binary(schema::BinaryKind::min, y, c.in(2));
    c.set_out(0, y);
  }
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"Abs", plain<Kind::abs>},
    {"Neg", plain<Kind::neg>},
    {"Floor", plain<Kind::floor>},
    {"Ceil", plain<Kind::ceil>},
    {"Round", plain<Kind::round_even>},
    {"Sign", plain<Kind::sign>},
    {"Sin", plain<Kind::sin>},
    {"Cos", plain<Kind::cos>},
    {"Tan", plain<Kind::tan>},
    {"Asin", plain<Kind::asin>},
    {"Acos", plain<Kind::acos>},
    {"Atan", plain<Kind::atan>},
    {"Sinh", plain<Kind::sinh>},
    {"Cosh", plain<Kind::cosh>},
    {"Asinh", plain<Kind::asinh>},
    {"Acosh", plain<Kind::acosh>},
    {"Atanh", plain<Kind::atanh>},
    {"Exp", plain<Kind::exp>},
    {"Log", plain<Kind::log>},
    {"Sqrt", plain<Kind::sqrt>},
    {"Reciprocal", plain<Kind::reciprocal>},
    {"Erf", plain<Kind::erf>},
    {"Sigmoid", plain<Kind::sigmoid>},
    {"Tanh", plain<Kind::tanh>},
    {"Softplus", plain<Kind::softplus>},
    {"Softsign", plain<Kind::softsign>},
    {"Relu", plain<Kind::relu>},
    {"HardSwish", plain<Kind::hard_swish>},
    {"Mish", plain<Kind::mish>},
    {"Not", plain<Kind::logical_not>},
    {"BitwiseNot", plain<Kind::bitwise_not>},
    {"IsNaN", plain<Kind::is_nan>},
    {"IsInf", is_inf},
    {"LeakyRelu", leaky_relu},
    {"Elu", elu},
    {"Selu", selu},
    {"Celu", celu},
    {"ThresholdedRelu", thresholded_relu},
    {"HardSigmoid", hard_sigmoid},
    {"Shrink", shrink},
    {"Swish", swish},
    {"Gelu", gelu},
    {"Clip", clip},
    {"com.microsoft:Gelu", plain<Kind::gelu>},
    {"com.microsoft:BiasGelu", biased_gelu<Kind::gelu>},
    {"com.microsoft:FastGelu", biased_gelu<Kind::gelu_tanh>},
    {"com.microsoft:QuickGelu", quick_gelu},
};

}  // namespace

std::span<const ImportRule> unary_imports() { return kRules; }

}  // namespace pith
