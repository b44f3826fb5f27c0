// Judges this build by models with reference results: import, optimize, emit, open, run, compare.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "converter/eval/model_tests.h"
#include "runtime/exec/dispatch.h"

namespace pith {

enum class Verdict { passed, failed, unsupported, no_reference };
const char* name_of(Verdict verdict);

struct ConformanceOptions {
  std::string filter;  // only tests whose name contains it
  BackendChoice backend = BackendChoice::automatic;
  size_t threads = 1;
  bool optimize = true;  // run the passes
  size_t seconds = 120;  // a test that takes longer failed
};

struct ConformanceTest {
  std::string name;
  Verdict verdict = Verdict::failed;
  std::string reason;  // of anything but passed
};

// One test in this process. no_reference: it converts and runs, but nothing says what is right.
ConformanceTest run_model_test(const ModelTest& test, const ConformanceOptions& options);

// Every test below `folder`, each in its own process; `done` is told of each as (finished, total, test).
using ConformanceProgress = std::function<void(size_t, size_t, const ConformanceTest&)>;
Result<std::vector<ConformanceTest>> run_conformance(const std::string& folder,
                                                     const ConformanceOptions& options,
                                                     const ConformanceProgress& done);

}  // namespace pith
