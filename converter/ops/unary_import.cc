// Import of elementwise functions of one tensor. Most are a row of kPlain; the rest read attributes.
#include <cmath>

#include "converter/ops/import.h"

namespace pith {
namespace {

using schema::UnaryKind;

template <UnaryKind kind>
Status plain(ImportContext& c) {
  c.set_out(0, c.unary(kind, c.in(0)));
  return Status::ok();
}

struct Defaults {
  const char* alpha_name;
  float alpha;
  const char* beta_name;
  float beta;
};

Status with_attributes(ImportContext& c, UnaryKind kind, const Defaults& d) {
  const float alpha = d.alpha_name == nullptr ? d.alpha : c.attr_float(d.alpha_name, d.alpha);
  const float beta = d.beta_name == nullptr ? d.beta : c.attr_float(d.beta_name, d.beta);
  c.set_out(0, c.unary(kind, c.in(0), alpha, beta));
  return Status::ok();
}

Status leaky_relu(ImportContext& c) {
  return with_attributes(c, UnaryKind::leaky_relu, {"alpha", 0.01f, nullptr, 0});
}
Status elu(ImportContext& c) { return with_attributes(c, UnaryKind::elu, {"alpha", 1.0f, nullptr, 0}); }
Status selu(ImportContext& c) {
  return with_attributes(c, UnaryKind::selu, {"alpha", 1.67326319f, "gamma", 1.05070102f});
}
Status celu(ImportContext& c) { return with_attributes(c, UnaryKind::celu, {"alpha", 1.0f, nullptr, 0}); }
Status thresholded_relu(ImportContext& c) {
  return with_attributes(c, UnaryKind::thresholded_relu, {"alpha", 1.0f, nullptr, 0});
}
Status hard_sigmoid(ImportContext& c) {
  return with_attributes(c, UnaryKind::hard_sigmoid, {"alpha", 0.2f, "beta", 0.5f});
}
Status swish(ImportContext& c) { return with_attributes(c, UnaryKind::swish, {"alpha", 1.0f, nullptr, 0}); }
Status shrink(ImportContext& c) { return with_attributes(c, UnaryKind::shrink, {"lambd", 0.5f, "bias", 0}); }

Status is_inf(ImportContext& c) {
  const bool positive = c.attr_int("detect_positive", 1) != 0,
             negative = c.attr_int("detect_negative", 1) != 0;
  c.set_out(0, c.unary(UnaryKind::is_inf, c.in(0), positive ? 1.0f : 0.0f, negative ? 1.0f : 0.0f));
  return Status::ok();
}

Status gelu(ImportContext& c) {
  const std::string approximate = c.attr_string("approximate", "none");
  if (approximate != "none" && approximate != "tanh") return c.malformed("approximate must be none or tanh");
  c.set_out(0, c.unary(approximate == "tanh" ? UnaryKind::gelu_tanh : UnaryKind::gelu, c.in(0)));
  return Status::ok();
}

// com.microsoft FastGelu: gelu_tanh(x + bias).
Status fast_gelu(ImportContext& c) {
  ir::Value* x = c.has(1) ? c.binary(schema::BinaryKind::add, c.in(0), c.in(1)) : c.in(0);
  c.set_out(0, c.unary(UnaryKind::gelu_tanh, x));
  return Status::ok();
}

// Opset 6: attributes. From 11 on: optional inputs, which may be computed and of any number type.
Status clip(ImportContext& c) {
  ir::Value* x = c.in(0);
  if (c.opset() < 11) {
    c.set_out(0, c.unary(UnaryKind::clip, x, c.attr_float("min", -INFINITY), c.attr_float("max", INFINITY)));
    return Status::ok();
  }
  std::vector<float> lo{-INFINITY}, hi{INFINITY};
  const bool constant = (!c.has(1) || (ImportContext::const_floats(c.in(1), &lo) && lo.size() == 1)) &&
                        (!c.has(2) || (ImportContext::const_floats(c.in(2), &hi) && hi.size() == 1));
  if (constant && is_float(x->dtype) && lo[0] <= hi[0]) {
    c.set_out(0, c.unary(UnaryKind::clip, x, lo[0], hi[0]));
    return Status::ok();
  }
  if (c.has(1)) x = c.binary(schema::BinaryKind::max, x, c.in(1));
  if (c.has(2)) x = c.binary(schema::BinaryKind::min, x, c.in(2));
  c.set_out(0, x);
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> unary_imports() {
  static constexpr ImportRule kRules[] = {
      {"Abs", plain<UnaryKind::abs>},
      {"Acos", plain<UnaryKind::acos>},
      {"Acosh", plain<UnaryKind::acosh>},
      {"Asin", plain<UnaryKind::asin>},
      {"Asinh", plain<UnaryKind::asinh>},
      {"Atan", plain<UnaryKind::atan>},
      {"Atanh", plain<UnaryKind::atanh>},
      {"BitwiseNot", plain<UnaryKind::bitwise_not>},
      {"Ceil", plain<UnaryKind::ceil>},
      {"Celu", celu},
      {"Clip", clip},
      {"Cos", plain<UnaryKind::cos>},
      {"Cosh", plain<UnaryKind::cosh>},
      {"Elu", elu},
      {"Erf", plain<UnaryKind::erf>},
      {"Exp", plain<UnaryKind::exp>},
      {"Floor", plain<UnaryKind::floor>},
      {"Gelu", gelu},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", plain<UnaryKind::hard_swish>},
      {"IsInf", is_inf},
      {"IsNaN", plain<UnaryKind::is_nan>},
      {"LeakyRelu", leaky_relu},
      {"Log", plain<UnaryKind::log>},
      {"Mish", plain<UnaryKind::mish>},
      {"Neg", plain<UnaryKind::neg>},
      {"Not", plain<UnaryKind::logical_not>},
      {"Reciprocal", plain<UnaryKind::reciprocal>},
      {"Relu", plain<UnaryKind::relu>},
      {"Round", plain<UnaryKind::round_even>},
      {"Selu", selu},
      {"Shrink", shrink},
      {"Sigmoid", plain<UnaryKind::sigmoid>},
      {"Sign", plain<UnaryKind::sign>},
      {"Sin", plain<UnaryKind::sin>},
      {"Sinh", plain<UnaryKind::sinh>},
      {"Softplus", plain<UnaryKind::softplus>},
      {"Softsign", plain<UnaryKind::softsign>},
      {"Sqrt", plain<UnaryKind::sqrt>},
      {"Swish", swish},
      {"Tan", plain<UnaryKind::tan>},
      {"Tanh", plain<UnaryKind::tanh>},
      {"ThresholdedRelu", thresholded_relu},
      {"com.microsoft:FastGelu", fast_gelu},
      {"com.microsoft:Gelu", plain<UnaryKind::gelu>},
  };
  return kRules;
}

}  // namespace pith
