// Import of the Reduce family: axes as an attribute (older opsets) or as an input.
#include "converter/ops/import.h"

namespace pith {
namespace {

template <schema::ReduceKind kind>
Status reduce(ImportContext& c) {
  schema::ReduceOptionsT o;
  o.kind = kind;
  o.keepdims = c.attr_int("keepdims", 1) != 0;
  o.noop_with_empty_axes = c.attr_int("noop_with_empty_axes", 0) != 0;
  ir::Value* axes = c.in(1);
  if (axes == nullptr && c.has_attr("axes")) axes = c.const_i64(c.attr_ints("axes"));
  std::vector<ir::Value*> inputs{c.in(0)};
  if (axes != nullptr) inputs.push_back(axes);
  c.set_out(0, c.emit(std::move(o), inputs));
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

}  // namespace

std::span<const ImportRule> reduce_imports() {
  using schema::ReduceKind;
  static constexpr ImportRule kRules[] = {
      {"ArgMax", arg_reduce<true>},
      {"ArgMin", arg_reduce<false>},
      {"ReduceL1", reduce<ReduceKind::l1>},
      {"ReduceL2", reduce<ReduceKind::l2>},
      {"ReduceLogSum", reduce<ReduceKind::log_sum>},
      {"ReduceLogSumExp", reduce<ReduceKind::log_sum_exp>},
      {"ReduceMax", reduce<ReduceKind::max>},
      {"ReduceMean", reduce<ReduceKind::mean>},
      {"ReduceMin", reduce<ReduceKind::min>},
      {"ReduceProd", reduce<ReduceKind::prod>},
      {"ReduceSum", reduce<ReduceKind::sum>},
      {"ReduceSumSquare", reduce<ReduceKind::sum_square>},
  };
  return kRules;
}

}  // namespace pith
