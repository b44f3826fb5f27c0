// Recipes: the options of `pith compress` as a YAML file, and the precision of every layer once it is known.
//   model: model.onnx
//   max-drop: 1%
//   allow: [slower]
//   plan:                 # written back after a run: the same layers again, without a search
//     conv1: int8
//     fc: int4-g32
// Keys are the names of options; what they mean is the command line's business.
#pragma once
#include <string>
#include <vector>

#include "converter/compress/layer_format.h"

namespace pith::compress {

struct RecipeEntry {
  std::string key;
  std::vector<std::string> values;
  bool is_list = false;
  int line = 0;
};

struct Recipe {
  std::string name;  // of the file, for messages
  std::vector<RecipeEntry> entries;
  PrecisionPlan plan;
};

// At most 16 MiB of text: one document, a mapping of scalars and lists of scalars, no key twice. Errors name file and line.
Result<Recipe> parse_recipe(const std::string& text, const std::string& name);
Result<Recipe> read_recipe(const std::string& path);

// A text that parse_recipe() reads back to the same entries and plan.
std::string recipe_text(const std::vector<RecipeEntry>& entries, const PrecisionPlan& plan);

// A shell pattern that matches `name` alone.
std::string exact_pattern(const std::string& name);

}  // namespace pith::compress
