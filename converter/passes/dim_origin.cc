// Tracing of dims. Every rule is one a correct model cannot break; where none applies the dim stands for itself.
#include "converter/passes/dim_origin.h"

#include <algorithm>
#include <vector>

#include "converter/ops/import.h"

namespace pith {
namespace {

using enum schema::Op;

// `index` of an entry of a shape list that is 0 or -1 and has no origin.
constexpr int kCopied = 0, kInferred = -1;
constexpr int kMaxDepth = 4000;  // of the walk back: deeper dims stand for themselves

DimOrigin number(int64_t n) { return {n, nullptr, 0, ""}; }
int rank_of(const ir::Value* v) { return v->shape.rank(); }

bool keeps_dims(const ir::Node& node) {
  switch (node.op.type) {
    case UnaryOptions:
    case CastOptions:
    case SoftmaxOptions:
    case CumSumOptions:
    case LayerNormOptions:
    case RmsNormOptions:
    case InstanceNormOptions:
    case LpNormOptions:
    case RotaryEmbeddingOptions:
    case QuantizeOptions:
    case DequantizeOptions:
    case TriluOptions:
      return true;
    default:
      return false;
  }
}

// A Slice from 0 to an end that is beyond any dim, by steps of 1, along its i-th axis.
bool takes_all(const ir::Node& slice, size_t i) {
  std::vector<int64_t> starts, ends, steps;
  if (!ImportContext::const_ints(slice.in(1), &starts) || !ImportContext::const_ints(slice.in(2), &ends) ||
      i >= starts.size() || i >= ends.size())
    return false;
  if (slice.in(4) != nullptr &&
      (!ImportContext::const_ints(slice.in(4), &steps) || i >= steps.size() || steps[i] != 1))
    return false;
  return starts[i] == 0 && ends[i] >= INT32_MAX;
}

}  // namespace

DimOrigin DimTracer::of(const ir::Value* v, int dim) {
  if (v->shape[dim] >= 0) return number(v->shape[dim]);
  const auto found = known_.find({v, dim});
  if (found != known_.end()) return found->second;
  const DimOrigin self{-1, v, dim, ""};
  if (depth_ >= kMaxDepth) return self;
  ++depth_;
  DimOrigin origin = trace(v, dim);
  --depth_;
  known_[{v, dim}] = origin;
  return origin;
}

DimOrigin DimTracer::trace(const ir::Value* v, int dim) {
  DimOrigin self{-1, v, dim, ""};
  const ir::Node* node = v->producer;
  if (node == nullptr) {
    if (static_cast<size_t>(dim) < v->dim_names.size()) self.name = v->dim_names[static_cast<size_t>(dim)];
    return self;
  }
  const ir::Value* x = node->in(0);
  if (node->out() != v || x == nullptr || !x->shape.has_rank()) return self;
  if (keeps_dims(*node)) return of(x, dim);
  switch (node->op.type) {
    case FullyConnectedOptions:
      return dim < rank_of(v) - 1 && rank_of(x) == rank_of(v) ? of(x, dim) : self;
    case TransposeOptions:
      return of(x, static_cast<int>(node->as<schema::TransposeOptionsT>()->perm[static_cast<size_t>(dim)]));
    case ConcatOptions: {
      const int axis = node->as<schema::ConcatOptionsT>()->axis;
      return dim != (axis < 0 ? axis + rank_of(v) : axis) ? of(x, dim) : self;
    }
    case AttentionOptions:
      return dim < rank_of(v) - 1 ? of(x, dim) : self;
    case BinaryOptions:
    case WhereOptions:
      return through_binary(*node, dim, self);
    case MatMulOptions:
      return through_matmul(*node, dim, self);
    case ReshapeOptions:
      return through_reshape(*node, dim, self);
    case GatherOptions:
      return through_gather(*node, dim, self);
    case ReduceOptions:
      if (!node->as<schema::ReduceOptionsT>()->keepdims) return self;
      [[fallthrough]];
    case SliceOptions:
    case SqueezeOptions:
    case UnsqueezeOptions:
      return through_axes(*node, dim, self);
    default:
      return self;
  }
}

// Operands of one element along the dim say nothing; all others must agree.
DimOrigin DimTracer::through_binary(const ir::Node& node, int dim, const DimOrigin& self) {
  std::optional<DimOrigin> common;
  for (const ir::Value* v : node.inputs) {
    if (v == nullptr || !v->shape.has_rank()) return self;
    const int at = dim - (rank_of(node.out()) - rank_of(v));
    if (at < 0 || v->shape[at] == 1) continue;
    const DimOrigin origin = of(v, at);
    if (origin.number == 1) continue;
    if (common && !(*common == origin)) return self;
    common = origin;
  }
  return common.value_or(self);
}

DimOrigin DimTracer::through_matmul(const ir::Node& node, int dim, const DimOrigin& self) {
  const ir::Value *a = node.in(0), *b = node.in(1);
  const int rank = rank_of(node.out());
  if (!b->shape.has_rank() || rank_of(a) < 2 || rank_of(b) < 2) return self;
  if (dim == rank - 2) return of(a, rank_of(a) - 2);
  if (dim == rank - 1)
    return of(b, node.as<schema::MatMulOptionsT>()->transpose_b ? rank_of(b) - 2 : rank_of(b) - 1);
  return through_binary(node, dim, self);
}

DimOrigin DimTracer::through_reshape(const ir::Node& node, int dim, const DimOrigin& self) {
  const ir::Value *x = node.in(0), *shape = node.in(1);
  if (shape == nullptr) return self;
  const DimOrigin wanted = element(shape, dim);
  if (wanted.number > 0 || wanted.value != nullptr) return wanted;
  if (wanted.index == kInferred) return remaining_dim(node, dim, self);
  const bool copies = wanted.index == kCopied && !node.as<schema::ReshapeOptionsT>()->allow_zero;
  return copies && dim < rank_of(x) ? of(x, dim) : self;
}

// -1: what is left of the input's elements when every other dim of the result has taken its part.
DimOrigin DimTracer::remaining_dim(const ir::Node& reshape, int dim, const DimOrigin& self) {
  const ir::Value *x = reshape.in(0), *y = reshape.out();
  std::vector<DimOrigin> left;
  int64_t count = 1;
  for (int i = 0; i < rank_of(x); ++i) {
    const DimOrigin o = of(x, i);
    if (o.number < 0)
      left.push_back(o);
    else if (__builtin_mul_overflow(count, o.number, &count))
      return self;
  }
  int64_t taken = 1;
  for (int i = 0; i < rank_of(y); ++i) {
    if (i == dim) continue;
    const DimOrigin o = of(y, i);
    const auto at = std::find(left.begin(), left.end(), o);
    if (o.number < 0 && at == left.end()) return self;
    if (o.number < 0)
      left.erase(at);
    else if (__builtin_mul_overflow(taken, o.number, &taken))
      return self;
  }
  if (left.empty() && taken > 0 && count % taken == 0) return number(count / taken);
  return left.size() == 1 && count == taken && count > 0 ? left[0] : self;
}

DimOrigin DimTracer::through_gather(const ir::Node& node, int dim, const DimOrigin& self) {
  const ir::Value *x = node.in(0), *indices = node.in(1);
  if (!indices->shape.has_rank()) return self;
  int axis = node.as<schema::GatherOptionsT>()->axis;
  if (axis < 0) axis += rank_of(x);
  if (dim < axis) return of(x, dim);
  if (dim < axis + rank_of(indices)) return of(indices, dim - axis);
  return of(x, dim - rank_of(indices) + 1);
}

DimOrigin DimTracer::through_axes(const ir::Node& node, int dim, const DimOrigin& self) {
  std::vector<int64_t> axes;
  const bool slice = node.is(SliceOptions), keeps_rank = slice || node.is(ReduceOptions);
  if (!ImportContext::const_ints(node.in(slice ? 3 : 1), &axes)) return self;
  const int rank = node.is(UnsqueezeOptions) ? rank_of(node.out()) : rank_of(node.in(0));
  std::vector<bool> named(static_cast<size_t>(rank), false);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t at = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (at < 0 || at >= rank) return self;
    named[static_cast<size_t>(at)] = !slice || !takes_all(node, i);
  }
  if (keeps_rank) return named[static_cast<size_t>(dim)] ? self : of(node.in(0), dim);
  int x = 0, y = 0;  // walk both sides at once; the longer one skips its named dims
  for (int i = 0; i < rank; ++i) {
    if (named[static_cast<size_t>(i)]) {
      if (node.is(UnsqueezeOptions) && y++ == dim) return number(1);
      x += node.is(SqueezeOptions);
      continue;
    }
    if (y == dim) return of(node.in(0), x);
    ++x, ++y;
  }
  return self;
}

