// Which element types every backend takes of every operator, as the backends answer when they are asked: the table in
// docs/operator_types.tsv, from which scripts/operators-doc writes its page. The page is about x86-64; on others XNNPACK and
// our own kernels may take other nodes.
#if defined(__x86_64__)
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "kernels/base/panel_layout.h"
#include "kernels/conv/conv_i8.h"
#include "runtime/backends/pith/pith_backend.h"
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#include "runtime/ops/panel_codes.h"
#include "runtime/ops/panel_weights.h"
#include "tests/support/op_runner.h"
#include "tests/support/operator_samples.h"

namespace pith {
namespace {

using test::Arg;
using test::Form;
using test::Sample;

// Plain elements, codes, and for operators with weights what may stand in them.
constexpr Form kForms[] = {
    {"f32", DType::f32},
    {"f64", DType::f64},
    {"f16", DType::f16},
    {"bf16", DType::bf16},
    {"i8", DType::i8},
    {"u8", DType::u8},
    {"i16", DType::i16},
    {"u16", DType::u16},
    {"i32", DType::i32},
    {"u32", DType::u32},
    {"i64", DType::i64},
    {"u64", DType::u64},
    {"bool", DType::boolean},
    {"i8 codes", DType::i8, true},
    {"u8 codes", DType::u8, true},
    {"f32 x f16", DType::f32, false, DType::f16},
    {"f32 x i8 codes", DType::f32, false, DType::i8},
    {"f32 x i8c", DType::f32, false, DType::i8, Layout::i8c},
    {"f32 x i4s8", DType::f32, false, DType::i4, Layout::i4s8, 32},
    {"f32 x i4f16", DType::f32, false, DType::i4, Layout::i4f16, 32},
    {"f32 x i4a", DType::f32, false, DType::u4, Layout::i4a, 32},
    {"f32 x lut4", DType::f32, false, DType::u4, Layout::lut4, 32},
    {"f32 x lut4s8", DType::f32, false, DType::u4, Layout::lut4s8, 32},
    {"f32 x f16_panel", DType::f32, false, DType::f16, Layout::f16_panel},
    {"i8 codes x i8c", DType::i8, true, DType::i8, Layout::i8c},
    {"u8 codes x i8c", DType::u8, true, DType::i8, Layout::i8c},
};
constexpr int8_t kLevels[16] = {-127, -88, -66, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 72, 92, 127};

// A node made of a sample and a form, and what its views point to.
class Trial {
 public:
  Trial(const Sample& sample, int kind, const Form& form) : form_(form) {
    schema::OpUnion op = sample.options(kind);
    builder_.Finish(flatbuffers::Offset<flatbuffers::Table>(op.Pack(builder_).o));
    for (const Arg& arg : sample.args) inputs_.push_back(make_input(arg));
    for (size_t i = 0; i < sample.outputs; ++i) inputs_.push_back(make_output());
    for (const TestTensor& t : inputs_) views_.push_back(op_runner_detail::view_of(t, "tensor"));
    for (size_t i = 0; i < sample.args.size(); ++i)
      if (sample.args[i].role == Arg::weights) pack(sample.args[i], &views_[i]);
    for (TensorView& v : views_) pointers_.push_back(&v);
    for (size_t i = 0; i < sample.args.size(); ++i)
      if (sample.args[i].role == Arg::none ||
          (is_packed() && !form.codes && sample.args[i].role == Arg::bias))
        pointers_[i] = nullptr;  // packed weights bring the bias of a float product
    node_.name = sample.name;
    node_.op = op.type;
    node_.options = flatbuffers::GetRoot<flatbuffers::Table>(builder_.GetBufferPointer());
    node_.inputs = std::span(pointers_).first(sample.args.size());
    node_.outputs = std::span(pointers_).subspan(sample.args.size());
  }
  // The operator's own checks and shapes; they hold for every backend.
  bool is_allowed() const {
    const OpDef* def = find_op(node_.op);
    if (is_packed() && !reads_panels(node_.op, 1)) return false;  // refused when the file is opened
    return def != nullptr && def->check(node_).is_ok() && def->infer(node_).is_ok();
  }
  bool is_taken(Status (*prepare)(const NodeView&, PrepareContext&), Cpu cpu) const {
    Kernel kernel;
    std::unique_ptr<NodeState> state;
    PrepareContext context(&kernel, &state, nullptr, cpu);
    return prepare == nullptr || prepare(node_, context).is_ok();
  }
  const OpDef& def() const { return *find_op(node_.op); }

