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
#include <memory>
#include <string>
#include <vector>

#include "cli/option_table.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pith::cli {

class CommandLine {
 public:
  CommandLine(CLI::App& app, const char* name, const char* summary);
  // Required options may also come from a recipe: whoever applies it checks them (option_table.h). Before all else.
  void leave_required() { leave_required_ = true; }
  // Of all options described so far; its rows stay valid as long as the program's options.
  std::shared_ptr<const std::vector<OptionRow>> options() const { return options_; }
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
  void remember(CLI::Option* option, OptionRow::Kind kind, void* value, double least = 0, double most = 0,
                bool required = false);
  CLI::App* command_;
  bool leave_required_ = false;
  std::shared_ptr<std::vector<OptionRow>> options_ = std::make_shared<std::vector<OptionRow>>();
};

}  // namespace pith::cli
