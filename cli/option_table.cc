// Recipes and options.
#include "cli/option_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pith::cli {
namespace {

using compress::RecipeEntry;
using Kind = OptionRow::Kind;

template <class T>
bool read_number(const std::string& text, const OptionRow& row) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const auto real = static_cast<double>(value);
  if (error != std::errc() || at != end || !(real >= row.least && real <= row.most)) return false;
  *static_cast<T*>(row.value) = value;
  return true;
}

bool read_flag(const std::string& text, const OptionRow& row) {
  if (text != "true" && text != "false") return false;
  *static_cast<bool*>(row.value) = text == "true";
  return true;
}

std::string expected(const OptionRow& row) {
  switch (row.kind) {
    case Kind::text:
      return "one value";
    case Kind::texts:
      return "values";
    case Kind::count:
      return format("a whole number from %.0f to %.0f", row.least, row.most);
    case Kind::real:
      return format("a number from %g to %g", row.least, row.most);
    case Kind::flag:
      return "true or false";
  }
  return "";
}

bool store(const RecipeEntry& entry, const OptionRow& row) {
  if (row.kind == Kind::texts) {
    *static_cast<std::vector<std::string>*>(row.value) = entry.values;
    return true;
  }
  if (entry.is_list) return false;
  const std::string& text = entry.values.front();
  switch (row.kind) {
    case Kind::text:
      *static_cast<std::string*>(row.value) = text;
      return true;
    case Kind::count:
      return read_number<size_t>(text, row);
    case Kind::real:
      return read_number<double>(text, row);
    case Kind::flag:
      return read_flag(text, row);
    case Kind::texts:
      break;
  }
  return false;
}

// Shortest text that reads back to the same number.
std::string number_text(double v) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

}  // namespace

Status apply_recipe(const std::vector<OptionRow>& options, const compress::Recipe& recipe) {
  for (const RecipeEntry& entry : recipe.entries) {
    const std::string where = format("%s:%d: ", recipe.name.c_str(), entry.line);
    const auto row = std::find_if(options.begin(), options.end(), [&](const OptionRow& o) {
      return o.key == entry.key && o.key != "recipe";
    });
    if (row == options.end()) {
      std::string known;
      for (const OptionRow& o : options)
        if (o.key != "recipe") known += (known.empty() ? "" : ", ") + o.key;
      return Status(Code::bad_argument,
                    where + "'" + entry.key + "' is no option here; expected one of " + known + ", plan");
    }
    if (row->given()) continue;
    if (!store(entry, *row))
      return Status(Code::bad_argument, where + "'" + entry.key + "': expected " + expected(*row) +
                                            ", found " +
                                            (entry.is_list ? "a list" : "'" + entry.values.front() + "'"));
  }
  return Status::ok();
}

Status check_required(const std::vector<OptionRow>& options) {
  std::string missing;
  for (const OptionRow& row : options)
    if (row.required && static_cast<const std::string*>(row.value)->empty())
      missing += (missing.empty() ? "" : ", ") + row.key;
  if (missing.empty()) return Status::ok();
  return Status(Code::bad_argument, "missing: " + missing + "; give it here or in the recipe");
}

std::vector<RecipeEntry> entries_of(const std::vector<OptionRow>& options,
                                    const std::vector<std::string>& without) {
  std::vector<RecipeEntry> out;
  for (const OptionRow& row : options) {
    if (std::find(without.begin(), without.end(), row.key) != without.end()) continue;
    RecipeEntry entry;
    entry.key = row.key;
    entry.is_list = row.kind == Kind::texts;
    if (entry.is_list)
      entry.values = *static_cast<const std::vector<std::string>*>(row.value);
    else if (row.kind == Kind::text)
      entry.values = {*static_cast<const std::string*>(row.value)};
    else if (row.kind == Kind::count)
      entry.values = {std::to_string(*static_cast<const size_t*>(row.value))};
    else if (row.kind == Kind::real)
      entry.values = {number_text(*static_cast<const double*>(row.value))};
    else
      entry.values = {*static_cast<const bool*>(row.value) ? "true" : "false"};
    if (!entry.values.empty() && !entry.values.front().empty()) out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace pith::cli
