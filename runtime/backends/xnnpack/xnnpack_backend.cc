// Which lowering serves which operator, and what is checked for all of them.
#include "runtime/backends/xnnpack/xnnpack_backend.h"

#include "runtime/backends/xnnpack/lowerings.h"
#include "runtime/ops/panel_codes.h"
#include "runtime/ops/selected_ops.h"

namespace pith {
namespace {

using LowerFn = Status (*)(const NodeView&, Lowering&);
struct Row {
  schema::Op op;
  LowerFn lower;
  size_t data_inputs;  // the first inputs carry data; what follows are arguments read while planning
};
constexpr Row kRows[] = {
    {schema::Op::ConvOptions, lower_conv, 3},
    {schema::Op::ConvTransposeOptions, lower_deconv, 3},
    {schema::Op::FullyConnectedOptions, lower_fully_connected, 3},
    {schema::Op::MatMulOptions, lower_matmul, 2},
    {schema::Op::PoolOptions, lower_pool, 1},
    {schema::Op::ReduceOptions, lower_reduce, 1},
    {schema::Op::UnaryOptions, lower_unary, 1},
    {schema::Op::BinaryOptions, lower_binary, 2},
    {schema::Op::AttentionOptions, lower_attention, 4},
    {schema::Op::SoftmaxOptions, lower_softmax, 1},
    {schema::Op::ResizeOptions, lower_resize, 1},
    {schema::Op::QuantizeOptions, lower_quantize, 1},
    {schema::Op::DequantizeOptions, lower_dequantize, 1},
    {schema::Op::CastOptions, lower_cast, 1},
    {schema::Op::TransposeOptions, lower_transpose, 1},
};
constexpr auto kTable = selected(kRows, &Row::lower);

// The node with packed 8-bit weights unpacked: XNNPACK packs them in its own way and needs them while planning only.
class WithRowMajorWeights {
 public:
  explicit WithRowMajorWeights(const NodeView& node) : node_(node) {
    if (!has_code_panels(node)) return;
    weights_.unpack(node.in(1));
    for (size_t i = 0; i < node.inputs.size() && i < 3; ++i) inputs_[i] = node.inputs[i];
    inputs_[1] = &weights_.view;
    node_.inputs = {inputs_, node.inputs.size() < 3 ? node.inputs.size() : 3};
  }
  const NodeView& node() const { return node_; }

 private:
  NodeView node_;
  UnpackedCodes weights_;
  TensorView* inputs_[3] = {};
};

const Row* find_row(schema::Op op) {
  for (const Row& row : kTable)
    if (row.op == op && row.lower != nullptr) return &row;
  return nullptr;
}

}  // namespace

Status prepare_xnnpack(const NodeView& given, PrepareContext& context) {
  const Row* row = find_row(given.op);
  if (row == nullptr) return decline("has no such operator");
  // XNNPACK chooses its kernels by what the processor can do and cannot be told to use fewer, so a cap on the
  // instruction set leaves it out altogether.
  if (context.cpu().capped) return decline("PITH_ISA caps the instruction set");
  static const bool usable = xnn_initialize(nullptr) == xnn_status_success;
  if (!usable) return decline("the processor is not supported");
  const WithRowMajorWeights row_major(given);
  const NodeView& node = row_major.node();
  for (size_t i = 0; i < node.inputs.size() && i < row->data_inputs; ++i)
    if (node.has(i) && !fits_xnn(node.in(i)))
      return decline("an input is empty, very large or in a packed layout");
  for (const TensorView* t : node.outputs)
    if (t != nullptr && !fits_xnn(*t)) return decline("an output is empty or very large");
  Lowering low(node, &context);
  return row->lower(node, low);
}

uint64_t xnnpack_converted_bytes(const NodeState& state) {
  if (state.owner != XnnState::kOwner) return 0;
  const auto& s = static_cast<const XnnState&>(state);
  return uint64_t{s.shift_in} + s.shift_out;
}

}  // namespace pith
