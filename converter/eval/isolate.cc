// fork, a pipe for the result, an alarm for hangs.
#include "converter/eval/isolate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pith {
namespace {

[[noreturn]] void run_child(const std::function<std::string()>& work, const IsolateLimits& limits, int pipe) {
  signal(SIGALRM, SIG_DFL);
  alarm(limits.seconds);
  if (limits.memory_bytes > 0) {
    const rlimit limit{limits.memory_bytes, limits.memory_bytes};
    setrlimit(RLIMIT_AS, &limit);
  }
  const std::string text = work();
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(pipe, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) _exit(2);
    if (n > 0) done += static_cast<size_t>(n);
  }
  _exit(0);
}

std::string read_to_end(int pipe) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(pipe, buffer, sizeof buffer);
    if (n > 0)
      text.append(buffer, static_cast<size_t>(n));
    else if (n == 0 || errno != EINTR)
      return text;
  }
}

}  // namespace

IsolatedOutcome run_isolated(const std::function<std::string()>& work, const IsolateLimits& limits) {
  int ends[2];
  if (pipe(ends) != 0) return {false, std::string("cannot make a pipe: ") + strerror(errno)};
  fflush(nullptr);  // the child must not print our buffered output again
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return {false, std::string("cannot start a process: ") + strerror(errno)};
  }
  if (child == 0) {
    close(ends[0]);
    run_child(work, limits, ends[1]);
  }
  close(ends[1]);
  std::string text = read_to_end(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {true, std::move(text)};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return {false, "hung: no result after " + std::to_string(limits.seconds) + " s"};
  if (WIFSIGNALED(status)) return {false, std::string("crashed: ") + strsignal(WTERMSIG(status))};
  return {false, "crashed: exit code " + std::to_string(WEXITSTATUS(status))};
}

}  // namespace pith
