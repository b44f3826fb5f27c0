// Runs the built pith program as a user would: arguments in, exit code and both streams out.
//   const Ran r = run_pith({"convert", "x.onnx", "-o", out});   r.code, r.out, r.err
#pragma once
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace pith::test {

struct Ran {
  int code = -1;  // exit code; 128 + signal when it was killed
  std::string out, err;
};

struct RunLimits {
  uint64_t file_bytes = 0;    // largest file it may write (a full disk); 0: no limit
  uint64_t memory_bytes = 0;  // of address space
  unsigned seconds = 120;
  std::vector<std::pair<std::string, std::string>> environment = {};
};

inline void set_limit(__rlimit_resource_t what, uint64_t value) {
  const rlimit limit{value, value};
  if (value > 0) setrlimit(what, &limit);
}

inline Ran run_program(const std::string& program, const std::vector<std::string>& arguments,
                       const RunLimits& limits = {}) {
  const TempFolder folder;
  const std::string out = folder / "stdout", err = folder / "stderr";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), 1);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), 2);
    for (const auto& [name, value] : limits.environment) setenv(name.c_str(), value.c_str(), 1);
    signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit then fails with EFBIG, like ENOSPC on a full disk
    set_limit(RLIMIT_FSIZE, limits.file_bytes);
    set_limit(RLIMIT_AS, limits.memory_bytes);
    alarm(limits.seconds);
    execv(argv[0], argv.data());
    _exit(126);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out), slurp(err)};
}

#ifdef PITH_PROGRAM
inline Ran run_pith(const std::vector<std::string>& arguments, const RunLimits& limits = {}) {
  return run_program(PITH_PROGRAM, arguments, limits);
}
inline Ran run_on_board(const std::vector<std::string>& arguments, const RunLimits& limits = {}) {
  return run_program(PITH_RUN_PROGRAM, arguments, limits);
}
#endif

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace pith::test
