// JsonFields: reads the keys of one JSON object and remembers the first problem, so that a caller checks
// once:
//   JsonFields f(object, "dataset.json: input");
//   config.file = f.required_text("file");
//   config.limit = f.integer("limit", -1, 1, 1 << 30);
//   PITH_RETURN_IF_ERROR(f.finish());          // the first problem, or a key nobody asked for
// Keys beginning with '_' are comments.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runtime/base/status.h"

namespace pith::data {

class JsonFields {
 public:
  // `object` outlives this; if it is no object, finish() says so and every getter gives its default.
  JsonFields(const nlohmann::json& object, std::string where);

  bool has(const char* key);
  const nlohmann::json* child(const char* key);  // nullptr if absent
  std::string text(const char* key, const std::string& otherwise);
  std::string required_text(const char* key);
  bool flag(const char* key, bool otherwise);
  double number(const char* key, double otherwise);
  int64_t integer(const char* key, int64_t otherwise, int64_t lowest, int64_t highest);
  // Lists; a single value stands for a list of one. Absent: empty.
  std::vector<double> numbers(const char* key);
  std::vector<int64_t> integers(const char* key, int64_t lowest, int64_t highest);
  std::vector<std::string> texts(const char* key);
  // Position of the key's text in `names`; `otherwise` if absent.
  size_t choice(const char* key, const std::vector<std::string>& names, size_t otherwise);

  void fail(const std::string& message);
  Status finish();
  const std::string& where() const { return where_; }

 private:
  void wrong(const char* key, const std::string& expected);
  const nlohmann::json* object_;
  std::string where_;
  std::vector<std::string> asked_;
  std::string problem_;
};

// Parses a text strictly: no duplicate keys, at most 32 levels. `name` begins messages, which give line and
// column.
Status parse_json(const std::string& text, const std::string& name, nlohmann::json* out);

// Replaces ${NAME} and ${NAME:-otherwise} by environment variables; "$$" is a dollar.
Result<std::string> expand_variables(const std::string& text, const std::string& where);

}  // namespace pith::data
