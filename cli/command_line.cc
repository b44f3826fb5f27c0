// CommandLine by CLI11.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>

namespace pith::cli {

CommandLine::CommandLine(CLI::App& app, const char* name, const char* summary)
    : command_(app.add_subcommand(name, summary)) {}

void CommandLine::argument(const char* name, std::string* value, const char* help) {
  command_->add_option(name, *value, help)->required()->type_name("");
}

void CommandLine::required(const char* names, std::string* value, const char* type, const char* help) {
  command_->add_option(names, *value, help)->required()->type_name(type);
}

void CommandLine::text(const char* names, std::string* value, const char* type, const char* help) {
  command_->add_option(names, *value, help)->type_name(type);
}

void CommandLine::texts(const char* names, std::vector<std::string>* values, const char* type,
                        const char* help) {
  command_->add_option(names, *values, help)->type_name(type)->expected(1)->take_all();
}

void CommandLine::count(const char* names, size_t* value, size_t least, size_t most, const char* help) {
  command_->add_option(names, *value, help)->check(CLI::Range(least, most))->type_name("N");
}

void CommandLine::real(const char* names, double* value, double least, double most, const char* help) {
  command_->add_option(names, *value, help)->check(CLI::Range(least, most))->type_name("X");
}

void CommandLine::flag(const char* names, bool* value, const char* help) {
  command_->add_flag(names, *value, help);
}

void CommandLine::examples(const char* text) { command_->footer(text); }

void CommandLine::run(std::function<void()> action) { command_->callback(std::move(action)); }

}  // namespace pith::cli
