// CommandLine by CLI11.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pith::cli {

CommandLine::CommandLine(CLI::App& app, const char* name, const char* summary)
    : command_(app.add_subcommand(name, summary)) {}

// "-o,--output" is the row "output", the argument MODEL is the row "model".
void CommandLine::remember(CLI::Option* option, OptionRow::Kind kind, void* value, double least, double most,
                           bool required) {
  if (required && !leave_required_) option->required();
  const std::vector<std::string>& names = option->get_lnames();
  std::string key = names.empty() ? option->get_name() : names.front();
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  options_->push_back({key, kind, value, least, most, required, [option] { return option->count() > 0; }});
}

void CommandLine::argument(const char* name, std::string* value, const char* help) {
  remember(command_->add_option(name, *value, help)->type_name(""), OptionRow::Kind::text, value, 0, 0, true);
}

void CommandLine::required(const char* names, std::string* value, const char* type, const char* help) {
  remember(command_->add_option(names, *value, help)->type_name(type), OptionRow::Kind::text, value, 0, 0,
           true);
}

void CommandLine::text(const char* names, std::string* value, const char* type, const char* help) {
  remember(command_->add_option(names, *value, help)->type_name(type), OptionRow::Kind::text, value);
}

void CommandLine::texts(const char* names, std::vector<std::string>* values, const char* type,
                        const char* help) {
  remember(command_->add_option(names, *values, help)->type_name(type)->expected(1)->take_all(),
           OptionRow::Kind::texts, values);
}

void CommandLine::count(const char* names, size_t* value, size_t least, size_t most, const char* help) {
  remember(command_->add_option(names, *value, help)->check(CLI::Range(least, most))->type_name("N"),
           OptionRow::Kind::count, value, static_cast<double>(least), static_cast<double>(most));
}

void CommandLine::real(const char* names, double* value, double least, double most, const char* help) {
  remember(command_->add_option(names, *value, help)->check(CLI::Range(least, most))->type_name("X"),
           OptionRow::Kind::real, value, least, most);
}

void CommandLine::flag(const char* names, bool* value, const char* help) {
  remember(command_->add_flag(names, *value, help), OptionRow::Kind::flag, value);
}

void CommandLine::examples(const char* text) { command_->footer(text); }

void CommandLine::run(std::function<void()> action) { command_->callback(std::move(action)); }

}  // namespace pith::cli
