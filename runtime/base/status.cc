// Names of status codes and message formatting.
#include "runtime/base/status.h"

#include <cstdarg>
#include <cstdio>

namespace pith {

const char* name_of(Code code) {
  switch (code) {
    case Code::ok:
      return "ok";
    case Code::internal:
      return "internal error";
    case Code::bad_argument:
      return "bad argument";
    case Code::bad_file:
      return "bad file";
    case Code::unsupported:
      return "unsupported";
    case Code::no_memory:
      return "out of memory";
    case Code::io:
      return "input/output error";
    case Code::needs_value:
      return "needs a value";
  }
  return "unknown";
}

std::string format(const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  const int size = std::vsnprintf(nullptr, 0, fmt, args);
  va_end(args);
  std::string text(size > 0 ? static_cast<size_t>(size) : 0, '\0');
  if (size > 0) std::vsnprintf(text.data(), text.size() + 1, fmt, again);
  va_end(again);
  return text;
}

}  // namespace pith
