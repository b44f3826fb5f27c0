// Reading and writing tensors as real numbers; matching of steps.
#include "converter/eval/traced_values.h"

#include <cmath>

#include "converter/data/host_tensor.h"

namespace pith::eval {
namespace {

double scale_of(const TensorView& t) { return t.quant.empty() ? 1 : static_cast<double>(t.quant.scales[0]); }
double zero_of(const TensorView& t) { return t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0]; }

template <class Table>
bool narrows(const NodeView& node) {
  const auto& o = node.opt<Table>();
  return std::isfinite(o.clamp_min()) || std::isfinite(o.clamp_max());
}

bool clamps(const NodeView& node) {
  switch (node.op) {
    case schema::Op::ConvOptions:
      return narrows<schema::ConvOptions>(node);
    case schema::Op::ConvTransposeOptions:
      return narrows<schema::ConvTransposeOptions>(node);
    case schema::Op::FullyConnectedOptions:
      return narrows<schema::FullyConnectedOptions>(node);
    case schema::Op::BinaryOptions:
      return narrows<schema::BinaryOptions>(node);
    default:
      return false;
  }
}

bool is_clamp(const NodeView& node) {
  if (node.op != schema::Op::UnaryOptions) return false;
  const auto kind = node.opt<schema::UnaryOptions>().kind();
  return kind == schema::UnaryKind::relu || kind == schema::UnaryKind::clip;
}

// The source's tensor that codes stand for: static int8 calls them NAME/quantize.
std::string_view source_name(std::string_view name) {
  constexpr std::string_view kSuffix = "/quantize";
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
}

}  // namespace

bool has_real_values(const TensorView& t) {
  return t.data != nullptr && bits_of(t.dtype) >= 8 && (is_float(t.dtype) || t.quant.per_tensor());
}

std::vector<float> real_values(const TensorView& t) {
  const auto count = static_cast<size_t>(t.count());
  std::vector<double> codes(count);
  data::to_doubles(t.dtype, static_cast<const std::byte*>(t.data), count, codes.data());
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>((codes[i] - zero_of(t)) * scale_of(t));
  return values;
}

void store_real_values(const TensorView& t, const std::vector<float>& values) {
  std::vector<double> codes(values.begin(), values.end());
  if (!t.quant.empty())
    for (double& v : codes) v = std::nearbyint(v / scale_of(t)) + zero_of(t);
  data::from_doubles(t.dtype, codes.data(), codes.size(), static_cast<std::byte*>(t.data));
}

void StepRecorder::clear() {
  by_tensor_.clear();
  tensor_of_node_.clear();
}

void StepRecorder::on_step(const StepTrace& step) {
  const NodeView& node = *step.node;
  if (!node.has_out(0) || !has_real_values(node.out(0)) || !is_float(node.out(0).dtype)) return;
  by_tensor_[node.out(0).name] = {real_values(node.out(0)), clamps(node), ""};
  if (*node.name != '\0') tensor_of_node_[node.name] = node.out(0).name;
  if (!is_clamp(node)) return;
  if (const auto before = by_tensor_.find(node.in(0).name); before != by_tensor_.end())
    before->second.activated = node.out(0).name;
}

const std::vector<float>* StepRecorder::find(const NodeView& node) const {
  if (!node.has_out(0)) return nullptr;
  if (const auto same = by_tensor_.find(source_name(node.out(0).name)); same != by_tensor_.end())
    return &same->second.values;
  const auto named = tensor_of_node_.find(node.name);
  if (named == tensor_of_node_.end()) return nullptr;
  const auto result = by_tensor_.find(named->second);
  if (result == by_tensor_.end()) return nullptr;
  if (!clamps(node) || result->second.clamps || result->second.activated.empty())
    return &result->second.values;
  const auto activated = by_tensor_.find(result->second.activated);
  return activated == by_tensor_.end() ? &result->second.values : &activated->second.values;
}

}  // namespace pith::eval
