// The options of a command as a table: read from a recipe, written back as one.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "converter/compress/recipe.h"

namespace pith::cli {

struct OptionRow {
  enum class Kind { text, texts, count, real, flag };
  std::string key;  // "max-drop"
  Kind kind = Kind::text;
  void* value = nullptr;  // std::string, vector of them, size_t, double, bool
  double least = 0, most = 0;
  bool required = false;
  std::function<bool()> given;  // on the command line
};

// What the command line gave stays; the rest comes from the recipe. Errors name line, key and what was expected.
Status apply_recipe(const std::vector<OptionRow>& options, const compress::Recipe& recipe);
// Names every required option that neither gave.
Status check_required(const std::vector<OptionRow>& options);
// Every option with a value, but for those named.
std::vector<compress::RecipeEntry> entries_of(const std::vector<OptionRow>& options,
                                              const std::vector<std::string>& without);

}  // namespace pith::cli
