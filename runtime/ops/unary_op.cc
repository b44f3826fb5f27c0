// Unary: y = f(x), elementwise. x: any float type; integers for abs, neg, sign, relu, clip and bitwise_not;
// bool for logical_not. is_nan and is_inf give bool. Quantized i8 and u8 go through a table of 256 codes made
// in prepare.
#include "kernels/elementwise/unary.h"

#include "runtime/ops/quant_helpers.h"

namespace pith {
namespace {

#define FLOAT_UNARY(name, steps, formula) \
  static_assert(static_cast<int>(schema::UnaryKind::name) == static_cast<int>(kernels::UnaryKind::name));
#define OTHER_UNARY(name) FLOAT_UNARY(name, 0, 0)
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY
static_assert(static_cast<int>(schema::UnaryKind::MAX) + 1 == static_cast<int>(kernels::UnaryKind::kCount));

kernels::UnaryKind kind_of(const NodeView& node) {
  return static_cast<kernels::UnaryKind>(node.opt<schema::UnaryOptions>().kind());
}
bool gives_bool(kernels::UnaryKind kind) {
  return kind == kernels::UnaryKind::logical_not || kind == kernels::UnaryKind::is_nan ||
         kind == kernels::UnaryKind::is_inf;
}

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 1, 1, 1));
  const kernels::UnaryKind kind = kind_of(node);
  if (kind >= kernels::UnaryKind::kCount)
    return node_error(node, Code::unsupported, format("function %d is unknown", static_cast<int>(kind)));
  const char* name = schema::EnumNameUnaryKind(node.opt<schema::UnaryOptions>().kind());
  const TensorView& x = node.in(0);
  if (!x.quant.empty()) {
    if (gives_bool(kind) || kind == kernels::UnaryKind::bitwise_not)
      return node_error(node, Code::unsupported, format("%s of a quantized tensor", name));
    PITH_RETURN_IF_ERROR(expect_codes(node, x, "input"));
    TensorView y = node.out(0);
    y.dtype = x.dtype;
    return expect_codes(node, y, "output");
  }
  if (!node.out(0).quant.empty())
    return node_error(node, Code::bad_file, "the output is quantized, the input is not");
  if (!kernels::has_unary(kind, x.dtype) ||
      (kind == kernels::UnaryKind::logical_not && x.dtype != DType::boolean))
    return node_error(node, Code::unsupported, format("%s of %s", name, name_of(x.dtype)));
  return Status::ok();
}

Status infer(const NodeView& node) {
  set_output(node, 0, gives_bool(kind_of(node)) ? DType::boolean : node.in(0).dtype, node.in(0).shape);
  return Status::ok();
}

kernels::UnaryArgs args_of(const NodeView& node) {
  const auto& o = node.opt<schema::UnaryOptions>();
  return {kind_of(node), lane_of(node.in(0)), lane_of(node.out(0)), o.alpha(), o.beta()};
}

constexpr size_t kGrain = 4096;  // elements

void run(const NodeView& node, RunContext& context) {
  const kernels::UnaryArgs a = args_of(node);
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kGrain,
               [&](Range range) { kernels::unary_ref(a, range); });
}

struct CodeTable final : NodeState {
  uint8_t code[256];
};

void run_table(const NodeView& node, RunContext& context) {
  const uint8_t* table = static_cast<CodeTable*>(context.state)->code;
  const auto* x = node.in(0).as<uint8_t>();
  auto* y = node.out(0).as_mutable<uint8_t>();
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), kGrain, [&](Range range) {
    for (size_t i = range.begin; i < range.end; ++i) y[i] = table[x[i]];
  });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  if (node.in(0).quant.empty()) return Status::ok();
  auto table = std::make_unique<CodeTable>();
  kernels::make_unary_table(args_of(node), table->code);
  context.keep(std::move(table));
  context.use("unary_table", run_table);
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Unary){schema::Op::UnaryOptions, "unary", kInPlace, check, infer, prepare, run};

}  // namespace pith
