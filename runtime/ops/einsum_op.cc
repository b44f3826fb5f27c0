// Einsum: numpy's summation convention for any number of operands; letters, "..." and an optional "->".
#include <algorithm>
#include <cctype>
#include <string_view>

#include "kernels/einsum/einsum.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

using kernels::EinsumArgs;
using kernels::kEinsumMaxLabels;
using kernels::kEinsumMaxOperands;

constexpr char kEllipsis = '.';        // one character in a term that has been read
constexpr char kFirstBroadcast = '0';  // labels of the dims behind "...": '0' is the last of them

struct EinsumState final : NodeState {
  EinsumArgs args;
};

struct Equation {
  std::vector<std::string> terms;  // one per operand
  std::string out;
  bool has_out = false;
};

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, kEinsumMaxOperands, 1, 1));
  if (node.opt<schema::EinsumOptions>().equation() == nullptr)
    return node_error(node, Code::bad_file, "the equation is missing");
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    PITH_RETURN_IF_ERROR(expect_dtype(node, i, {DType::f32, DType::f64, DType::i32, DType::i64}));
    if (!node.has(i) || node.in(i).dtype != node.in(0).dtype)
      return node_error(node, Code::bad_file, "operands are missing or differ in type");
  }
  return Status::ok();
}

Status malformed(const NodeView& node, const char* why) {
  return node_error(
      node, Code::bad_file,
      std::string("equation '") + node.opt<schema::EinsumOptions>().equation()->c_str() + "': " + why);
}

Status parse(const NodeView& node, Equation* e) {
  const auto* source = node.opt<schema::EinsumOptions>().equation();
  std::string_view text(source->c_str(), source->size());
  e->terms.assign(1, "");
  for (size_t i = 0; i < text.size(); ++i) {
    std::string& term = e->has_out ? e->out : e->terms.back();
    const char c = text[i];
    if (c == ' ') continue;
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      if (term.size() == kMaxRank) return malformed(node, "has a term of too many labels");
      term += c;
    } else if (text.substr(i, 3) == "..." && term.find(kEllipsis) == std::string::npos) {
      term += kEllipsis;
      i += 2;
    } else if (text.substr(i, 2) == "->" && !e->has_out) {
      e->has_out = true;
      ++i;
    } else if (c == ',' && !e->has_out) {
      e->terms.emplace_back();
    } else {
      return malformed(node, "is not understood");
    }
  }
  if (e->terms.size() != node.inputs.size())
    return malformed(node, "has another number of terms than operands");
  return Status::ok();
}

// Replaces "..." by one label per dim it stands for, numbered from the last dim.
Status spell_out(const NodeView& node, std::string* term, int dims) {
  const size_t at = term->find(kEllipsis);
  if (at == std::string::npos) return Status::ok();
  if (dims < 0) return malformed(node, "an operand has fewer dims than labels");
  std::string labels;
  for (int d = dims; d-- > 0;) labels += static_cast<char>(kFirstBroadcast + d);
  term->replace(at, 1, labels);
  return Status::ok();
}

// Without "->": the dims of "...", then the letters that occur once, in order.
std::string implicit_output(const Equation& e) {
  std::string all, out;
  for (const std::string& t : e.terms) all += t;
  std::string letters = all;
  std::sort(letters.begin(), letters.end());
  letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
  for (char c = kFirstBroadcast + kMaxRank - 1; c >= kFirstBroadcast; --c)
    if (letters.find(c) != std::string::npos) out += c;
  for (char c : letters)
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 && std::count(all.begin(), all.end(), c) == 1)
      out += c;
  return out;
}

// Labels in the order of the loops (output first), each with its length.
struct Labels {
  std::string names;
  std::vector<int64_t> dims;
};

