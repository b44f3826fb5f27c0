// ImportContext: attribute access and emission with immediate inference, folding and widening.
#include "converter/ops/import.h"

#include <cstring>

#include "converter/import/onnx/onnx_importer.h"
#include "converter/ir/evaluate.h"
#include "kernels/base/float16.h"

namespace pith {

using Kind = SourceAttribute::Kind;

namespace {
const SourceAttribute* find(const SourceNode& node, const char* name) {
  const auto at = node.attributes.find(name);
  return at == node.attributes.end() ? nullptr : &at->second;
}

// Operators that move f16 values without computing with them.
bool takes_half(schema::Op op) {
  using enum schema::Op;
  switch (op) {
    case CastOptions:
    case ReshapeOptions:
    case SqueezeOptions:
    case UnsqueezeOptions:
    case FlattenOptions:
    case TransposeOptions:
    case ConcatOptions:
    case SplitOptions:
    case SliceOptions:
    case PadOptions:
    case GatherOptions:
    case GatherElementsOptions:
    case GatherNdOptions:
    case ExpandOptions:
    case TileOptions:
    case ShapeOptions:
    case FillOptions:
    case TriluOptions:
    case ReverseSequenceOptions:
    case EyeLikeOptions:
    case QuantizeOptions:
    case DequantizeOptions:
      return true;
    default:
      return false;
  }
}
bool is_half(const ir::Value* v) {
  return v != nullptr && (v->dtype == DType::f16 || v->dtype == DType::bf16);
}
// A matrix of halves in a data file is not widened, for it may not fit into memory: the device reads halves there.
bool stays_half(schema::Op op, const ir::Value* v) {
  return op == schema::Op::FullyConnectedOptions && v->dtype == DType::f16 && v->is_constant() &&
         v->shape.rank() == 2 && v->constant->streamed();
}
}  // namespace

int64_t ImportContext::attr_int(const char* name, int64_t fallback) const {
  const SourceAttribute* a = find(node_, name);
  return a != nullptr && a->kind == Kind::integer ? a->integer : fallback;
}
float ImportContext::attr_float(const char* name, float fallback) const {
  const SourceAttribute* a = find(node_, name);
  return a != nullptr && a->kind == Kind::real ? a->real : fallback;
}
std::string ImportContext::attr_string(const char* name, const char* fallback) const {
  const SourceAttribute* a = find(node_, name);
  return a != nullptr && a->kind == Kind::text ? a->text : fallback;
}
std::vector<int64_t> ImportContext::attr_ints(const char* name) const {
  const SourceAttribute* a = find(node_, name);
  if (a == nullptr) return {};
  return a->kind == Kind::integer ? std::vector<int64_t>{a->integer} : a->integers;
}
std::vector<float> ImportContext::attr_floats(const char* name) const {
  const SourceAttribute* a = find(node_, name);
  if (a == nullptr) return {};
  return a->kind == Kind::real ? std::vector<float>{a->real} : a->reals;
}
std::vector<std::string> ImportContext::attr_strings(const char* name) const {
  const SourceAttribute* a = find(node_, name);
  return a == nullptr ? std::vector<std::string>{} : a->texts;
}
const SourceTensor* ImportContext::attr_tensor(const char* name) const {
  const SourceAttribute* a = find(node_, name);
  return a != nullptr && a->kind == Kind::tensor ? &a->tensor : nullptr;
}

void ImportContext::set_out(size_t i, ir::Value* value) {
  if (i < outs_.size()) outs_[i] = value;
}

std::string ImportContext::next_name() {
  const std::string base = node_.name.empty() ? node_.type : node_.name;
  return emitted_++ == 0 ? base : base + "/" + std::to_string(emitted_ - 1);
}

std::vector<ir::Value*> ImportContext::emit_op(schema::OpUnion op, std::vector<ir::Value*> inputs,
                                               size_t outputs) {
  last_node_ = nullptr;
  DType half = DType::none;
  for (ir::Value*& v : inputs) {
    if (takes_half(op.type) || !is_half(v)) continue;
    if (stays_half(op.type, v)) {
      (void)next_name();  // the cast's: names do not depend on where weights are
    } else {
      half = v->dtype;
      v = cast(v, DType::f32);
    }
  }
  ir::Node* node = graph_.add_node(block_, nullptr, next_name(), std::move(op), std::move(inputs), outputs);
  std::vector<ir::Value*> outs = node->outputs;
  if (emit_status_.is_ok()) emit_status_ = ir::infer_node(*node);
  if (!emit_status_.is_ok()) return outs;
  // A dequantized constant stays visible until fuse_qdq has looked for integer operators.
  const bool keep = node->is(schema::Op::DequantizeOptions);
  if (!keep && ir::can_fold(*node)) {
    if (Result<bool> folded = ir::fold_node(graph_, node); !folded.is_ok()) emit_status_ = folded.status();
  } else {
    last_node_ = node;
  }
  if (half != DType::none)
    for (ir::Value*& v : outs)
      if (v->dtype == DType::f32) v = cast(v, half);
  return outs;
}

ir::Value* ImportContext::transpose(ir::Value* x, std::vector<uint32_t> perm) {
  bool identity = true;
  for (uint32_t i = 0; i < perm.size(); ++i) identity = identity && perm[i] == i;
  if (identity && x->shape.rank() == static_cast<int>(perm.size())) return x;
  schema::TransposeOptionsT o;
  o.perm = std::move(perm);
  return emit(std::move(o), {x});
}
ir::Value* ImportContext::reshape(ir::Value* x, std::vector<int64_t> shape) {
  return emit(schema::ReshapeOptionsT{}, {x, const_i64(std::move(shape))});
}
ir::Value* ImportContext::cast(ir::Value* x, DType to) {
  if (x->dtype == to) return x;
  schema::CastOptionsT o;
  o.to = static_cast<uint8_t>(to);
  return emit(std::move(o), {x});
}
ir::Value* ImportContext::unary(schema::UnaryKind kind, ir::Value* x, float alpha, float beta) {
  schema::UnaryOptionsT o;
  o.kind = kind;
  o.alpha = alpha;
  o.beta = beta;
  return emit(std::move(o), {x});
}
ir::Value* ImportContext::binary(schema::BinaryKind kind, ir::Value* a, ir::Value* b) {
  schema::BinaryOptionsT o;
  o.kind = kind;
  return emit(std::move(o), {a, b});
}

ir::Value* ImportContext::const_i64(std::vector<int64_t> values) {
  return graph_.add_i64(graph_.unique_name(node_.name + "/const"), values);
}
ir::Value* ImportContext::const_f32(const Shape& shape, std::vector<float> values) {
  return graph_.add_f32(graph_.unique_name(node_.name + "/const"), shape, values);
}
ir::Value* ImportContext::constant(const SourceTensor& tensor) {
  return graph_.add_constant(graph_.unique_name(node_.name + "/const"), tensor.dtype, tensor.shape,
                             tensor.bytes);
}

namespace {
template <class T>
void store(uint8_t* p, double value) {
  T v{};
  if constexpr (std::is_same_v<T, f16>)
    v = to_f16(static_cast<float>(value));
  else if constexpr (std::is_same_v<T, bf16>)
    v = to_bf16(static_cast<float>(value));
  else
    v = static_cast<T>(value);
  std::memcpy(p, &v, sizeof v);
}
}  // namespace

ir::Value* ImportContext::const_scalar(DType dtype, double value) {
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(size_of(dtype), &p);
  switch (dtype) {
    case DType::f32:
      store<float>(p, value);
      break;
    case DType::f64:
      store<double>(p, value);
      break;
    case DType::f16:
      store<f16>(p, value);
      break;
    case DType::bf16:
      store<bf16>(p, value);
      break;
    case DType::i8:
      store<int8_t>(p, value);
      break;
    case DType::boolean:
    case DType::u8:
      store<uint8_t>(p, value);
      break;
    case DType::i16:
      store<int16_t>(p, value);
      break;
    case DType::u16:
      store<uint16_t>(p, value);
      break;
    case DType::i32:
      store<int32_t>(p, value);
      break;
    case DType::u32:
      store<uint32_t>(p, value);
      break;
    case DType::i64:
      store<int64_t>(p, value);
      break;
    case DType::u64:
      store<uint64_t>(p, value);
      break;
    default:
      break;
  }
  return graph_.add_constant(graph_.unique_name(node_.name + "/const"), dtype, Shape{}, std::move(bytes));
}

bool ImportContext::const_ints(const ir::Value* v, std::vector<int64_t>* out) {
  if (v == nullptr || !v->is_constant()) return false;
  out->clear();
  if (v->dtype == DType::i64)
    for (int64_t x : v->elements<int64_t>()) out->push_back(x);
  else if (v->dtype == DType::i32)
    for (int32_t x : v->elements<int32_t>()) out->push_back(x);
  else
    return false;
  return true;
}

bool ImportContext::const_floats(const ir::Value* v, std::vector<float>* out) {
  if (v == nullptr || !v->is_constant()) return false;
  out->clear();
  if (v->dtype == DType::f32)
    for (float x : v->elements<float>()) out->push_back(x);
  else if (v->dtype == DType::f64)
    for (double x : v->elements<double>()) out->push_back(static_cast<float>(x));
  else if (v->dtype == DType::f16)
    for (f16 x : v->elements<f16>()) out->push_back(to_float(x));
  else if (v->dtype == DType::bf16)
    for (bf16 x : v->elements<bf16>()) out->push_back(to_float(x));
  else
    return false;
  return true;
}

Status ImportContext::import_block(const char* attribute, ir::Node* owner) {
  const SourceAttribute* a = find(node_, attribute);
  if (a == nullptr || a->graph == nullptr)
    return malformed(std::string("attribute ") + attribute + " is missing");
  ir::Block* nested = graph_.add_block(owner);
  PITH_ASSIGN(nested->outputs, importer_->import_nested(*a->graph, *nested));
  return Status::ok();
}

Result<std::vector<ir::Value*>> ImportContext::import_inline(const char* attribute) {
  const SourceAttribute* a = find(node_, attribute);
  if (a == nullptr || a->graph == nullptr)
    return malformed(std::string("attribute ") + attribute + " is missing");
  return importer_->import_nested(*a->graph, block_);
}

Status ImportContext::unsupported(const std::string& reason, const std::string& suggestion) {
  suggestion_ = suggestion;
  return Status(Code::unsupported, reason);
}
Status ImportContext::malformed(const std::string& reason) { return Status(Code::bad_file, reason); }

}  // namespace pith