 private:
  bool is_packed() const { return form_.layout != Layout::row_major; }

  TestTensor make_input(const Arg& arg) const {
    const bool plain_weights = form_.w == DType::none;
    switch (arg.role) {
      case Arg::data:
        return ones(arg.shape, form_.x, form_.codes);
      case Arg::weights:
        if (is_packed()) return ones(arg.shape, DType::i8, false);
        return ones(arg.shape, plain_weights ? form_.x : form_.w, form_.codes || form_.w == DType::i8);
      case Arg::bias:
        return ones(arg.shape, form_.codes ? DType::i32 : form_.x, false);
      case Arg::ints:
        return tensor<int64_t>(arg.shape, arg.values);
      case Arg::floats:
        return ones(arg.shape, DType::f32, false);
      case Arg::bools:
        return ones(arg.shape, DType::boolean, false);
      case Arg::codes:
        return ones(arg.shape, DType::i8, false);
      case Arg::none:
        break;
    }
    return {};
  }
  TestTensor make_output() const { return form_.codes ? ones({}, form_.x, true) : TestTensor{}; }
  static TestTensor ones(const Shape& shape, DType dtype, bool codes) {
    TestTensor t;
    t.dtype = dtype, t.shape = shape, t.is_constant = true;
    const auto n = static_cast<size_t>(shape.count()), each = size_of(dtype);
    t.bytes.assign(n * each, 0);
    const float one = 1;
    const double wide = 1;
    for (uint8_t* at = t.bytes.data(); at != t.bytes.data() + n * each; at += each) {
      *at = 1;
      if (dtype == DType::f32) std::memcpy(at, &one, sizeof one);
      if (dtype == DType::f64) std::memcpy(at, &wide, sizeof wide);
    }
    return codes ? std::move(t).quantized(0.5f, 1) : t;
  }
  void pack(const Arg& arg, TensorView* view) {
    if (!is_packed()) return;
    view->dtype = form_.w, view->layout = form_.layout, view->group = form_.group, view->codebook = kLevels;
    panels_.assign(static_cast<size_t>(stored_bytes(*view)), 0);
    const std::vector<float> scales(static_cast<size_t>(arg.shape[0]), 0.5f);
    if (form_.layout == Layout::i8c)
      kernels::pack_conv_i8(code_matrix(arg.shape), view->as<int8_t>(), scales.data(), panels_.data());
    view->data = panels_.data();
  }