DimOrigin DimTracer::element(const ir::Value* v, int64_t i) {
  const DimOrigin self{-1, v, static_cast<int>(-1 - i), ""};
  std::vector<int64_t> list;
  if (ImportContext::const_ints(v, &list)) {
    if (i < 0 || static_cast<size_t>(i) >= list.size()) return self;
    const int64_t n = list[static_cast<size_t>(i)];
    return n > 0 ? number(n) : DimOrigin{-1, nullptr, n == 0 ? kCopied : kInferred, ""};
  }
  if (v->producer == nullptr || depth_ >= kMaxDepth) return self;
  ++depth_;
  const DimOrigin found = through_list(*v->producer, i, self);
  --depth_;
  return found;
}

DimOrigin DimTracer::through_list(const ir::Node& node, int64_t i, const DimOrigin& self) {
  const ir::Value* x = node.in(0);
  std::vector<int64_t> list;
  switch (node.op.type) {
    case CastOptions:
      return element(x, i);
    case SqueezeOptions:
    case UnsqueezeOptions:
    case ReshapeOptions:
      return x->shape.is_known() && x->shape.count() == 1 ? element(x, 0) : self;
    case ShapeOptions: {
      const auto* o = node.as<schema::ShapeOptionsT>();
      const int64_t at = i + (o->start < 0 ? o->start + rank_of(x) : o->start);
      return o->element_count || at < 0 || at >= rank_of(x) ? self : of(x, static_cast<int>(at));
    }
    case ConcatOptions:
      for (const ir::Value* part : node.inputs) {
        if (rank_of(part) != 1 || part->shape[0] < 0) return self;
        if (i < part->shape[0]) return element(part, i);
        i -= part->shape[0];
      }
      return self;
    case GatherOptions: {
      if (!ImportContext::const_ints(node.in(1), &list) || static_cast<size_t>(i) >= list.size()) return self;
      const int64_t at = list[static_cast<size_t>(i)];
      return rank_of(x) == 1 && (at >= 0 || x->shape[0] >= 0) ? element(x, at < 0 ? at + x->shape[0] : at)
                                                              : self;
    }
    case SliceOptions: {
      std::vector<int64_t> steps;
      if (rank_of(x) != 1 || !ImportContext::const_ints(node.in(1), &list) || list.size() != 1) return self;
      if (node.in(4) != nullptr && (!ImportContext::const_ints(node.in(4), &steps) || steps[0] != 1))
        return self;
      if (list[0] < 0 && x->shape[0] < 0) return self;
      return element(x, i + (list[0] < 0 ? list[0] + x->shape[0] : list[0]));
    }
    default:
      return self;
  }
}

}  // namespace pith
