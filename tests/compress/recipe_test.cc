// Recipes: what is written is read back, and what is wrong is named with its line.
#include "converter/compress/recipe.h"

#include <doctest/doctest.h>
#include <fnmatch.h>

#include <random>

#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::compress;
using test::contains;

namespace {

std::string fault(const std::string& text) {
  const Result<Recipe> r = parse_recipe(text, "r.yaml");
  return r.is_ok() ? "" : r.status().message();
}

}  // namespace

TEST_CASE("recipe: entries and plan are read back as they were written, whatever the names hold") {
  const std::string odd = "a: b # \"c\"\\ *?[x]\n- yes \xc3\xa9", longest(3000, 'k');
  const std::vector<RecipeEntry> entries = {
      {"model", {odd}, false, 0}, {"layer", {"conv*=int4", odd}, true, 0}, {"threads", {"2"}, false, 0}};
  const PrecisionPlan plan = {{odd, {Precision::int4, 128}}, {longest, {Precision::int8, 0}}, {"~", {}}};
  const std::string text = recipe_text(entries, plan);
  const Result<Recipe> back = parse_recipe(text, "r.yaml");
  REQUIRE_MESSAGE(back.is_ok(), back.status().message());
  CHECK(back.value().plan == plan);
  REQUIRE(back.value().entries.size() == entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    CHECK(back.value().entries[i].key == entries[i].key);
    CHECK(back.value().entries[i].values == entries[i].values);
    CHECK(back.value().entries[i].is_list == entries[i].is_list);
    CHECK(back.value().entries[i].line == static_cast<int>(i) + 2);
  }
  CHECK(recipe_text(back.value().entries, back.value().plan) == text);
}

TEST_CASE("recipe: a fault is named with file, line and key") {
  CHECK(fault("threads: 2\nmax-drop: 1%\n") == "");
  CHECK(contains(fault(""), "expected one document"));
  CHECK(contains(fault("- a\n- b\n"), "expected one document"));
  CHECK(contains(fault("a: 1\n---\nb: 2\n"), "expected one document"));
  CHECK(contains(fault("a: 1\nb: [1, 2\n"), "r.yaml:3: not YAML"));
  CHECK(contains(fault("a: 1\n\n\na: 2\n"), "r.yaml:4: 'a' is given twice"));
  CHECK(contains(fault("a: 1\nb:\n  c: 2\n"),
                 "r.yaml:3: expected 'b': a value or a list of values, found a mapping"));
  CHECK(contains(fault("a: 1\nb: [x, [y]]\n"), "found a list"));
  CHECK(contains(fault("a: 1\nb:\n"), "found nothing"));
  CHECK(contains(fault("a: 1\nplan: int8\n"), "r.yaml:2: 'plan': expected lines"));
  CHECK(contains(fault("plan:\n  x: int8\n  y: int7\n"), "r.yaml:3: 'plan': "));
  CHECK(contains(fault("plan:\n  x: int8\n  x: int8\n"), "r.yaml:3: 'plan': layer 'x' is given twice"));
  CHECK(contains(fault("? [a, b]\n: c\n"), "found a list"));
  CHECK(contains(fault("a: \"x\\0y\"\n"), "zero byte"));
}

TEST_CASE("recipe: hostile texts end in an error, not in a crash") {
  CHECK(contains(fault(std::string(100000, '[')), "r.yaml:1"));
  CHECK(contains(fault("a: " + std::string(50000, '{')), "r.yaml"));
  CHECK(contains(fault(std::string((size_t{16} << 20) + 1, ' ')), "16 MiB"));
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string from = "*a" + std::to_string(i - 1), to = "a" + std::to_string(i);
    laughs += to + ": &" + to + " [" + from + ", " + from + "]\n";
  }
  CHECK(contains(fault(laughs), "r.yaml"));
  // Seeded mutations of a good recipe.
  const std::string good =
      recipe_text({{"model", {"m.onnx"}, false, 0}, {"allow", {"slower", "size"}, true, 0}},
                  {{"conv", {Precision::int4, 32}}, {"fc", {Precision::int8, 0}}});
  std::mt19937 random(7);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) {
      const size_t at = random() % bad.size();
      if (random() % 3 == 0)
        bad.erase(at, 1 + random() % 8);
      else
        bad[at] = random() % 2 != 0 ? "[]{}:&*!|>%@`'\"\n\t#-?,"[random() % 22] : static_cast<char>(random());
      if (bad.empty()) bad = "x";
    }
    refused += !fault(bad).empty();
  }
  CHECK(refused > 300);
}

TEST_CASE("recipe: the pattern of a name matches that name alone") {
  for (const std::string name : {"/layer[0]/conv*", "a?b\\c", "plain"}) {
    CHECK(fnmatch(exact_pattern(name).c_str(), name.c_str(), 0) == 0);
    CHECK(fnmatch(exact_pattern(name).c_str(), (name + "x").c_str(), 0) != 0);
  }
  CHECK(fnmatch(exact_pattern("a*").c_str(), "ab", 0) != 0);
}
