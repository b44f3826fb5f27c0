// pith tune writes what later sessions use, and inspect shows it.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"

using namespace pith::test;
using nlohmann::json;

namespace {

const std::string kModel = "tests/data/format/v1.0/qdq-conv.pith";

json parsed(const Ran& r) {
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  const json j = json::parse(r.out, nullptr, false);
  REQUIRE(j.is_object());
  return j;
}

}  // namespace

TEST_CASE("tune measures a model, and sessions that are told use the file") {
  const TempFolder folder;
  const std::string file = folder / "deep/model.tune";
  const json tuned = parsed(run_pith({"tune", kModel, "--seconds", "0.05", "--out", file, "--json"}));
  CHECK(tuned["measured_nodes"].get<size_t>() > 0);
  CHECK(tuned["tuned_ms"].get<double>() > 0);
  const Ran r = run_program(PITH_PROGRAM, {"inspect", kModel, "--kernels", "--json"},
                            {.environment = {{"PITH_TUNE", file}}});
  const json j = parsed(r);
  CHECK(contains(j["tuning"].get<std::string>(), "tuned by"));
  size_t measured = 0;
  for (const json& node : j["nodes"]) {
    CHECK(node.contains("why"));
    measured += node["candidates"][0].contains("measured_us");
  }
  CHECK(measured == tuned["measured_nodes"].get<size_t>());
}

TEST_CASE("without --out the file goes to the cache folder, where PITH_TUNE=auto finds it") {
  const TempFolder folder;
  const RunLimits limits{.environment = {{"XDG_CACHE_HOME", folder.path()}, {"PITH_TUNE", "auto"}}};
  const auto note = [&] {
    return parsed(run_program(PITH_PROGRAM, {"inspect", kModel, "--kernels", "--json"}, limits))["tuning"]
        .get<std::string>();
  };
  CHECK(contains(note(), "no tuning used"));
  const json tuned = parsed(run_program(PITH_PROGRAM, {"tune", kModel, "--seconds", "0", "--json"}, limits));
  CHECK(contains(tuned["file"].get<std::string>(), folder.path()));
  CHECK(contains(note(), "tuned by"));
}

TEST_CASE("a stale or hostile tuning file is named by inspect and changes nothing") {
  const TempFolder folder;
  const std::string plain = run_pith({"inspect", kModel, "--kernels"}).out;
  for (const char* text : {"pith-tune 1\npith 0.1.0\nmodel 0000000000000000\n",
                           "\x7f"
                           "ELF",
                           "pith-tune 2\n"}) {
    const std::string file = folder.write("bad.tune", text);
    const Ran r =
        run_program(PITH_PROGRAM, {"inspect", kModel, "--kernels"}, {.environment = {{"PITH_TUNE", file}}});
    CHECK(r.code == 0);
    CHECK(contains(r.out, "no tuning used: '" + file + "'"));
    CHECK(contains(r.out, plain.substr(plain.find("kernels:"))));
  }
}

TEST_CASE("tune refuses to choose when the environment has chosen") {
  const Ran r = run_program(PITH_PROGRAM, {"tune", kModel}, {.environment = {{"PITH_BACKEND", "xnnpack"}}});
  CHECK(r.code == 2);
  CHECK(contains(r.err, "PITH_BACKEND"));
}
