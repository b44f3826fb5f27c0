// Status and Result<T>: how every fallible function of Pith answers. No exceptions.
//   Result<Model> open(...);
//   PITH_ASSIGN(Model model, open(path));        // returns the error to our caller, or moves the value out
//   PITH_RETURN_IF_ERROR(model.check());
// A message says what, where, expected, found, and what to do; it is written for the person who runs the
// program.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace pith {

enum class Code : uint8_t {
  ok = 0,
  internal = 1,      // our bug
  bad_argument = 2,  // the caller's mistake
  bad_file = 3,      // a model or data file that is malformed
  unsupported = 4,   // well-formed, but not something this build can do
  no_memory = 5,
  io = 6,           // cannot read or write
  needs_value = 7,  // planning only: a shape depends on a value that is computed later
};

const char* name_of(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  static Status ok() { return {}; }

  bool is_ok() const { return code_ == Code::ok; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // The same error with context in front: "node 'conv1': " + message.
  Status with_context(const std::string& context) && {
    if (!is_ok()) message_.insert(0, context);
    return std::move(*this);
  }

 private:
  Code code_ = Code::ok;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)), has_value_(true) {}  // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {             // NOLINT: implicit on purpose
    if (status_.is_ok()) std::abort();                             // an OK status carries no value: our bug
  }
  bool is_ok() const { return has_value_; }
  const Status& status() const { return status_; }
  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }

 private:
  T& checked() {
    if (!has_value_) std::abort();  // the caller did not look at is_ok(): our bug
    return value_;
  }
  T value_{};
  Status status_;
  bool has_value_ = false;
};

// printf-style message: format("expected %d, found %d", a, b).
[[gnu::format(printf, 1, 2)]] std::string format(const char* fmt, ...);

}  // namespace pith

#define PITH_CONCAT_(a, b) a##b
#define PITH_CONCAT(a, b) PITH_CONCAT_(a, b)
#define PITH_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                          \
    if (::pith::Status pith_status_ = (expression); !pith_status_.is_ok()) return pith_status_; \
  } while (0)
#define PITH_ASSIGN_IMPL(result, declaration, expression) \
  auto result = (expression);                             \
  if (!result.is_ok()) return result.status();            \
  declaration = std::move(result).value()
#define PITH_ASSIGN(declaration, expression) \
  PITH_ASSIGN_IMPL(PITH_CONCAT(pith_result_, __LINE__), declaration, expression)
// Requirement on a file or graph: returns Code::bad_file with the given message.
#define PITH_REQUIRE(condition, ...)                                                              \
  do {                                                                                            \
    if (!(condition)) return ::pith::Status(::pith::Code::bad_file, ::pith::format(__VA_ARGS__)); \
  } while (0)
