// Shape arithmetic and checks shared by the operators.
#include "runtime/ops/infer_helpers.h"

#include <algorithm>

#include "kernels/base/float16.h"

namespace pith {

Status node_error(const NodeView& node, Code code, const std::string& message) {
  const char* type = schema::EnumNameOp(node.op);
  const std::string name(type, std::char_traits<char>::length(type));
  const size_t suffix = std::min(name.size(), name.rfind("Options"));
  return Status(code, format("node '%s' (%s): ", node.name, name.substr(0, suffix).c_str()) + message);
}

Status need_value(const NodeView& node, size_t i) {
  if (!node.has(i)) return node_error(node, Code::bad_file, format("input %zu is missing", i));
  if (node.in(i).has_value) return Status::ok();
  node.in(i).value_wanted = true;
  return node_error(node, Code::needs_value,
                    format("its output shape depends on the value of input %zu ('%s')", i, node.in(i).name));
}

namespace {
template <class T>
double element(const TensorView& t, int64_t i) {
  return static_cast<double>(t.as<T>()[i]);
}
double number_at(const TensorView& t, int64_t i) {
  switch (t.dtype) {
    case DType::f32:
      return element<float>(t, i);
    case DType::f64:
      return element<double>(t, i);
    case DType::f16:
      return static_cast<double>(to_float(t.as<f16>()[i]));
    case DType::bf16:
      return static_cast<double>(to_float(t.as<bf16>()[i]));
    case DType::i8:
      return element<int8_t>(t, i);
    case DType::boolean:
    case DType::u8:
      return element<uint8_t>(t, i);
    case DType::i16:
      return element<int16_t>(t, i);
    case DType::u16:
      return element<uint16_t>(t, i);
    case DType::i32:
      return element<int32_t>(t, i);
    case DType::u32:
      return element<uint32_t>(t, i);
    case DType::i64:
      return element<int64_t>(t, i);
    case DType::u64:
      return element<uint64_t>(t, i);
    default:
      return 0;
  }
}
}  // namespace

Status read_ints(const NodeView& node, size_t i, std::vector<int64_t>* out) {
  PITH_RETURN_IF_ERROR(need_value(node, i));
  const TensorView& t = node.in(i);
  if (t.dtype != DType::i64 && t.dtype != DType::i32)
    return node_error(node, Code::bad_file,
                      format("input %zu ('%s') must be i64 or i32, found %s", i, t.name, name_of(t.dtype)));
  const int64_t n = t.count();
  if (n < 0 || n > kMaxListedValues)
    return node_error(node, Code::bad_file, format("input %zu ('%s') has too many values", i, t.name));
  out->resize(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; ++k)
    (*out)[static_cast<size_t>(k)] = t.dtype == DType::i64 ? t.as<int64_t>()[k] : t.as<int32_t>()[k];
  return Status::ok();
}

Status read_scalar(const NodeView& node, size_t i, double* out) {
  PITH_RETURN_IF_ERROR(need_value(node, i));
  if (node.in(i).count() < 1)
    return node_error(node, Code::bad_file, format("input %zu must have one element, found none", i));
  *out = number_at(node.in(i), 0);
  return Status::ok();
}

Status normalize_axis(const NodeView& node, int64_t axis, int rank, int* out) {
  if (axis < -rank || axis >= rank)
    return node_error(node, Code::bad_file,
                      format("axis %lld is outside [%d, %d)", static_cast<long long>(axis), -rank, rank));
  *out = static_cast<int>(axis < 0 ? axis + rank : axis);
  return Status::ok();
}

Status broadcast(const NodeView& node, const Shape& a, const Shape& b, Shape* out) {
  if (!a.has_rank() || !b.has_rank()) {
    *out = Shape::unknown_rank();
    return Status::ok();
  }
  const int rank = std::max(a.rank(), b.rank());
  *out = Shape::of_rank(rank);
  for (int i = 0; i < rank; ++i) {
    const int64_t da = i < rank - a.rank() ? 1 : a[i - (rank - a.rank())];
    const int64_t db = i < rank - b.rank() ? 1 : b[i - (rank - b.rank())];
    if (da == db || db == 1)
      (*out)[i] = da;
    else if (da == 1)
      (*out)[i] = db;
    else if (da < 0 || db < 0)
      (*out)[i] = std::max(da, db);  // the known one is > 1 (or 0), so it decides
    else
      return node_error(node, Code::bad_file,
                        "shapes " + a.text() + " and " + b.text() + " cannot be broadcast together");
  }
  return Status::ok();
}

void set_output(const NodeView& node, size_t i, DType dtype, const Shape& shape) {
  if (!node.has_out(i)) return;
  node.out(i).dtype = dtype;
  node.out(i).shape = shape;
}

Status expect_counts(const NodeView& node, size_t min_in, size_t max_in, size_t min_out, size_t max_out) {
  size_t present = 0;
  while (present < node.inputs.size() && node.has(present)) ++present;
  if (present < min_in || node.inputs.size() > max_in)
    return node_error(node, Code::bad_file,
                      format("takes %zu to %zu inputs, found %zu", min_in, max_in, node.inputs.size()));
  if (node.outputs.size() < min_out || node.outputs.size() > max_out)
    return node_error(node, Code::bad_file,
                      format("gives %zu to %zu outputs, found %zu", min_out, max_out, node.outputs.size()));
  for (size_t i = 0; i < min_out; ++i)
    if (!node.has_out(i)) return node_error(node, Code::bad_file, format("output %zu is missing", i));
  return Status::ok();
}

Status expect_dtype(const NodeView& node, size_t input, std::initializer_list<DType> allowed) {
  if (!node.has(input)) return Status::ok();
  const DType found = node.in(input).dtype;
  std::string names;
  for (DType t : allowed) {
    if (t == found) return Status::ok();
    names += (names.empty() ? "" : ", ") + std::string(name_of(t));
  }
  return node_error(node, Code::unsupported,
                    format("input %zu ('%s') must be %s; found %s", input, node.in(input).name, names.c_str(),
                           name_of(found)));
}

}  // namespace pith
