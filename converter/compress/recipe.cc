// YAML by yaml-cpp, whose exceptions end here.
#include "converter/compress/recipe.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <sstream>

namespace pith::compress {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
constexpr const char* kPlan = "plan";

class Reader {
 public:
  explicit Reader(const std::string& name) { recipe_.name = name; }

  Result<Recipe> read(const std::string& text) {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1 || !documents[0].IsMap())
      return Status(Code::bad_argument,
                    recipe_.name + ": expected one document with lines of the form `option: value`");
    std::set<std::string> seen;
    for (const auto& pair : documents[0]) {
      PITH_ASSIGN(const std::string key, scalar(pair.first, "the name of an option"));
      if (!seen.insert(key).second) return fault(pair.first, "'" + key + "' is given twice");
      PITH_RETURN_IF_ERROR(key == kPlan ? read_plan(pair.second) : read_entry(key, pair.first, pair.second));
    }
    return std::move(recipe_);
  }

 private:
  Status fault(const YAML::Node& at, const std::string& what) const {
    return Status(Code::bad_argument,
                  format("%s:%d: %s", recipe_.name.c_str(), at.Mark().line + 1, what.c_str()));
  }
  Result<std::string> scalar(const YAML::Node& node, const std::string& expected) const {
    if (!node.IsScalar())
      return fault(node, "expected " + expected + ", found " +
                             (node.IsMap()        ? "a mapping"
                              : node.IsSequence() ? "a list"
                                                  : "nothing"));
    if (node.Scalar().find('\0') != std::string::npos) return fault(node, expected + " holds a zero byte");
    return node.Scalar();
  }

  Status read_entry(const std::string& key, const YAML::Node& at, const YAML::Node& value) {
    RecipeEntry entry;
    entry.key = key;
    entry.line = at.Mark().line + 1;
    entry.is_list = value.IsSequence();
    if (entry.is_list) {
      for (const YAML::Node& item : value) {
        PITH_ASSIGN(std::string text, scalar(item, "'" + key + "': a list of values"));
        entry.values.push_back(std::move(text));
      }
    } else {
      PITH_ASSIGN(std::string text, scalar(value, "'" + key + "': a value or a list of values"));
      entry.values.push_back(std::move(text));
    }
    recipe_.entries.push_back(std::move(entry));
    return Status::ok();
  }

  Status read_plan(const YAML::Node& plan) {
    if (!plan.IsMap()) return fault(plan, "'plan': expected lines of the form `layer: precision`");
    for (const auto& pair : plan) {
      PITH_ASSIGN(const std::string layer, scalar(pair.first, "'plan': the name of a layer"));
      PITH_ASSIGN(const std::string text, scalar(pair.second, "'plan': a precision"));
      const Result<LayerFormat> precision = parse_layer_format(text);
      if (!precision.is_ok()) return fault(pair.second, "'plan': " + precision.status().message());
      if (!recipe_.plan.emplace(layer, precision.value()).second)
        return fault(pair.first, "'plan': layer '" + layer + "' is given twice");
    }
    return Status::ok();
  }

  Recipe recipe_;
};

// Quoted whatever it holds: no text becomes another type or a comment.
std::string quoted(const std::string& text) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << text;
  return out.c_str();
}

}  // namespace

Result<Recipe> parse_recipe(const std::string& text, const std::string& name) {
  if (text.size() > kMostBytes)
    return Status(Code::bad_argument, name + ": a recipe of more than 16 MiB is refused");
  try {
    return Reader(name).read(text);
  } catch (const YAML::Exception& e) {
    return Status(Code::bad_argument,
                  format("%s:%d: not YAML: %s", name.c_str(), e.mark.line + 1, e.msg.c_str()));
  }
}

Result<Recipe> read_recipe(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status(Code::io, "cannot open the recipe '" + path + "'");
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Status(Code::io, "cannot read the recipe '" + path + "'");
  text.resize(static_cast<size_t>(in.gcount()));
  return parse_recipe(text, path);
}

std::string recipe_text(const std::vector<RecipeEntry>& entries, const PrecisionPlan& plan) {
  std::string out = "# A run of pith compress. Again: pith compress --recipe THIS_FILE\n";
  for (const RecipeEntry& e : entries) {
    std::string values;
    for (const std::string& v : e.values) values += (values.empty() ? "" : ", ") + quoted(v);
    out += e.key + ": " + (e.is_list ? "[" + values + "]" : values) + "\n";
  }
  if (plan.empty()) return out;
  out +=
      "# What was chosen. Without these lines the search runs again, and may choose otherwise: it measures "
      "times.\nplan:\n";
  for (const auto& [layer, precision] : plan) {
    const std::string key = quoted(layer);  // YAML wants a mark before keys of more than 1024 characters
    out += (key.size() > 1000 ? "  ? " + key + "\n  : " : "  " + key + ": ") +
           option_spelling(name_of(precision)) + "\n";
  }
  return out;
}

std::string exact_pattern(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace pith::compress
