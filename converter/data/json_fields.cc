// JSON with precise complaints.
#include "converter/data/json_fields.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

namespace pith::data {
namespace {

using Json = nlohmann::json;
constexpr int kMaxDepth = 32;

// Levenshtein distance, for "did you mean".
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t swap = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({swap, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string found_text(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  return text;
}

// Looks at the text without building anything: notes the first syntax error, duplicate key or excess depth.
class StrictCheck : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return deeper();
  }
  bool end_object() override {
    keys_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    return keys_.back().insert(name).second ||
           complain("the key \"" + name.substr(0, 60) + "\" is there twice");
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // The text is "[json.exception...] parse error at line 1, column 2: ...": the part after "] " is for
    // people.
    const std::string text = error.what();
    const size_t start = text.find("] ");
    return complain(start == std::string::npos ? format("syntax error at byte %zu", position)
                                               : text.substr(start + 2));
  }
  std::string problem;

 private:
  bool complain(std::string text) {
    problem = std::move(text);
    return false;
  }
  bool deeper() {
    return ++depth_ <= kMaxDepth || complain(format("nested deeper than %d levels", kMaxDepth));
  }
  int depth_ = 0;
  std::vector<std::set<std::string>> keys_;
};

bool as_integer(const Json& value, int64_t* out) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) return false;
  if (value.is_number_integer()) {
    *out = value.get<int64_t>();
    return true;
  }
  return false;
}

}  // namespace

JsonFields::JsonFields(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) fail("expected an object {...}, found " + found_text(object));
}

void JsonFields::fail(const std::string& message) {
  if (problem_.empty()) problem_ = where_ + ": " + message;
}

void JsonFields::wrong(const char* key, const std::string& expected) {
  fail(format("\"%s\": expected %s, found %s", key, expected.c_str(), found_text((*object_)[key]).c_str()));
}

const Json* JsonFields::child(const char* key) {
  asked_.emplace_back(key);
  if (!object_->is_object()) return nullptr;
  const auto at = object_->find(key);
  return at == object_->end() ? nullptr : &*at;
}

bool JsonFields::has(const char* key) { return child(key) != nullptr; }

std::string JsonFields::text(const char* key, const std::string& otherwise) {
  const Json* value = child(key);
  if (value == nullptr) return otherwise;
  if (value->is_string()) return value->get<std::string>();
  wrong(key, "a string");
  return otherwise;
}

std::string JsonFields::required_text(const char* key) {
  const std::string value = text(key, "");
  if (value.empty()) fail(format("\"%s\" is missing; expected a string", key));
  return value;
}

bool JsonFields::flag(const char* key, bool otherwise) {
  const Json* value = child(key);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  wrong(key, "true or false");
  return otherwise;
}

double JsonFields::number(const char* key, double otherwise) {
  const Json* value = child(key);
  if (value == nullptr) return otherwise;
  if (value->is_number()) return value->get<double>();
  wrong(key, "a number");
  return otherwise;
}

int64_t JsonFields::integer(const char* key, int64_t otherwise, int64_t lowest, int64_t highest) {
  const Json* value = child(key);
  if (value == nullptr) return otherwise;
  int64_t n = 0;
  if (as_integer(*value, &n) && n >= lowest && n <= highest) return n;
  wrong(key, format("a whole number from %lld to %lld", static_cast<long long>(lowest),
                    static_cast<long long>(highest)));
  return otherwise;
}

std::vector<double> JsonFields::numbers(const char* key) {
  const Json* value = child(key);
  std::vector<double> list;
  if (value == nullptr) return list;
  const Json& items = *value;
  if (items.is_number()) return {items.get<double>()};
  bool good = items.is_array() && !items.empty();
  for (size_t i = 0; good && i < items.size(); ++i) {
    good = items[i].is_number();
    if (good) list.push_back(items[i].get<double>());
  }
  if (!good) wrong(key, "a number or a list of numbers");
  return list;
}

