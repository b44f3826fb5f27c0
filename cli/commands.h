// One function per subcommand: adds it to the program, and stores its exit code when it was run.
#pragma once

namespace CLI {
class App;
}

namespace pith::cli {

void add_compress(CLI::App& app, int* exit_code);
void add_convert(CLI::App& app, int* exit_code);
void add_run(CLI::App& app, int* exit_code);
void add_bench(CLI::App& app, int* exit_code);
void add_inspect(CLI::App& app, int* exit_code);
void add_tune(CLI::App& app, int* exit_code);
void add_eval(CLI::App& app, int* exit_code);
void add_explain(CLI::App& app, int* exit_code);
void add_diff(CLI::App& app, int* exit_code);
void add_compare(CLI::App& app, int* exit_code);
void add_verify(CLI::App& app, int* exit_code);
void add_conformance(CLI::App& app, int* exit_code);

}  // namespace pith::cli
