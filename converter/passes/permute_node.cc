// Renaming of axes. A dim that the node calls j is called perm[j] in the untransposed data.
#include "converter/passes/permute_node.h"

#include <algorithm>

#include "converter/ops/import.h"

namespace pith {
namespace {

using enum schema::Op;

int rank_of(const Permutation& perm) { return static_cast<int>(perm.size()); }

bool rename_axis(const Permutation& perm, int* axis) {
  const int a = *axis < 0 ? *axis + rank_of(perm) : *axis;
  if (a < 0 || a >= rank_of(perm)) return false;
  *axis = static_cast<int>(perm[static_cast<size_t>(a)]);
  return true;
}

// A constant list of axes at input i, or (when omitted) all axes: always an explicit list afterwards.
bool rename_axes_input(ir::Graph& graph, ir::Node& node, size_t i, const Permutation& perm) {
  std::vector<int64_t> axes;
  if (!ImportContext::const_ints(node.in(i), &axes)) return false;
  for (int64_t& a : axes) {
    int axis = static_cast<int>(a);
    if (!rename_axis(perm, &axis)) return false;
    a = axis;
  }
  graph.set_input(&node, i, graph.add_i64(graph.unique_name(node.name + "/axes"), axes));
  return true;
}

// A constant list with one entry per dim (repeated `parts` times, as pads are), reordered.
bool permute_list_input(ir::Graph& graph, ir::Node& node, size_t i, size_t parts, const Permutation& perm) {
  std::vector<int64_t> list;
  if (!ImportContext::const_ints(node.in(i), &list) || list.size() != parts * perm.size()) return false;
  std::vector<int64_t> out(list.size());
  for (size_t part = 0; part < parts; ++part)
    for (size_t j = 0; j < perm.size(); ++j) out[part * perm.size() + perm[j]] = list[part * perm.size() + j];
  graph.set_input(&node, i, graph.add_i64(graph.unique_name(node.name + "/list"), out));
  return true;
}

bool permute_float_list(ir::Graph& graph, ir::Node& node, size_t i, const Permutation& perm) {
  std::vector<float> list;
  if (!ImportContext::const_floats(node.in(i), &list) || list.size() != perm.size()) return false;
  std::vector<float> out(list.size());
  for (size_t j = 0; j < perm.size(); ++j) out[perm[j]] = list[j];
  graph.set_input(
      &node, i,
      graph.add_f32(graph.unique_name(node.name + "/list"), Shape{static_cast<int64_t>(out.size())}, out));
  return true;
}

bool permute_pad(ir::Graph& graph, ir::Node& node, const Permutation& perm) {
  if (node.in(3) != nullptr) return rename_axes_input(graph, node, 3, perm);
  return permute_list_input(graph, node, 1, 2, perm);
}

bool permute_slice(ir::Graph& graph, ir::Node& node, const Permutation& perm) {
  if (node.in(3) != nullptr) return rename_axes_input(graph, node, 3, perm);
  std::vector<int64_t> starts;
  if (!ImportContext::const_ints(node.in(1), &starts) || starts.size() > perm.size()) return false;
  std::vector<int64_t> axes(starts.size());
  for (size_t j = 0; j < axes.size(); ++j) axes[j] = perm[j];
  graph.set_input(&node, 3, graph.add_i64(graph.unique_name(node.name + "/axes"), axes));
  return true;
}

bool permute_resize(ir::Graph& graph, ir::Node& node, const Permutation& perm) {
  auto* o = node.as<schema::ResizeOptionsT>();
  if (node.in(1) != nullptr && node.in(1)->shape.count() != 0) return false;  // roi: rare, left alone
  if (!o->axes.empty()) {
    for (int& a : o->axes)
      if (!rename_axis(perm, &a)) return false;
    return true;
  }
  const bool sizes = node.in(3) != nullptr && node.in(3)->shape.count() != 0;
  return sizes ? permute_list_input(graph, node, 3, 1, perm) : permute_float_list(graph, node, 2, perm);
}

bool permute_quantize(int* axis, const ir::Node& node, const Permutation& perm) {
  const ir::Value* scale = node.in(1);
  if (scale == nullptr || (scale->shape.is_known() && scale->shape.count() == 1)) return true;
  return rename_axis(perm, axis);
}

}  // namespace

std::vector<size_t> data_inputs_of(const ir::Node& node) {
  switch (node.op.type) {
    case UnaryOptions:
    case CastOptions:
    case SoftmaxOptions:
    case ReduceOptions:
    case PadOptions:
    case SliceOptions:
    case SplitOptions:
    case ResizeOptions:
    case TileOptions:
    case QuantizeOptions:
    case DequantizeOptions:
    case InstanceNormOptions:
    case LocalResponseNormOptions:
    case LpNormOptions:
      return {0};
    case BinaryOptions:
      return {0, 1};
    case WhereOptions:
      return {0, 1, 2};
    case ConcatOptions: {
      std::vector<size_t> all;
      for (size_t i = 0; i < node.inputs.size(); ++i) all.push_back(i);
      return all;
    }
    default:
      return {};
  }
}

bool permute_options(ir::Graph& graph, ir::Node& node, const Permutation& perm) {
  switch (node.op.type) {
    case UnaryOptions:
    case CastOptions:
    case BinaryOptions:
    case WhereOptions:
      return true;
    case SoftmaxOptions:
      return rename_axis(perm, &node.as<schema::SoftmaxOptionsT>()->axis);
    case ConcatOptions: {
      for (const ir::Value* v :
           node.inputs)  // broadcasting is not concatenation: every operand has the full rank
        if (v->shape.rank() != rank_of(perm)) return false;
      return rename_axis(perm, &node.as<schema::ConcatOptionsT>()->axis);
    }
    case SplitOptions:
      return rename_axis(perm, &node.as<schema::SplitOptionsT>()->axis);
    case LpNormOptions:
      return rename_axis(perm, &node.as<schema::LpNormOptionsT>()->axis);
    case InstanceNormOptions:
      return rename_axis(perm, &node.as<schema::InstanceNormOptionsT>()->channel_axis);
    case LocalResponseNormOptions:
      return rename_axis(perm, &node.as<schema::LocalResponseNormOptionsT>()->channel_axis);
    case ReduceOptions:  // without keepdims the rank changes, and with it the permutation: checked by the
                         // caller
      return node.as<schema::ReduceOptionsT>()->keepdims && rename_axes_input(graph, node, 1, perm);
    case PadOptions:
      return permute_pad(graph, node, perm);
    case SliceOptions:
      return permute_slice(graph, node, perm);
    case ResizeOptions:
      return permute_resize(graph, node, perm);
    case TileOptions:
      return permute_list_input(graph, node, 1, 1, perm);
    case QuantizeOptions:
      return permute_quantize(&node.as<schema::QuantizeOptionsT>()->axis, node, perm);
    case DequantizeOptions:
      return permute_quantize(&node.as<schema::DequantizeOptionsT>()->axis, node, perm);
    default:
      return false;
  }
}

}  // namespace pith
