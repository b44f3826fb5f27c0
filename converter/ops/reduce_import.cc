// Import of Reduce*, ArgMax, ArgMin, CumSum, CumProd and TopK.
#include "converter/ops/import.h"

namespace pith {
namespace {

using Kind = schema::ReduceKind;

// Axes are an attribute in old opsets, a tensor in new ones.
template <Kind kind>
Status reduce(ImportContext& c) {
  schema::ReduceOptionsT o;
  o.kind = kind;
  o.keepdims = c.attr_int("keepdims", 1) != 0;
  o.noop_with_empty_axes = c.attr_int("noop_with_empty_axes", 0) != 0;
  std::vector<ir::Value*> inputs = {c.in(0)};
  if (c.has(1))
    inputs.push_back(c.in(1));
  else if (c.has_attr("axes"))
    inputs.push_back(c.const_i64(c.attr_ints("axes")));
  c.set_out(0, c.emit(std::move(o), std::move(inputs)));
  return Status::ok();
}

template <bool largest>
Status arg_reduce(ImportContext& c) {
  schema::ArgReduceOptionsT o;
  o.largest = largest;
  o.axis = static_cast<int>(c.attr_int("axis", 0));
  o.keepdims = c.attr_int("keepdims", 1) != 0;
  o.select_last_index = c.attr_int("select_last_index", 0) != 0;
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

template <bool product>
Status cumulate(ImportContext& c) {
  schema::CumSumOptionsT o;
  o.exclusive = c.attr_int("exclusive", 0) != 0;
  o.reverse = c.attr_int("reverse", 0) != 0;
  o.product = product;
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1)}));
  return Status::ok();
}

// k is an attribute before opset 10.
Status top_k(ImportContext& c) {
  schema::TopKOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", -1));
  o.largest = c.attr_int("largest", 1) != 0;
  o.sorted = c.attr_int("sorted", 1) != 0;
  ir::Value* k = c.opset() < 10 ? c.const_i64({c.attr_int("k", -1)}) : c.in(1);
  const std::vector<ir::Value*> outs = c.emit_n(std::move(o), {c.in(0), k}, 2);
  c.set_out(0, outs[0]);
  c.set_out(1, outs[1]);
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"ReduceSum", reduce<Kind::sum>},
    {"ReduceMean", reduce<Kind::mean>},
    {"ReduceMax", reduce<Kind::max>},
    {"ReduceMin", reduce<Kind::min>},
    {"ReduceProd", reduce<Kind::prod>},
    {"ReduceL1", reduce<Kind::l1>},
    {"ReduceL2", reduce<Kind::l2>},
    {"ReduceLogSum", reduce<Kind::log_sum>},
    {"ReduceLogSumExp", reduce<Kind::log_sum_exp>},
    {"ReduceSumSquare", reduce<Kind::sum_square>},
    {"ArgMax", arg_reduce<true>},
    {"ArgMin", arg_reduce<false>},
    {"CumSum", cumulate<false>, 2},
    {"CumProd", cumulate<true>, 2},
    {"TopK", top_k},
};

}  // namespace

std::span<const ImportRule> reduce_imports() { return kRules; }

}  // namespace pith
