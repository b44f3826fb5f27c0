// pith-run, the program for boards: same results as pith run, and the same exit codes.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/data/npy.h"
#include "tests/support/run_program.h"
#include "tests/support/shared_data.h"

using namespace pith;
using namespace pith::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsMemory = false;  // sanitizers keep shadows
#else
constexpr bool kCountsMemory = true;
#endif

const std::string kGemm = "tests/data/onnx/gemm/";

std::string model_in(const TempFolder& folder) {
  const std::string model = folder / "gemm.pith";
  REQUIRE(run_pith({"convert", kGemm + "model.onnx", "-o", model}).code == 0);
  return model;
}

}  // namespace

TEST_CASE("pith-run writes the same bytes as pith run") {
  const TempFolder folder;
  const std::string model = model_in(folder), input = kGemm + "ref_batch5/input_0.npy";
  REQUIRE(run_pith({"run", model, "--input", input, "--output-dir", folder / "a"}).code == 0);
  const Ran r = run_on_board({"run", model, "--input", input, "--output-dir", folder / "b"});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "a")) {
    ++files;
    const std::string name = entry.path().filename().string();
    const auto a = data::read_npy(entry.path().string());
    const auto b = data::read_npy(folder / ("b/" + name));
    REQUIRE(a.is_ok());
    REQUIRE(b.is_ok());
    CHECK(a.value().shape == b.value().shape);
    CHECK(a.value().bytes == b.value().bytes);
  }
  CHECK(files == 1);
}

TEST_CASE("pith-run bench and inspect work without inputs") {
  const TempFolder folder;
  const std::string model = model_in(folder);
  const Ran bench = run_on_board({"bench", model, "--seconds", "0.01", "--json"});
  CHECK(bench.code == 0);
  CHECK(contains(bench.out, "\"median_ms\": "));
  const Ran inspect = run_on_board({"inspect", model});
  CHECK(inspect.code == 0);
  CHECK(contains(inspect.out, "input  "));
}

TEST_CASE(
    "keyword spotting needs less than 8 MB of memory on a board, all told, with one thread and with two") {
  const std::string root = shared_data();
  PITH_SKIP_WITHOUT(root);
  const TempFolder folder;
  const std::string model = folder / "kws.pith";
  REQUIRE(
      run_pith({"convert", root + "/data/models-onnx/mlperf-kws-int8-qdq/model.onnx", "-o", model}).code ==
      0);
  double start_ms = 1e9;
  for (int i = 0; i < 5; ++i)
    for (const char* threads : {"1", "2"}) {
      const Ran r = run_on_board({"bench", model, "--seconds", "0", "--threads", threads, "--json"});
      CAPTURE(r.err);
      REQUIRE(r.code == 0);
      const auto j = nlohmann::json::parse(r.out);
      CAPTURE(r.out);
      CHECK(j["peak_rss_bytes"].get<uint64_t>() > 1'000'000);
      if (kCountsMemory) CHECK(j["peak_rss_bytes"].get<uint64_t>() <= 8'000'000);
      start_ms = std::min(start_ms, j["load_ms"].get<double>() + j["prepare_ms"].get<double>());
    }
  MESSAGE("open and prepare: " << start_ms << " ms");
}

TEST_CASE("pith-run refuses what it cannot do, with the exit codes of pith") {
  const TempFolder folder;
  const std::string model = model_in(folder);
  CHECK(run_on_board({}).code == 2);
  CHECK(run_on_board({"fly", model}).code == 2);
  CHECK(run_on_board({"run", model}).code == 2);
  CHECK(run_on_board({"run", model, "--input"}).code == 2);
  CHECK(run_on_board({"bench", model, "--threads", "0"}).code == 2);
  CHECK(run_on_board({"run", model, "--input", folder / "absent.npy"}).code == 7);
  CHECK(run_on_board({"inspect", folder / "absent.pith"}).code == 7);
  CHECK(run_on_board({"inspect", folder.write("damaged.pith", slurp(model).substr(0, 1000))}).code == 3);
  CHECK(run_on_board({"run", model, "--input", folder.write("x.npy", "no array")}).code == 7);
  const Ran full =
      run_on_board({"run", model, "--input", kGemm + "ref/input_0.npy", "--output-dir", folder / "out"},
                   {.file_bytes = 64});
  CHECK(full.code == 7);
  CHECK(std::filesystem::is_empty(folder / "out"));
}
