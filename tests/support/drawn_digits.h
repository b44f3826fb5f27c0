// The shipped classifier and data drawn for it: a real model with labels that needs nothing outside the repository.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "examples/digits/digit_dataset.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

namespace pith::test {

inline std::string digits_model() { return project_file("examples/digits/digits.onnx"); }

// A folder of `count` pictures; other seeds, other pictures.
inline std::string drawn_digits(const TempFolder& folder, const std::string& name, uint64_t count,
                                uint64_t seed) {
  const std::string error = examples::write_digit_dataset(folder / name, count, seed);
  REQUIRE_MESSAGE(error.empty(), error);
  return folder / name;
}

}  // namespace pith::test
