// Measurements of `pith tune`: what sessions make of a file, good, stale or hostile.
#include "runtime/exec/tuning.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/exec/session.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

namespace pith {
namespace {

std::shared_ptr<const Model> quantized_model() {
  auto model = Model::open(test::project_file("tests/data/format/v1.0/qdq-conv.pith").c_str());
  REQUIRE(model.is_ok());
  return model.value();
}

struct Ran {
  std::vector<std::string> backends;  // of every step
  std::vector<size_t> integer;        // operators that give 8-bit codes
  std::vector<bool> is_integer;       // by step
  std::string bytes, note;
  size_t operators = 0;
  TuneKey key;
};

Ran run(const SessionOptions& options) {
  auto created = Session::create(quantized_model(), options);
  REQUIRE(created.is_ok());
  Session& s = *created.value();
  for (size_t i = 0; i < s.input_count(); ++i) {
    Shape shape = s.input(i).shape;
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] == kUnknownDim) shape[d] = 3;
    REQUIRE(s.set_input_shape(i, shape).is_ok());
  }
  REQUIRE(s.prepare().is_ok());
  for (size_t i = 0; i < s.input_count(); ++i)
    for (int64_t k = 0; k < s.input(i).count() && s.input(i).dtype == DType::f32; ++k)
      s.input(i).as_mutable<float>()[k] = 0.125f * static_cast<float>(k % 17) - 1;
  REQUIRE(s.run().is_ok());
  Ran out;
  for (const Session::Step& step : s.steps(0)) {
    out.backends.push_back(step.kernel.backend);
    out.is_integer.push_back(bits_of(s.node(step.op).out(0).dtype) == 8);
    if (out.is_integer.back()) out.integer.push_back(step.op);
  }
  for (size_t i = 0; i < s.output_count(); ++i)
    out.bytes.append(s.output(i).as<char>(), s.output(i).byte_size());
  out.note = s.tuning_note();
  out.operators = s.node_count();
  out.key = s.tune_key();
  return out;
}

// Every integer node is quickest on the reference.
Tuning all_reference(const Ran& usual) {
  Tuning t{usual.key, {}};
  t.nodes.resize(usual.operators);
  for (size_t op : usual.integer)
    t.nodes[op] = {{BackendChoice::reference, 10}, {BackendChoice::xnnpack, 20}};
  return t;
}

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::string fault(const std::string& text, const TuneKey& key, size_t operators) {
  const auto parsed = parse_tuning(text, key, operators);
  REQUIRE_FALSE(parsed.is_ok());
  return parsed.status().message();
}

}  // namespace

TEST_CASE("a tuning file decides who runs a node, and integer nodes give the same bytes") {
  const test::TempFolder folder;
  const Ran usual = run({});
  CHECK(usual.note.empty());
  REQUIRE(usual.integer.size() >= 2);
  folder.write("model.tune", all_reference(usual).text());
  SessionOptions options;
  options.tuning = folder / "model.tune";
  const Ran tuned = run(options);
  CHECK(holds(tuned.note, "tuned by"));
  size_t changed = 0;
  for (size_t i = 0; i < tuned.backends.size(); ++i) {
    if (tuned.is_integer[i]) CHECK(tuned.backends[i] == "reference");
    changed += tuned.backends[i] != usual.backends[i];
  }
  CHECK(changed > 0);
  CHECK(tuned.bytes == usual.bytes);
}

TEST_CASE("a backend that was measured but does not take the node any more is passed over") {
  const Ran usual = run({});
  auto wanted = std::make_shared<Tuning>(all_reference(usual));
  for (auto& node : wanted->nodes) node = {{BackendChoice::pith, 1}};
  SessionOptions options;
  options.measured = wanted;
  CHECK(run(options).bytes == usual.bytes);
}

TEST_CASE(
    "tuning of another model, processor, number of threads or version is not used, and the note says why") {
  const test::TempFolder folder;
  const Ran usual = run({});
  const struct {
    const char* part;
    void (*change)(TuneKey*);
  } stale[] = {{"another model", [](TuneKey* k) { k->model ^= 1; }},
               {"another processor", [](TuneKey* k) { k->cpu += "?"; }},
               {"another number of threads", [](TuneKey* k) { ++k->threads; }}};
  SessionOptions options;
  options.tuning = folder / "model.tune";
  for (const auto& s : stale) {
    Tuning t = all_reference(usual);
    s.change(&t.key);
    folder.write("model.tune", t.text());
    const Ran ran = run(options);
    CAPTURE(ran.note);
    CHECK(holds(ran.note, s.part));
    CHECK(holds(ran.note, "model.tune"));
    CHECK(ran.backends == usual.backends);
  }
  std::string text = all_reference(usual).text();
  text.replace(text.find("pith 0"), 6, "pith 9");
  CHECK(holds(fault(text, usual.key, usual.operators), "another version of pith"));
  options.tuning = folder / "missing.tune";
  CHECK(holds(run(options).note, "missing.tune"));
}

TEST_CASE("malformed tuning is refused with its line") {
  const TuneKey key{0x12, "cpu", 2};
  Tuning t{key, {}};
  t.nodes = {{{BackendChoice::pith, 1}}, {}, {{BackendChoice::xnnpack, 7}, {BackendChoice::reference, 9}}};
  const std::string good = t.text();
  const auto parsed = parse_tuning(good, key, 3);
  REQUIRE_MESSAGE(parsed.is_ok(), parsed.status().message());
  REQUIRE(parsed.value().nodes.size() == 3);
  CHECK(parsed.value().nodes[1].empty());
  CHECK(parsed.value().nodes[2][1].ns == 9);
  CHECK(holds(fault(good, key, 2), "no such operator"));
  const struct {
    const char *from, *to, *message;
  } changes[] = {{"node 0", "node 2", "stands twice"},
                 {"node 0", "nude 0", "line 6"},
                 {"node 0", "node -1", "expected a number"},
                 {"node 0", "node 99999999999999999999", "expected a number"},
                 {"pith 1\n", "pith 1x\n", "nanoseconds"},
                 {"pith 1\n", "auto 1\n", "name of a backend"},
                 {"pith 1\n", "pith\n", "nanoseconds"},
                 {"xnnpack 7", "reference 7", "stands twice"},
                 {"node 0 pith 1\n", "node 0\n", "without backends"},
                 {"end 2\n", "", "end is missing"},
                 {"end 2\n", "end 1\n", "early end"},
                 {"end 2\n", "end 2\nnode 1 pith 1\n", "early end"},
                 {"threads 2", "threads", "expected 'threads'"}};
  for (const auto& c : changes) {
    std::string text = good;
    text.replace(text.rfind(c.from), std::strlen(c.from), c.to);
    CAPTURE(text);
    CHECK(holds(fault(text, key, 3), c.message));
  }
  for (size_t n = 0; n + 1 < good.size(); ++n) CHECK_FALSE(parse_tuning(good.substr(0, n), key, 3).is_ok());
  CHECK_FALSE(parse_tuning(std::string(1000, '\0'), key, 3).is_ok());
}

TEST_CASE("the usual place of tuning is in the cache folder and differs by model, processor and threads") {
  const TuneKey a{1, "x", 1}, b{2, "x", 1}, c{1, "y", 1}, d{1, "x", 2};
  CHECK(tuning_path(a) == tuning_path(a));
  for (const TuneKey* other : {&b, &c, &d})
    if (!tuning_path(a).empty()) CHECK(tuning_path(a) != tuning_path(*other));
}

}  // namespace pith
