// Reshape, Squeeze, Unsqueeze, Flatten: the same bytes seen with other dims. x -> y, any element type; no
// data moves.
#include <cstring>

#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

// Only reached when input and output cannot share bytes.
void run_copy(const NodeView& node, RunContext&) {
  if (node.out(0).byte_size() > 0) std::memcpy(node.out(0).data, node.in(0).data, node.out(0).byte_size());
}

Status check_reshape(const NodeView& node) { return expect_counts(node, 2, 2, 1, 1); }

Status infer_reshape(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  std::vector<int64_t> wanted;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &wanted));
  if (wanted.size() > kMaxRank)
    return node_error(node, Code::unsupported, format("rank %zu; at most %d", wanted.size(), kMaxRank));
  const Shape& x = node.in(0).shape;
  const bool allow_zero = node.opt<schema::ReshapeOptions>().allow_zero();
  Shape y;
  int derived = -1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const int at = static_cast<int>(i);
    if (wanted[i] < -1 || (wanted[i] == -1 && derived >= 0))
      return node_error(node, Code::bad_file, "the shape has more than one -1, or a smaller number");
    if (wanted[i] == -1) derived = at;
    if (wanted[i] == 0 && !allow_zero) {
      if (at >= x.rank())
        return node_error(node, Code::bad_file,
                          format("dim %d copies a dim that the input %s lacks", at, x.text().c_str()));
      y.push_back(x[at]);
    } else {
      y.push_back(wanted[i]);
    }
  }
  const int64_t count = x.count();
  if (derived >= 0) {
    y[derived] = 1;
    const int64_t rest = y.count();
    if (count >= 0 && rest >= 0 && (rest == 0 ? count != 0 : count % rest != 0))
      return node_error(node, Code::bad_file,
                        format("%lld elements of %s cannot fill rows of %lld", static_cast<long long>(count),
                               x.text().c_str(), static_cast<long long>(rest)));
    y[derived] = count < 0 || rest < 0 ? kUnknownDim : rest == 0 ? 0 : count / rest;
  } else if (y.is_known() && y.count() < 0) {
    return node_error(node, Code::bad_file, "shape " + y.text() + " is too large");
  } else if (count >= 0 && y.is_known() && y.count() != count) {
    return node_error(node, Code::bad_file, "cannot reshape " + x.text() + " to " + y.text());
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status check_axes(const NodeView& node) { return expect_counts(node, 1, 2, 1, 1); }

Status read_axes(const NodeView& node, int rank, uint32_t* mask) {
  std::vector<int64_t> axes;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &axes));
  *mask = 0;
  for (int64_t a : axes) {
    int axis = 0;
    PITH_RETURN_IF_ERROR(normalize_axis(node, a, rank, &axis));
    if ((*mask >> axis & 1u) != 0)
      return node_error(node, Code::bad_file, format("axis %d is named twice", axis));
    *mask |= 1u << axis;
  }
  return Status::ok();
}

Status infer_squeeze(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  node.out(0).dtype = node.in(0).dtype;
  uint32_t mask = 0;
  if (node.has(1)) {
    PITH_RETURN_IF_ERROR(read_axes(node, x.rank(), &mask));
  } else {
    if (!x.is_known()) {
      set_output(node, 0, node.in(0).dtype, Shape::unknown_rank());
      return Status::ok();
    }
    for (int i = 0; i < x.rank(); ++i) mask |= x[i] == 1 ? 1u << i : 0u;
  }
  Shape y;
  for (int i = 0; i < x.rank(); ++i) {
    if ((mask >> i & 1u) == 0)
      y.push_back(x[i]);
    else if (x[i] > 1 || x[i] == 0)
      return node_error(node, Code::bad_file,
                        format("dim %d of %s is not 1 and cannot be removed", i, x.text().c_str()));
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status check_unsqueeze(const NodeView& node) { return expect_counts(node, 2, 2, 1, 1); }

Status infer_unsqueeze(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  node.out(0).dtype = node.in(0).dtype;
  PITH_RETURN_IF_ERROR(need_value(node, 1));
  const int64_t added = node.in(1).count();
  if (added < 0 || x.rank() + added > kMaxRank)
    return node_error(node, Code::unsupported, format("gives a rank above %d", kMaxRank));
  const int rank = x.rank() + static_cast<int>(added);
  uint32_t mask = 0;
  PITH_RETURN_IF_ERROR(read_axes(node, rank, &mask));
  Shape y;
  for (int i = 0, from = 0; i < rank; ++i) y.push_back((mask >> i & 1u) != 0 ? 1 : x[from++]);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status check_flatten(const NodeView& node) { return expect_counts(node, 1, 1, 1, 1); }

Status infer_flatten(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  const int given = node.opt<schema::FlattenOptions>().axis();
  const int axis = given < 0 ? given + x.rank() : given;
  if (axis < 0 || axis > x.rank())
    return node_error(node, Code::bad_file, format("axis %d does not fit rank %d", given, x.rank()));
  set_output(node, 0, node.in(0).dtype, Shape{x.count(0, axis), x.count(axis, x.rank())});
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Reshape){
    schema::Op::ReshapeOptions, "reshape", kAliasesInput, check_reshape, infer_reshape, nullptr, run_copy};
PITH_OPERATOR(Squeeze){
    schema::Op::SqueezeOptions, "squeeze", kAliasesInput, check_axes, infer_squeeze, nullptr, run_copy};
PITH_OPERATOR(Unsqueeze){schema::Op::UnsqueezeOptions,
                         "unsqueeze",
                         kAliasesInput,
                         check_unsqueeze,
                         infer_unsqueeze,
                         nullptr,
                         run_copy};
PITH_OPERATOR(Flatten){
    schema::Op::FlattenOptions, "flatten", kAliasesInput, check_flatten, infer_flatten, nullptr, run_copy};

}  // namespace pith
