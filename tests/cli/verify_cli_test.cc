// pith verify: the same weights again from the source, or the name of the tensor that differs.
#include <doctest/doctest.h>

#include <filesystem>

#include "runtime/model/model.h"
#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::test;

namespace {
const std::string kSource = "tests/data/onnx/external-data/model.onnx";
}

TEST_CASE(
    "verify answers 0 for a file of that source and 4 with the tensor's name for one that was changed") {
  const TempFolder folder;
  for (const std::string precision : {"int4", "nf4", "int8-dynamic"}) {
    CAPTURE(precision);
    const std::string model = folder / (precision + ".pith");
    const Ran made = run_pith({"convert", kSource, "-o", model, "--precision", precision});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const Ran equal = run_pith({"verify", model, "--source", kSource});
    CHECK_MESSAGE(equal.code == 0, equal.err);
    CHECK(contains(equal.out, "2 of 2 packed tensors"));
    CHECK(contains(equal.out, ": 0 different"));

    const auto opened = Model::open(model.c_str());
    REQUIRE(opened.is_ok());
    std::string bytes = slurp(model);
    bytes[opened.value()->segments()[0].offset] ^= 1;  // one nibble of the first tensor
    folder.write(precision + ".pith", bytes);
    const Ran changed = run_pith({"verify", model, "--source", kSource});
    CHECK(changed.code == 4);
    CHECK(contains(changed.out, "DIFFERENT"));
    CHECK(contains(changed.out, "byte 0 is 0x"));
    const Ran json = run_pith({"verify", model, "--source", kSource, "--json"});
    CHECK(json.code == 4);
    CHECK(contains(json.out, "\"different\": 1"));
  }
}

TEST_CASE("verify says what is missing: packed weights, the source") {
  const TempFolder folder;
  const std::string model = folder / "float.pith";
  REQUIRE(run_pith({"convert", kSource, "-o", model, "--precision", "fp32"}).code == 0);
  const Ran nothing = run_pith({"verify", model, "--source", kSource});
  CHECK(nothing.code == 3);
  CHECK(contains(nothing.err, "nothing was quantized"));
  CHECK(run_pith({"verify", model, "--source", folder / "no.onnx"}).code == 7);
}

TEST_CASE("convert says which options a weight method needs or has no use for") {
  const TempFolder folder;
  const auto refused = [&](std::vector<std::string> more, const char* why) {
    std::vector<std::string> arguments = {"convert", kSource, "-o", folder / "x.pith"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran r = run_pith(arguments);
    CHECK(r.code == 2);
    CHECK(contains(r.err, why));
  };
  refused({"--precision", "int4", "--weight-method", "gptq"}, "give --calibrate DATA");
  refused({"--precision", "fp16", "--weight-method", "hqq"}, "no effect on --precision fp16");
  refused({"--precision", "int4", "--weight-method", "best"}, "use plain, search, hqq, weighted or gptq");
  CHECK(folder.file_count() == 0);
}
