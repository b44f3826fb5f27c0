// draw_digits OUT_DIR --count N --seed S: writes a dataset folder of drawn digits. Exit codes as in pith: 2
// usage, 7 files.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "examples/digits/digit_dataset.h"

namespace {

constexpr char kHelp[] =
    "draw_digits OUT_DIR [--count N] [--seed S]\n"
    "Draws 28x28 grey pictures of hand-like digits and writes OUT_DIR/inputs.npy (float32 [N,1,28,28], "
    "0..1)\n"
    "and OUT_DIR/labels.npy (int64 [N]). The same count and seed give the same bytes on every machine.\n"
    "\n"
    "  --count N   pictures to draw, 1 to 10000000 (default 1000)\n"
    "  --seed S    which pictures, 0 to 2^64-1 (default 1); seeds 1, 2 and 3 trained, tuned and tested "
    "digits.onnx\n"
    "  --help      this text\n"
    "\n"
    "Examples:\n"
    "  draw_digits build/digits-test --count 10000 --seed 3\n"
    "  draw_digits build/digits-calibration --count 512 --seed 4\n"
    "  pith eval digits.pith --data build/digits-test\n";

struct Request {
  std::string folder;
  uint64_t count = 1000, seed = 1;
};

bool parse_number(const char* text, uint64_t& out) {
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, out);
  return error == std::errc{} && stop == end;
}

// Empty when understood; otherwise what is wrong.
std::string parse(int argc, char** argv, Request& request) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--count" || word == "--seed") {
      if (++i == argc) return word + " needs a number";
      if (!parse_number(argv[i], word == "--seed" ? request.seed : request.count))
        return word + " needs a whole number, not '" + argv[i] + "'";
    } else if (word.starts_with("-")) {
      return "unknown option '" + word + "'";
    } else if (!request.folder.empty()) {
      return "one folder at a time: '" + request.folder + "' or '" + word + "'";
    } else {
      request.folder = word;
    }
  }
  if (request.folder.empty()) return "which folder shall the pictures go to?";
  if (request.count == 0 || request.count > pith::examples::kMaxDigitCount)
    return "--count must be 1 to 10000000";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-h") == 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
  }
  Request request;
  if (const std::string wrong = parse(argc, argv, request); !wrong.empty()) {
    std::fprintf(stderr, "draw_digits: %s (see draw_digits --help)\n", wrong.c_str());
    return 2;
  }
  const std::string failure =
      pith::examples::write_digit_dataset(request.folder, request.count, request.seed);
  if (failure.empty()) return 0;
  std::fprintf(stderr, "draw_digits: %s\n", failure.c_str());
  return 7;
}
