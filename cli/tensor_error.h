// eval::TensorError as JSON, and numbers that JSON cannot hold.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "converter/eval/metrics.h"

namespace pith::cli {

// {fidelity, max_abs_error, sqnr_db, cosine}; the last two when fidelity is normal.
nlohmann::ordered_json tensor_error_json(const eval::TensorError& error);
// Null for infinities and NaN.
nlohmann::ordered_json finite_json(double v);
// "41.2 dB", "identical".
std::string sqnr_text(const eval::TensorError& error);

}  // namespace pith::cli
