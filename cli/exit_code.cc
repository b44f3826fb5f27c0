// One exit code per kind of error.
#include "cli/exit_code.h"

#include <cstdio>

namespace pith::cli {

int exit_code_of(Code code) {
  switch (code) {
    case Code::ok:
      return kExitOk;
    case Code::bad_argument:
      return kExitUsage;
    case Code::bad_file:
    case Code::unsupported:
    case Code::no_memory:  // the model asks for more than this machine has
    case Code::needs_value:
      return kExitModel;
    case Code::io:
      return kExitIo;
    case Code::internal:
      return kExitInternal;
  }
  return kExitInternal;
}

int report(const char* command, const Status& status) {
  std::fprintf(stderr, "pith %s: %s%s\n", command, status.code() == Code::internal ? "internal error: " : "",
               status.message().c_str());
  return exit_code_of(status.code());
}

}  // namespace pith::cli
