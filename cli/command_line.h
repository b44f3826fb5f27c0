// Describes a subcommand's options; the parsing itself (CLI11) stays in command_line.cc, so that the commands
// compile quickly.
//   CommandLine line(app, "bench", "Measure latency and memory");
//   line.argument("MODEL", &options->model, "Model to measure");
//   line.count("--threads", &options->threads, 1, 1024, "Threads");
//   line.examples("  pith bench model.pith");
//   line.run([options, exit_code] { *exit_code = bench(*options); });
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pith::cli {

class CommandLine {
 public:
  CommandLine(CLI::App& app, const char* name, const char* summary);
  // A required positional argument.
  void argument(const char* name, std::string* value, const char* help);
  void required(const char* names, std::string* value, const char* type, const char* help);
  void text(const char* names, std::string* value, const char* type, const char* help);
  // May be given several times, one value each.
  void texts(const char* names, std::vector<std::string>* values, const char* type, const char* help);
  void count(const char* names, size_t* value, size_t least, size_t most, const char* help);
  void real(const char* names, double* value, double least, double most, const char* help);
  void flag(const char* names, bool* value, const char* help);
  // Shown at the end of --help.
  void examples(const char* text);
  // Called when this command was given and parsed.
  void run(std::function<void()> action);

 private:
  CLI::App* command_;
};

}  // namespace pith::cli
