// What decided each layer, kept in the file for `pith explain`: short, because it is shipped.
//   {"conv1": {"alone": {"int8": [1.2e-05, 2404, 0.011], ...}, "codes": {"search": 0.0031, "gptq": 0.0025}, "code": "gptq",
//    "ranges": {"min_max": 1.1e-05, "kl": 9e-06}, "range": "kl"}}          alone: KL divergence, bytes, ms
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::compress {

inline constexpr const char* kEvidenceKey = "evidence";

// By node; figures of three digits. `ranges` of the input where static int8 reads it: mean squared error on held-back items.
std::string evidence_json(const CompressReport& report);

}  // namespace pith::compress
