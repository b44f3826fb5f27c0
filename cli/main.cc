// The pith program: parses the command line and hands over to one subcommand.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/commands.h"
#include "cli/exit_code.h"

namespace {

bool has_command(const CLI::App& app, const char* name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() == name) return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace pith::cli;
  CLI::App app("Pith: compresses neural networks into one small file and runs them from it.", "pith");
  app.set_version_flag("--version", "pith " PITH_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad or unsupported model, 4 accuracy gate failed,\n"
      "            5 data cannot decide, 6 slower or larger than allowed, 7 input/output error,\n"
      "            8 two models differ (diff).\n"
      "pith COMMAND --help explains one command with examples.");
  int exit_code = kExitOk;
  add_convert(app, &exit_code);
  add_compress(app, &exit_code);
  add_run(app, &exit_code);
  add_bench(app, &exit_code);
  add_tune(app, &exit_code);
  add_inspect(app, &exit_code);
  add_explain(app, &exit_code);
  add_diff(app, &exit_code);
  add_eval(app, &exit_code);
  add_compare(app, &exit_code);
  add_verify(app, &exit_code);
  add_conformance(app, &exit_code);
  if (argc > 1 && argv[1][0] != '-' && !has_command(app, argv[1])) {
    std::fprintf(stderr, "pith: unknown command '%s'; pith --help lists the commands\n", argv[1]);
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pith: internal error: %s\n", error.what());
    return kExitInternal;
  }
  return exit_code;
}
