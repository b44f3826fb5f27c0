// One form for all commands.
#include "cli/tensor_error.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace pith::cli {

using Json = nlohmann::ordered_json;

Json tensor_error_json(const eval::TensorError& e) {
  Json out{{"fidelity", eval::name_of(e.fidelity())}, {"max_abs_error", e.max_abs_error()}};
  if (e.fidelity() == eval::Fidelity::normal) {
    out["sqnr_db"] = e.sqnr_db();
    out["cosine"] = e.cosine();
  }
  return out;
}

Json finite_json(double v) { return std::isfinite(v) ? Json(v) : Json(); }

std::string sqnr_text(const eval::TensorError& e) {
  return e.fidelity() == eval::Fidelity::normal ? format("%.1f dB", e.sqnr_db())
                                                : eval::name_of(e.fidelity());
}

}  // namespace pith::cli
