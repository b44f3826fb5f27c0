// The command line itself: help, version, mistakes in arguments.
#include <doctest/doctest.h>

#include <cctype>
#include <set>

#include "tests/support/run_program.h"

using namespace pith::test;

namespace {

// The distinct "--option" words of a text.
std::set<std::string> options_in(const std::string& text) {
  std::set<std::string> found;
  for (size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
    size_t end = at + 2;
    while (end < text.size() &&
           (std::islower(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-'))
      ++end;
    if (end > at + 3 && (at == 0 || text[at - 1] != '-')) found.insert(text.substr(at, end - at));
    at = end;
  }
  std::erase_if(found,
                [](const std::string& word) { return word.find_first_not_of('-') == std::string::npos; });
  return found;
}

}  // namespace

TEST_CASE("docs/cli.md and --help name the same options of every command") {
  const std::string page = slurp("docs/cli.md");
  for (const std::string command : {"convert", "run", "eval", "compare", "bench", "inspect", "explain",
                                    "diff", "verify", "conformance"}) {
    CAPTURE(command);
    const size_t begin = page.find("\n## pith " + command + "\n");
    REQUIRE(begin != std::string::npos);
    std::set<std::string> told = options_in(page.substr(begin, page.find("\n## ", begin + 1) - begin));
    const std::string help = run_pith({command, "--help"}).out;
    std::set<std::string> known = options_in(help.substr(0, help.find("Examples:")));
    known.erase("--help");
    for (const std::string& option : known) {
      CAPTURE(option);
      CHECK(told.count(option) == 1);
    }
    for (const std::string& option : told) {
      CAPTURE(option);
      CHECK(known.count(option) == 1);
    }
  }
}

TEST_CASE("every command explains itself with examples and exits with 0") {
  for (const char* command : {"convert", "run", "eval", "compare", "bench", "inspect", "explain", "diff",
                              "verify", "conformance"}) {
    CAPTURE(command);
    const Ran r = run_pith({command, "--help"});
    CHECK(r.code == 0);
    CHECK(contains(r.out, "Examples:\n  pith "));
    CHECK(contains(r.out, "--json"));
  }
}

TEST_CASE("help without a command lists the commands and the exit codes") {
  const Ran r = run_pith({"--help"});
  CHECK(r.code == 0);
  for (const char* part : {"convert", "run", "eval", "compare", "bench", "inspect", "explain", "diff",
                           "conformance", "7 input/output error"})
    CHECK(contains(r.out, part));
}

TEST_CASE("the version is one line") {
  const Ran r = run_pith({"--version"});
  CHECK(r.code == 0);
  CHECK(contains(r.out, "pith 0."));
}

TEST_CASE("mistakes on the command line exit with 2 and say what is wrong") {
  struct Mistake {
    std::vector<std::string> arguments;
    const char* says;
  };
  const Mistake mistakes[] = {
      {{}, "required"},
      {{"frobnicate"}, "frobnicate"},
      {{"convert"}, "MODEL"},
      {{"convert", "model.onnx"}, "--output"},
      {{"convert", "model.onnx", "-o", "x.pith", "--precision", "int7"}, "int7"},
      {{"convert", "model.onnx", "-o", "x.pith", "--precision", "int8"}, "--calibrate"},
      {{"convert", "model.onnx", "-o", "x.pith", "--calibrate", "data"}, "no effect"},
      {{"convert", "model.onnx", "-o", "x.pith", "--shape", "a=1,,2"}, "a=1,,2"},
      {{"convert", "model.onnx", "-o", "x.pith", "--shape", "a=0"}, "positive"},
      {{"convert", "model.onnx", "-o", "x.pith", "--shape", "1,2"}, "NAME="},
      {{"convert", "model.txt", "-o", "x.pith"}, ".onnx"},
      {{"bench", "model.pith", "--threads", "0"}, "--threads"},
      {{"run", "model.pith", "--nonsense"}, "--nonsense"},
  };
  for (const Mistake& m : mistakes) {
    const Ran r = run_pith(m.arguments);
    CAPTURE(m.says);
    CAPTURE(r.err);
    CHECK(r.code == 2);
    CHECK(contains(r.err, m.says));
  }
}

TEST_CASE("an unknown PITH_BACKEND is refused by name") {
  const Ran r = run_pith({"conformance", "tests/data/onnx"}, {.environment = {{"PITH_BACKEND", "abacus"}}});
  CHECK(r.code == 2);
  CHECK(contains(r.err, "abacus"));
}
