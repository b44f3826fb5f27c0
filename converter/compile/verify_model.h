// Was this file made from that source? A sample of its packed weights is made again by the recipe in the file and compared,
// byte for byte.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith {

struct VerifyOptions {
  std::string model, source;
  std::string calibration;  // where the recipe needs data: the same as then
  size_t sample = 16;       // tensors; more than there are: all
  uint64_t seed = 1;        // of the choice
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress;
};

struct VerifiedTensor {
  std::string name;
  uint64_t bytes = 0;
  std::string difference;  // empty: equal
};

struct VerifyReport {
  size_t packed = 0;                    // tensors in all
  std::vector<VerifiedTensor> tensors;  // the sample, in the order of the file
  size_t different = 0;
};

// Errors: a file without a recipe (`pith compress` made it, or an older Pith), a source that does not import, data that are
// missing or are not those of the file.
Status verify_model(const VerifyOptions& options, VerifyReport* report);

}  // namespace pith
