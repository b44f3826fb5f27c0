// attach_quantization: the first step of fuse_qdq. Constant scales and zero points become part of their
// tensors.
#include <cstring>

#include "converter/passes/integer_rules.h"
#include "converter/passes/permutation.h"

namespace pith {
namespace {

bool read_zero_points(const ir::Value* zero, size_t count, std::vector<int32_t>* out) {
  out->assign(count, 0);
  if (zero == nullptr) return true;
  if (!zero->is_constant() || static_cast<size_t>(zero->shape.count()) != count) return false;
  for (size_t i = 0; i < count; ++i) {
    switch (zero->dtype) {
      case DType::i8:
        (*out)[i] = int32_t{zero->elements<int8_t>()[i]};
        break;
      case DType::u8:
        (*out)[i] = zero->elements<uint8_t>()[i];
        break;
      case DType::i32:
        (*out)[i] = zero->elements<int32_t>()[i];
        break;
      default:
        return false;
    }
  }
  return true;
}

// The grid that a Quantize or Dequantize names for a tensor of `rank` dims; nothing when it is not constant
// or blocked.
std::optional<ir::Quant> grid_of(const ir::Node& node, int axis, uint32_t block, int rank) {
  const ir::Value* scale = node.in(1);
  if (scale == nullptr || !scale->is_constant() || scale->dtype != DType::f32 || block != 0)
    return std::nullopt;
  ir::Quant quant;
  quant.scales.assign(scale->elements<float>().begin(), scale->elements<float>().end());
  if (quant.scales.empty() || !read_zero_points(node.in(2), quant.scales.size(), &quant.zero_points))
    return std::nullopt;
  for (float s : quant.scales)
    if (!(s > 0) || !(s < 3e38f)) return std::nullopt;
  if (quant.scales.size() > 1) quant.axis = axis < 0 ? axis + rank : axis;
  if (quant.scales.size() > 1 && (quant.axis < 0 || quant.axis >= rank)) return std::nullopt;
  return quant;
}

void attach_one(ir::Graph& graph, ir::Node* node) {
  if (!node->outputs[0]->shape.has_rank() || node->in(1) == nullptr) return;
  ir::Value* codes = nullptr;
  std::optional<ir::Quant> grid;
  const int rank = node->in(0)->shape.rank();
  if (const auto* q = node->as<schema::QuantizeOptionsT>()) {
    codes = node->out();
    grid = grid_of(*node, q->axis, q->block, rank);
    if (grid) node->as<schema::QuantizeOptionsT>()->to = static_cast<uint8_t>(codes->dtype);
  } else if (const auto* dq = node->as<schema::DequantizeOptionsT>()) {
    codes = node->in(0);
    grid = grid_of(*node, dq->axis, dq->block, rank);
  }
  if (codes == nullptr || !grid || (codes->quant && *codes->quant != *grid)) return;
  if (codes->dtype != DType::i8 && codes->dtype != DType::u8 && codes->dtype != DType::i32) return;
  codes->quant = grid;
  graph.set_inputs(node, {node->in(0)});
}

// u8 codes become i8 codes minus 128 where only Quantize, Dequantize and constants see them.
void make_signed(ir::Value* v) {
  if (v->dtype != DType::u8 || !v->quant || v->readers.empty()) return;
  const bool made_here =
      v->is_constant() || (v->producer != nullptr && v->producer->is(schema::Op::QuantizeOptions) &&
                           v->producer->in(1) == nullptr);
  if (!made_here) return;
  for (const ir::Node* r : v->readers)
    if (!r->is(schema::Op::DequantizeOptions) || r->in(1) != nullptr) return;
  if (v->is_constant()) {
    uint8_t* p = nullptr;
    ir::Bytes bytes = ir::new_bytes(v->constant->size, &p);
    for (size_t i = 0; i < bytes.size; ++i) p[i] = static_cast<uint8_t>(v->constant->get()[i] ^ 0x80u);
    v->constant = std::move(bytes);
  } else {
    v->producer->as<schema::QuantizeOptionsT>()->to = static_cast<uint8_t>(DType::i8);
  }
  v->dtype = DType::i8;
  for (int32_t& zero : v->quant->zero_points) zero -= 128;
}

// Transpose(DQ(constant)) -> DQ(transposed constant).
Status turn_constant(ir::Graph& graph, ir::Node* node) {
  const auto* o = node->as<schema::TransposeOptionsT>();
  if (o == nullptr || node->in(0)->producer == nullptr) return Status::ok();
  ir::Node* dq = node->in(0)->producer;
  if (!dq->is(schema::Op::DequantizeOptions) || dq->in(1) != nullptr || !dq->in(0)->is_constant())
    return Status::ok();
  PITH_ASSIGN(ir::Value * codes, transposed(graph, node, dq->in(0), o->perm));
  schema::DequantizeOptionsT options;
  options.axis = codes->quant ? codes->quant->axis : 0;
  ir::Node* turned = graph.insert_before(node, graph.unique_name(node->name), std::move(options), {codes});
  turned->out()->dtype = node->out()->dtype;
  turned->out()->shape = node->out()->shape;
  graph.replace_uses(node->out(), turned->out());
  graph.erase(node);
  return Status::ok();
}

}  // namespace

void attach_quantization(ir::Graph& graph) {
  for (ir::Node* node : graph.in_order())
    if (node->is(schema::Op::QuantizeOptions) || node->is(schema::Op::DequantizeOptions))
      attach_one(graph, node);
  for (const auto& v : graph.values())
    if (!graph.is_output(v.get())) make_signed(v.get());
  for (ir::Node* node : graph.in_order())
    if (graph.alive(node))
      (void)turn_constant(graph, node).is_ok();  // a failure leaves the float form, which is right too
}

}  // namespace pith
