// The float model in the form that quantizes best. Rewrites that change nothing but rounding (equalization, SmoothQuant, the
// outlier split of LLM.int8, AWQ) are each tried on a copy, quantized the way that is aimed at, and judged by the outputs on
// calibration items; the form as it came is always among them, so none can make the model worse.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/compress/mixed_model.h"
#include "converter/eval/reference_outputs.h"

namespace pith::compress {

enum class FloatForm : uint8_t { as_it_came, equalized, smoothed, outliers_split, awq };
const char* name_of(FloatForm form);
Result<FloatForm> parse_float_form(const std::string& text);

struct FormTrial {
  FloatForm form = FloatForm::as_it_came;
  size_t layers = 0;          // changed
  double output_sqnr_db = 0;  // with every layer in the format aimed at
  std::string failure;        // not empty: could not be tried, and why
};

struct FormOptions {
  LayerFormat aim;
  std::vector<FloatForm> only;  // forms to try beside the first; empty: all that serve the aim
  size_t threads = 1;
  int64_t max_items = 256;
  std::function<void(int64_t done, int64_t total)> progress;
};

struct ChosenForm {
  MixedModel maker;
  std::vector<FormTrial> trials;  // the form as it came first
  size_t winner = 0;
};

// Forms that may help a format: none for full and half precision.
std::vector<FloatForm> forms_for(const LayerFormat& aim);

// `graph`: float, passes run. `exact`: answers of the original on calibration items that judge.
Result<ChosenForm> choose_float_form(std::unique_ptr<ir::Graph> graph, const quantize::ItemSource& source,
                                     const quantize::StaticInt8Options& int8,
                                     const eval::ReferenceOutputs& exact, const FormOptions& options);

}  // namespace pith::compress