Status measure(const NodeView& node, Equation* e, Labels* labels) {
  PITH_RETURN_IF_ERROR(parse(node, e));
  int broadcast_dims = 0;
  for (size_t i = 0; i < e->terms.size(); ++i) {
    const int hidden = node.in(i).shape.rank() - static_cast<int>(e->terms[i].size()) + 1;
    if (e->terms[i].find(kEllipsis) != std::string::npos) broadcast_dims = std::max(broadcast_dims, hidden);
    PITH_RETURN_IF_ERROR(spell_out(node, &e->terms[i], hidden));
    if (static_cast<int>(e->terms[i].size()) != node.in(i).shape.rank())
      return malformed(node, "an operand has another number of dims than its term");
  }
  if (e->has_out)
    PITH_RETURN_IF_ERROR(spell_out(node, &e->out, broadcast_dims));
  else
    e->out = implicit_output(*e);
  if (e->out.size() > kMaxRank)
    return node_error(node, Code::unsupported, format("gives a rank above %d", kMaxRank));
  labels->names = e->out;
  for (const std::string& t : e->terms)
    for (char c : t)
      if (labels->names.find(c) == std::string::npos) labels->names += c;
  if (labels->names.size() > kEinsumMaxLabels)
    return node_error(node, Code::unsupported, "has too many labels");
  labels->dims.assign(labels->names.size(), 1);
  std::string seen;
  for (size_t i = 0; i < e->terms.size(); ++i)
    for (size_t d = 0; d < e->terms[i].size(); ++d) {
      int64_t& dim = labels->dims[labels->names.find(e->terms[i][d])];
      const int64_t n = node.in(i).shape[static_cast<int>(d)];
      if (n >= 0 && dim >= 0 && n != dim && n != 1 && dim != 1)
        return malformed(node, "lengths of a label differ");
      if (dim == 1 || (dim < 0 && n > 1)) dim = n;
      seen += e->terms[i][d];
    }
  for (size_t d = 0; d < e->out.size(); ++d)
    if (seen.find(e->out[d]) == std::string::npos || e->out.find(e->out[d], d + 1) != std::string::npos)
      return malformed(node, "an output label is new or occurs twice");
  return Status::ok();
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  Equation e;
  Labels labels;
  PITH_RETURN_IF_ERROR(measure(node, &e, &labels));
  Shape y;
  for (size_t d = 0; d < e.out.size(); ++d) y.push_back(labels.dims[d]);
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

void run(const NodeView& node, RunContext& context) {
  if (node.out(0).count() == 0) return;
  EinsumArgs a = static_cast<const EinsumState*>(context.state)->args;
  a.y = node.out(0).data;
  for (int p = 0; p < a.operands; ++p) a.x[p] = node.in(static_cast<size_t>(p)).data;
  parallel_for(context.pool, static_cast<size_t>(node.out(0).count()), 64,
               [&](Range r) { kernels::einsum_ref(a, r); });
}

Status prepare(const NodeView& node, PrepareContext& context) {
  Equation e;
  Labels labels;
  PITH_RETURN_IF_ERROR(measure(node, &e, &labels));
  auto state = std::make_unique<EinsumState>();
  EinsumArgs& a = state->args;
  a.dtype = node.in(0).dtype;
  a.operands = static_cast<int>(e.terms.size());
  a.out_labels = static_cast<int>(e.out.size());
  a.labels = static_cast<int>(labels.names.size());
  for (size_t d = 0; d < labels.dims.size(); ++d) a.dims[d] = static_cast<size_t>(labels.dims[d]);
  for (size_t p = 0; p < e.terms.size(); ++p) {
    const Shape& x = node.in(p).shape;
    for (int d = 0; d < x.rank(); ++d)
      if (x[d] != 1)  // a dim of one is repeated
        a.stride[p][labels.names.find(e.terms[p][static_cast<size_t>(d)])] +=
            static_cast<size_t>(std::max<int64_t>(x.count(d + 1, x.rank()), 0));
  }
  context.use("einsum", run);
  context.keep(std::move(state));
  return Status::ok();
}

}  // namespace

extern const OpDef kEinsumOp{schema::Op::EinsumOptions, "einsum", kNoFlags, check, infer, prepare, run};

}  // namespace pith
