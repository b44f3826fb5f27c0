// Conditions of packing, and what is said about nodes that do not meet them.
#include "converter/quantize/packable.h"

#include "runtime/ops/panel_weights.h"

namespace pith::quantize {
namespace {

using schema::Op;

bool is_grouped_conv(const ir::Node& node) {
  const auto* conv = node.as<schema::ConvOptionsT>();
  return conv != nullptr && conv->groups != 1;
}

}  // namespace

bool is_float_activation_product(const ir::Node& node) {
  return (node.is(Op::FullyConnectedOptions) || node.is(Op::ConvOptions) ||
          node.is(Op::ConvTransposeOptions)) &&
         node.in(0) != nullptr && node.in(0)->dtype == DType::f32 && node.in(1) != nullptr &&
         node.in(1)->is_constant();
}

Status check_packable(const ir::Node& node, Layout layout, size_t group) {
  const auto no = [](const char* why) { return Status(Code::unsupported, why); };
  if (!is_float_activation_product(node)) return no("no product of float inputs and constant weights");
  if (node.is(Op::ConvTransposeOptions)) return no("no kernel for packed transposed convolutions");
  if (is_grouped_conv(node)) return no("no kernel for packed convolutions in groups");
  const ir::Value& weights = *node.in(1);
  if (weights.layout != Layout::row_major) return no("its weights are packed already");
  const ir::Value* bias = node.in(2);
  if (bias != nullptr && (!bias->is_constant() || bias->dtype != DType::f32))
    return no("its bias is not a float constant");
  const char* fault = panel_fault(panel_matrix_of(layout, static_cast<uint16_t>(group), weights.shape));
  return fault == nullptr ? Status::ok() : no(fault);
}

void FloatNotes::add(const ir::Node& node, const Status& why) {
  ++count_;
  if (is_grouped_conv(node)) {
    if (grouped_++ == 0) first_grouped_ = node.name;
    return;
  }
  const char* what = node.is(Op::FullyConnectedOptions) ? "matrix product" : "convolution";
  lines_.push_back(std::string(what) + " '" + node.name + "' stays float: " + why.message());
}

std::vector<std::string> FloatNotes::lines() const {
  std::vector<std::string> all = lines_;
  if (grouped_ > 0)
    all.push_back(
        format("%zu convolutions in groups or depthwise ones ('%s'%s) stay float: they have few weights, "
               "and no kernel reads those packed; --precision int8 quantizes them",
               grouped_, first_grouped_.c_str(), grouped_ > 1 ? ", ..." : ""));
  return all;
}

}  // namespace pith::quantize
