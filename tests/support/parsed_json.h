// What a program printed with --json.
#pragma once
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"

namespace pith::test {

// One object on stdout, whatever the exit code.
inline nlohmann::json parsed(const Ran& r) {
  CAPTURE(r.err);
  const nlohmann::json j = nlohmann::json::parse(r.out, nullptr, false);
  REQUIRE(j.is_object());
  return j;
}

}  // namespace pith::test