std::vector<int64_t> JsonFields::integers(const char* key, int64_t lowest, int64_t highest) {
  const Json* value = child(key);
  std::vector<int64_t> list;
  if (value == nullptr) return list;
  const Json items = value->is_array() ? *value : Json::array({*value});
  bool good = true;
  for (size_t i = 0; good && i < items.size(); ++i) {
    int64_t n = 0;
    good = as_integer(items[i], &n) && n >= lowest && n <= highest;
    list.push_back(n);
  }
  if (!good)
    wrong(key, format("whole numbers from %lld to %lld", static_cast<long long>(lowest),
                      static_cast<long long>(highest)));
  return list;
}

std::vector<std::string> JsonFields::texts(const char* key) {
  const Json* value = child(key);
  std::vector<std::string> list;
  if (value == nullptr) return list;
  if (value->is_string()) return {value->get<std::string>()};
  bool good = value->is_array() && !value->empty();
  for (size_t i = 0; good && i < value->size(); ++i) {
    good = (*value)[i].is_string();
    if (good) list.push_back((*value)[i].get<std::string>());
  }
  if (!good) wrong(key, "a string or a list of strings");
  return list;
}

size_t JsonFields::choice(const char* key, const std::vector<std::string>& names, size_t otherwise) {
  const Json* value = child(key);
  if (value == nullptr) return otherwise;
  std::string all;
  for (size_t i = 0; i < names.size(); ++i) {
    if (value->is_string() && value->get<std::string>() == names[i]) return i;
    all += (i == 0 ? "\"" : i + 1 == names.size() ? " or \"" : ", \"") + names[i] + "\"";
  }
  wrong(key, all);
  return otherwise;
}

Status JsonFields::finish() {
  if (problem_.empty()) {
    for (const auto& [key, value] : object_->items()) {
      if (key.starts_with("_") || std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
      std::string all, nearest;
      for (const std::string& known : asked_) {
        if (all.find(" " + known + ",") == std::string::npos) all += " " + known + ",";
        if (distance(key, known) <= 2) nearest = "; did you mean \"" + known + "\"?";
      }
      if (!all.empty()) all.pop_back();
      fail("unknown key \"" + key.substr(0, 60) + "\"" + nearest + " (known here:" + all + ")");
      break;
    }
  }
  return problem_.empty() ? Status::ok() : Status(Code::bad_argument, problem_);
}

Status parse_json(const std::string& text, const std::string& name, Json* out) {
  StrictCheck check;
  const bool good = Json::sax_parse(text, &check);
  PITH_REQUIRE(good, "'%s': not valid JSON: %s", name.c_str(), check.problem.c_str());
  *out = Json::parse(text, nullptr, false);
  return Status::ok();
}

Result<std::string> expand_variables(const std::string& text, const std::string& where) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') {
      out += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == '$') {
      out += '$';
      ++at;
    } else if (at + 1 < text.size() && text[at + 1] == '{') {
      const size_t end = text.find('}', at);
      if (end == std::string::npos)
        return Status(Code::bad_argument, format("%s: \"%s\": ${ without }", where.c_str(), text.c_str()));
      const std::string inside = text.substr(at + 2, end - at - 2);
      const size_t dash = inside.find(":-");
      const std::string variable = inside.substr(0, dash);
      const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
      if ((value == nullptr || *value == '\0') && dash == std::string::npos)
        return Status(
            Code::bad_argument,
            format("%s: \"%s\" needs the environment variable %s, which is not set; set it, or write "
                   "${%s:-otherwise}",
                   where.c_str(), text.c_str(), variable.c_str(), variable.c_str()));
      out += value != nullptr && *value != '\0' ? value : inside.substr(dash + 2);
      at = end;
    } else {
      return Status(Code::bad_argument, format("%s: \"%s\": write ${NAME} for a variable, $$ for a dollar",
                                               where.c_str(), text.c_str()));
    }
  }
  return out;
}

}  // namespace pith::data