  Form form_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<TestTensor> inputs_;
  std::vector<TensorView> views_;
  std::vector<TensorView*> pointers_;
  std::vector<char> panels_;
  NodeView node_;
};

enum Who { kPith, kXnnpack, kReference };

bool takes(Who who, const Trial& t) {
  // Capped, so that scalar kernels count as ours: what is taken depends on no processor.
  if (who == kPith) return t.is_taken(prepare_pith, Cpu{Cpu::none, true});
  return t.is_taken(who == kXnnpack ? prepare_xnnpack : t.def().prepare, Cpu{});
}

// Kinds by form that a backend takes; empty lists are left out.
using Answer = std::vector<std::pair<std::string, std::vector<std::string>>>;

Answer ask(Who who, const Sample& s) {
  const std::vector<std::string> kinds = s.kinds.empty() ? std::vector<std::string>{""} : s.kinds;
  const bool has_weights =
      std::any_of(s.args.begin(), s.args.end(), [](const Arg& a) { return a.role == Arg::weights; });
  Answer answer;
  for (const Form& f : kForms) {
    if (f.w != DType::none && !has_weights) continue;
    std::vector<std::string> taken;
    for (size_t k = 0; k < kinds.size(); ++k)
      if (const Trial t(s, static_cast<int>(k), f); t.is_allowed() && takes(who, t))
        taken.push_back(kinds[k]);
    if (!taken.empty()) answer.emplace_back(f.name, taken);
  }
  return answer;
}

// Replaces names that are all there by one for all of them.
void merge(std::vector<std::string>* names, const std::vector<std::string>& parts, const std::string& whole) {
  std::vector<size_t> at;
  for (const std::string& p : parts) {
    const auto found = std::find(names->begin(), names->end(), p);
    if (found == names->end()) return;
    at.push_back(static_cast<size_t>(found - names->begin()));
  }
  (*names)[*std::min_element(at.begin(), at.end())] = whole;
  std::erase_if(
      *names, [&](const std::string& n) { return std::find(parts.begin(), parts.end(), n) != parts.end(); });
}

std::string joined(const std::vector<std::string>& list, const char* between) {
  std::string text;
  for (const std::string& s : list) text += (text.empty() ? "" : between) + s;
  return text;
}

std::string names_of(std::vector<std::string> names) {
  merge(&names, {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"}, "integers");
  merge(&names, {"f32", "f64", "f16", "bf16"}, "floats");
  merge(&names, {"floats", "integers", "bool"}, "any type");
  merge(&names, {"i8 codes", "u8 codes"}, "codes");
  merge(&names, {"i8 codes x i8c", "u8 codes x i8c"}, "codes x i8c");
  return joined(names, ", ");
}

// "f32, codes (add, mul)": kinds are named where the reference takes more of them.
std::string cell(const Answer& answer, const Answer& reference) {
  std::vector<std::string> groups, suffixes;
  std::vector<std::vector<std::string>> forms;
  for (const auto& [form, kinds] : answer) {
    const auto all =
        std::find_if(reference.begin(), reference.end(), [&](const auto& r) { return r.first == form; });
    const bool same = all != reference.end() && all->second == kinds;
    const std::string suffix = same ? "" : " (" + joined(kinds, ", ") + ")";
    const auto at = std::find(suffixes.begin(), suffixes.end(), suffix);
    const auto i = static_cast<size_t>(at - suffixes.begin());
    if (at == suffixes.end()) suffixes.push_back(suffix), forms.emplace_back();
    forms[i].push_back(form);
  }
  for (size_t i = 0; i < forms.size(); ++i) groups.push_back(names_of(forms[i]) + suffixes[i]);
  return groups.empty() ? "-" : joined(groups, "; ");
}

std::string table() {
  std::vector<std::string> lines;
  for (const Sample& s : test::operator_samples()) {
    const Answer reference = ask(kReference, s);
    INFO(s.name);
    CHECK_FALSE(reference.empty());  // else the sample is wrong
    lines.push_back(std::string(s.name) + "\t" + cell(ask(kPith, s), reference) + "\t" +
                    cell(ask(kXnnpack, s), reference) + "\t" + cell(reference, reference) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  return joined(lines, "");
}

}  // namespace

TEST_CASE("there is a sample of every operator") {
  std::vector<std::string> names, listed;
  for (const Sample& s : test::operator_samples()) names.emplace_back(s.name);
#define OP(Name, stem) listed.emplace_back(#Name);
#include "runtime/ops/op_list.inc"
#undef OP
  std::sort(names.begin(), names.end());
  std::sort(listed.begin(), listed.end());
  CHECK(names == listed);
}

TEST_CASE("docs/operator_types.tsv says which types each backend takes") {
  const std::string now = table();
  if (std::getenv("PITH_WRITE_OPERATOR_TYPES") != nullptr) std::ofstream("docs/operator_types.tsv") << now;
  std::stringstream written;
  written << std::ifstream("docs/operator_types.tsv").rdbuf();
  INFO("write it anew with PITH_WRITE_OPERATOR_TYPES=1 pith_backends_test, then run scripts/operators-doc");
  CHECK(written.str() == now);
}

}  // namespace pith
#endif
