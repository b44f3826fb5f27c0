// Options from a recipe: what the command line gives counts more, faults are named with their line.
#include <doctest/doctest.h>

#include "tests/support/run_program.h"

using namespace pith::test;

namespace {

Ran with_recipe(const TempFolder& folder, const std::string& recipe, std::vector<std::string> more = {}) {
  folder.write("r.yaml", recipe);
  more.insert(more.begin(), {"compress", "--recipe", folder / "r.yaml"});
  return run_pith(more);
}

}  // namespace

TEST_CASE("a recipe's unknown keys and wrong values are named with line, key and what was expected") {
  const TempFolder folder;
  const Ran unknown = with_recipe(folder, "model: x.onnx\nmax-drp: 1%\n");
  CHECK(unknown.code == 2);
  CHECK(contains(unknown.err, "r.yaml:2: 'max-drp' is no option here"));
  CHECK(contains(unknown.err, "max-drop"));
  const Ran number = with_recipe(folder, "threads: many\n");
  CHECK(number.code == 2);
  CHECK(contains(number.err, "r.yaml:1: 'threads': expected a whole number from 1 to 1024, found 'many'"));
  CHECK(with_recipe(folder, "threads: 0\n").code == 2);
  CHECK(contains(with_recipe(folder, "max-drop: [1%, 2%]\n").err, "expected one value, found a list"));
  CHECK(contains(with_recipe(folder, "json: yes\n").err, "expected true or false"));
  CHECK(contains(with_recipe(folder, "proof-share: 2\n").err, "expected a number from 0.05 to 0.95"));
  CHECK(contains(with_recipe(folder, "recipe: other.yaml\n").err, "no option here"));
  CHECK(run_pith({"compress", "--recipe", folder / "absent.yaml"}).code == 7);
}

TEST_CASE("required options come from either place; what neither gives is named") {
  const TempFolder folder;
  const Ran none = run_pith({"compress"});
  CHECK(none.code == 2);
  CHECK(contains(none.err, "missing: model, output"));
  const Ran half = with_recipe(folder, "model: absent.onnx\n");
  CHECK(half.code == 2);
  CHECK(contains(half.err, "missing: output"));
  // Complete: the run begins, and fails for the model that is not there.
  const Ran both = with_recipe(folder, "model: absent.onnx\n", {"-o", folder / "x.pith"});
  CHECK(both.code == 7);
  CHECK(contains(both.err, "absent.onnx"));
  // The command line's model and threads replace the recipe's, even a value that would be refused.
  const Ran given = with_recipe(folder, "model: absent.onnx\nthreads: many\noutput: x.pith\n",
                                {"other.onnx", "--threads", "1"});
  CHECK(given.code == 7);
  CHECK(contains(given.err, "other.onnx"));
}
