// The ways to find the 4-bit codes of a weight matrix, by name: "plain", "search", "hqq", "weighted", "gptq".
#pragma once
#include <string>

#include "converter/quantize/moments.h"
#include "converter/quantize/weight_groups.h"

namespace pith::quantize {

// adaround is no method of its own: it moves the codes that another one made (compress/learned_rounding.h).
enum class WeightMethod : uint8_t { plain, search, hqq, weighted, gptq, adaround };
const char* name_of(WeightMethod method);
Result<WeightMethod> parse_weight_method(const std::string& text);
// weighted, gptq: made from the moments of the inputs.
bool needs_data(WeightMethod method);

// How each group's grid is found by it.
GroupMethod group_method(WeightMethod method);

// w [n, k]. `fit`: moments of the padded rows (product_rows.h), null where the method needs none; with cross products for
// gptq. options.method and importance are set here. *note: what is worth telling (GPTQ: damping, dead inputs).
Result<GroupedWeights> quantize_by(WeightMethod method, std::span<const float> w, size_t n, size_t k,
                                   GroupOptions options, const Moments* fit, std::string* note);

}  // namespace pith::quantize
