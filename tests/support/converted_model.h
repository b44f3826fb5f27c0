// A model converted with the given options and opened, and PITH_ISA set for a while: whole-model tests.
#pragma once
#include <doctest/doctest.h>
#include <stdlib.h>

#include <string>
#include <utility>

#include "converter/compile/convert.h"
#include "converter/compile/load_model.h"
#include "tests/support/temp_folder.h"

namespace pith::test {

struct IsaCap {  // PITH_ISA while it lives
  explicit IsaCap(const char* level) { setenv("PITH_ISA", level, 1); }
  ~IsaCap() { unsetenv("PITH_ISA"); }
};

// `how` says everything but source and output.
inline LoadedModel converted_model(const std::string& source, ConvertOptions how, const TempFolder& folder) {
  how.source = source;
  how.output = folder / "model.pith";
  ConvertReport report;
  const Status done = convert(how, &report);
  REQUIRE_MESSAGE(done.is_ok(), done.message());
  auto loaded = load_model(how.output);
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  return std::move(loaded).value();
}

}  // namespace pith::test
