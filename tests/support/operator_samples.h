// One small node of every operator, with the element types of its data left open: a Form fills them in.
// tests/backends/operator_types_test.cc asks every backend about each of them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "runtime/ops/op.h"

namespace pith::test {

// How the data of a node is typed.
struct Form {
  const char* name;
  DType x = DType::f32;
  bool codes = false;     // x and y are quantized
  DType w = DType::none;  // weights; none: as x
  Layout layout = Layout::row_major;
  uint16_t group = 0;
};

struct Arg {
  enum Role { data, weights, bias, ints, floats, bools, codes, none } role;
  Shape shape{};
  std::vector<int64_t> values{};  // of ints; every other element is 1
};

struct Sample {
  const char* name;  // as in op_list.inc
  std::vector<Arg> args;
  std::function<schema::OpUnion(int kind)> options;
  std::vector<std::string> kinds{};  // what options() takes by number; empty: there is one
  size_t outputs = 1;
};

namespace samples_detail {

template <class T, class F>
std::function<schema::OpUnion(int)> with(F set) {
  return [set](int kind) {
    T options;
    set(options, kind);
    schema::OpUnion op;
    op.Set(std::move(options));
    return op;
  };
}
template <class T>
std::function<schema::OpUnion(int)> plain() {
  return with<T>([](T&, int) {});
}
template <class Kind>
std::vector<std::string> names(const char* const* all) {
  return {all, all + static_cast<int>(Kind::MAX) + 1};
}

inline Arg x(const Shape& s) { return {Arg::data, s}; }
inline Arg ints(const std::vector<int64_t>& values) {
  return {Arg::ints, {static_cast<int64_t>(values.size())}, values};
}
inline Arg index(const Shape& s, const std::vector<int64_t>& values) { return {Arg::ints, s, values}; }
inline Arg floats(const Shape& s) { return {Arg::floats, s}; }

using namespace schema;  // NOLINT(google-build-using-namespace): a table of options

inline std::vector<Sample> products() {
  const Shape image{1, 6, 6, 8};
  const Arg w{Arg::weights, {16, 3, 3, 8}}, bias{Arg::bias, {16}};
  const auto conv = [](auto& o, int) { o.strides = {1, 1}, o.dilations = {1, 1}, o.pads = {1, 1, 1, 1}; };
  const auto pool = [](PoolOptionsT& o, int kind) {
    o.kind = static_cast<PoolKind>(kind);
    o.kernel = {2, 2}, o.strides = {2, 2}, o.dilations = {1, 1}, o.pads = {0, 0, 0, 0};
  };
  const auto attention = [](AttentionOptionsT& o, int) { o.q_heads = o.kv_heads = 2; };
  const auto cached = [](CachedAttentionOptionsT& o, int) { o.q_heads = o.kv_heads = 2, o.context = 64; };
  const auto cell = [](RecurrentOptionsT& o, int kind) {
    o.cell = static_cast<CellKind>(kind), o.hidden_size = 4;
  };
  return {
      {"Conv", {x(image), w, bias}, with<ConvOptionsT>(conv)},
      {"ConvTranspose", {x(image), w, bias}, with<ConvTransposeOptionsT>(conv)},
      {"ConvInteger", {x(image), {Arg::weights, {16, 3, 3, 8}}}, with<ConvIntegerOptionsT>(conv)},
      {"FullyConnected", {x({8, 32}), {Arg::weights, {16, 32}}, bias}, plain<FullyConnectedOptionsT>()},
      {"MatMul", {x({8, 32}), {Arg::weights, {32, 16}}}, plain<MatMulOptionsT>()},
      {"MatMulInteger", {x({8, 32}), {Arg::weights, {32, 16}}}, plain<MatMulIntegerOptionsT>()},
      {"Einsum", {x({4, 8}), x({8, 4})}, with<EinsumOptionsT>([](auto& o, int) {
         o.equation = "ij,jk->ik";
       })},
      {"Pool", {x(image)}, with<PoolOptionsT>(pool), names<PoolKind>(EnumNamesPoolKind())},
      {"Attention",
       {x({1, 2, 8, 16}), x({1, 2, 8, 16}), x({1, 2, 8, 16})},
       with<AttentionOptionsT>(attention)},
      {"CachedAttention",
       {x({1, 8, 16}), x({1, 8, 16}), x({1, 8, 16})},
       with<CachedAttentionOptionsT>(cached)},
      {"Recurrent", {x({2, 1, 3}), x({1, 4, 3}), x({1, 4, 4})}, with<RecurrentOptionsT>([=](auto& o, int) {
         cell(o, static_cast<int>(CellKind::rnn));
       })},
  };
}

inline std::vector<Sample> rows() {
  const Shape m{4, 8};
  return {
      {"Softmax",
       {x(m)},
       with<SoftmaxOptionsT>([](auto& o, int k) { o.kind = static_cast<SoftmaxKind>(k); }),
       names<SoftmaxKind>(EnumNamesSoftmaxKind())},
      {"Reduce",
       {x({1, 6, 6, 8}), ints({1, 2})},
       with<ReduceOptionsT>([](auto& o, int k) { o.kind = static_cast<ReduceKind>(k); }),
       names<ReduceKind>(EnumNamesReduceKind())},
      {"ArgReduce", {x(m)}, plain<ArgReduceOptionsT>()},
      {"CumSum", {x(m), index({}, {1})}, plain<CumSumOptionsT>()},
      {"TopK", {x(m), ints({2})}, plain<TopKOptionsT>(), {}, 2},
      {"LayerNorm", {x(m), x({8}), x({8})}, plain<LayerNormOptionsT>()},
      {"RmsNorm", {x(m), x({8})}, plain<RmsNormOptionsT>()},
      {"InstanceNorm", {x({1, 4, 8}), x({4}), x({4})}, plain<InstanceNormOptionsT>()},
      {"LpNorm", {x(m)}, plain<LpNormOptionsT>()},
      {"LocalResponseNorm", {x({1, 4, 8})}, with<LocalResponseNormOptionsT>([](auto& o, int) {
         o.size = 3;
       })},
      {"RotaryEmbedding", {x({1, 2, 4, 8}), x({1, 4, 4}), x({1, 4, 4})}, plain<RotaryEmbeddingOptionsT>()},
      {"NonMaxSuppression", {x({1, 4, 4}), x({1, 1, 4}), ints({2})}, plain<NonMaxSuppressionOptionsT>()},
      {"Unary",
       {x(m)},
       with<UnaryOptionsT>(
           [](auto& o, int k) { o.kind = static_cast<UnaryKind>(k), o.alpha = 0.5f, o.beta = 1; }),
       names<UnaryKind>(EnumNamesUnaryKind())},
      {"Binary",
       {x(m), x(m)},
       with<BinaryOptionsT>([](auto& o, int k) { o.kind = static_cast<BinaryKind>(k); }),
       names<BinaryKind>(EnumNamesBinaryKind())},
      {"Where", {{Arg::bools, m}, x(m), x(m)}, plain<WhereOptionsT>()},
  };
}

inline std::vector<Sample> conversions() {
  const Shape m{4, 8};
  const auto to = [](DType t) { return [t](auto& o, int) { o.to = static_cast<uint8_t>(t); }; };
  return {
      {"Cast", {x(m)}, with<CastOptionsT>(to(DType::f32))},
      {"Quantize", {x(m), floats({}), {Arg::codes, {}}}, with<QuantizeOptionsT>(to(DType::i8))},
      {"Dequantize", {x(m), floats({})}, plain<DequantizeOptionsT>()},
      {"DynamicQuantize", {x(m)}, plain<DynamicQuantizeOptionsT>(), {}, 3},
      {"Requantize", {x(m), floats({}), floats({}), {Arg::codes, {}}}, plain<RequantizeOptionsT>()},
  };
}

inline std::vector<Sample> moves() {
  const Shape m{4, 8};
  const Arg places = index({1, 2}, {0, 1});
  return {
      {"Reshape", {x(m), ints({8, 4})}, plain<ReshapeOptionsT>()},
      {"Squeeze", {x({1, 8}), ints({0})}, plain<SqueezeOptionsT>()},
      {"Unsqueeze", {x(m), ints({0})}, plain<UnsqueezeOptionsT>()},
      {"Flatten", {x(m)}, plain<FlattenOptionsT>()},
      {"Transpose", {x({16, 32})}, with<TransposeOptionsT>([](auto& o, int) {
         o.perm = {1, 0};
       })},
      {"Concat", {x(m), x(m)}, plain<ConcatOptionsT>()},
      {"Split", {x(m)}, plain<SplitOptionsT>(), {}, 2},
      {"Slice", {x(m), ints({0}), ints({2})}, plain<SliceOptionsT>()},
      {"Pad", {x(m), ints({0, 1, 0, 1})}, plain<PadOptionsT>()},
      {"Gather", {x(m), ints({1})}, plain<GatherOptionsT>()},
      {"GatherElements", {x(m), places}, plain<GatherElementsOptionsT>()},
      {"GatherNd", {x(m), places}, plain<GatherNdOptionsT>()},
      {"ScatterElements", {x(m), places, x({1, 2})}, plain<ScatterElementsOptionsT>()},
      {"ScatterNd", {x(m), places, x({1})}, plain<ScatterNdOptionsT>()},
      {"Expand", {x({1, 8}), ints({4, 8})}, plain<ExpandOptionsT>()},
      {"Tile", {x(m), ints({1, 2})}, plain<TileOptionsT>()},
      {"OneHot", {ints({1, 2}), index({}, {3}), x({2})}, plain<OneHotOptionsT>()},
      {"NonZero", {x(m)}, plain<NonZeroOptionsT>()},
      {"Range", {x({}), x({}), x({})}, plain<RangeOptionsT>()},
      {"Fill", {ints({4}), x({1})}, plain<FillOptionsT>()},
      {"Shape", {x(m)}, plain<ShapeOptionsT>()},
      {"Trilu", {x(m)}, plain<TriluOptionsT>()},
      {"ReverseSequence",
       {x(m), ints({1, 2, 1, 2, 1, 2, 1, 2})},
       with<ReverseSequenceOptionsT>([](auto& o, int) { o.batch_axis = 1; })},
      {"EyeLike", {x({4, 4})}, plain<EyeLikeOptionsT>()},
      {"Resize",
       {x({1, 6, 6, 8}), {Arg::none}, {Arg::none}, ints({1, 12, 12, 8})},
       with<ResizeOptionsT>([](auto& o, int k) { o.mode = static_cast<ResizeMode>(k); }),
       names<ResizeMode>(EnumNamesResizeMode())},
      {"GridSample", {x({1, 2, 4, 4}), floats({1, 3, 3, 2})}, plain<GridSampleOptionsT>()},
  };
}

}  // namespace samples_detail

// All of op_list.inc, in any order.
inline std::vector<Sample> operator_samples() {
  std::vector<Sample> all;
  for (auto* part :
       {samples_detail::products, samples_detail::rows, samples_detail::conversions, samples_detail::moves})
    for (Sample& s : part()) all.push_back(std::move(s));
  return all;
}

}  // namespace pith::test
