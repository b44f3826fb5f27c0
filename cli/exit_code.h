// Exit codes of the pith program (docs/cli.md) and how a failed command reports itself.
#pragma once
#include "runtime/base/status.h"

namespace pith::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitInternal = 1,
  kExitUsage = 2,
  kExitModel = 3,     // bad or unsupported input model
  kExitAccuracy = 4,  // accuracy gate failed, conformance failed
  kExitData = 5,      // data cannot decide, calibration unusable
  kExitBudget = 6,    // slower or larger than allowed
  kExitIo = 7,
  kExitDiffers = 8,  // diff: the two models are not the same
};

int exit_code_of(Code code);
// Prints "pith COMMAND: message" on stderr; returns the exit code.
int report(const char* command, const Status& status);

}  // namespace pith::cli
