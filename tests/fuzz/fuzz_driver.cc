// Runs a fuzz target where the compiler brings no libFuzzer: seeded mutations of small files, for a given time.
//   TARGET [--seconds N] [--seed S] [--artifact FILE] FILE_OR_FOLDER...    one file and --seconds 0: that input once
// An input that crashes, raises a sanitizer report, or takes more than kInputSeconds is written to the artifact file.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                                                unsigned seed);
extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();
// A report aborts, so that the input is kept; one allocation above 1 GiB is a finding too.
extern "C" const char* __asan_default_options() { return "abort_on_error=1:max_allocation_size_mb=1024"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

namespace {

constexpr size_t kMaxInput = size_t{64} << 10;
constexpr unsigned kInputSeconds = 30;  // of one input: more is a hang
constexpr long kMaxResidentKb = 1 << 20;

const uint8_t* g_input = nullptr;
size_t g_size = 0;
std::string g_artifact;

void save_input() {
  const int file = open(g_artifact.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  const bool written = write(file, g_input, g_size) == static_cast<ssize_t>(g_size);
  close(file);
  fprintf(stderr, "fuzz: the input %s in %s\n", written ? "is" : "could not be written whole",
          g_artifact.c_str());
}

void on_signal(int signal_number) {
  fprintf(stderr, "fuzz: %s\n",
          signal_number == SIGALRM ? "one input takes too long" : strsignal(signal_number));
  save_input();
  _exit(1);
}

// Without a sanitizer: faults too, on a stack of their own, for the usual one may be what overflowed.
void catch_faults() {
  static uint8_t stack[64 << 10];
  stack_t own{};
  own.ss_sp = stack;
  own.ss_size = sizeof stack;
  sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(fault, &action, nullptr);
}

using Bytes = std::vector<uint8_t>;

void mutate_bytes(Bytes* bytes, std::mt19937& random) {
  constexpr uint32_t kOdd[] = {0,      1,      0x7f,    0x80,       0xff,       0x100,
                               0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
  for (uint32_t n = 1u << random() % 5; n > 0 && !bytes->empty(); --n) {
    const size_t at = random() % bytes->size();
    const uint32_t odd = kOdd[random() % std::size(kOdd)];
    switch (random() % 8) {
      case 0:
        (*bytes)[at] = static_cast<uint8_t>(random());
        break;
      case 1:
        (*bytes)[at] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      case 2:  // a small step: dims, indices and offsets by one or two
        (*bytes)[at] = static_cast<uint8_t>((*bytes)[at] + random() % 5 - 2);
        break;
      case 3:
      case 4:
      case 5: {
        const size_t width = size_t{1} << random() % 3;
        const size_t place = at / width * width;
        std::memcpy(bytes->data() + place, &odd, std::min(width, bytes->size() - place));
        break;
      }
      case 6: {  // a piece of the file moves
        const size_t from = random() % bytes->size(),
                     length = std::min<size_t>(1 + random() % 32, bytes->size() - std::max(at, from));
        std::memmove(bytes->data() + at, bytes->data() + from, length);
        break;
      }
      default:
        if (random() % 8 == 0) bytes->resize(at);
    }
  }
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(file)), {});
}

void run_one(const Bytes& input) {
  g_input = input.data();
  g_size = input.size();
  alarm(kInputSeconds);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  alarm(0);
}

std::vector<Bytes> read_corpus(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.emplace_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".pith" || extension == ".onnx") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());  // the same seed, the same run
  std::vector<Bytes> corpus;
  for (const auto& file : files)
    if (Bytes bytes = read_file(file); !bytes.empty() && bytes.size() <= kMaxInput)
      corpus.push_back(std::move(bytes));
  return corpus;
}

Bytes mutated(const Bytes& original, std::mt19937& random) {
  Bytes input = original;
  if (LLVMFuzzerCustomMutator != nullptr && random() % 4 != 0) {
    input.resize(kMaxInput);
    const size_t size = LLVMFuzzerCustomMutator(input.data(), original.size(), kMaxInput, random());
    input.resize(size);
    if (size > 0) return input;
    input = original;
  }
  mutate_bytes(&input, random);
  return input;
}

int fuzz(const std::vector<Bytes>& corpus, double seconds, unsigned seed) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::mt19937 random(seed);
  size_t runs = 0;
  for (const Bytes& input : corpus) run_one(input), ++runs;
  while (Clock::now() < end) run_one(mutated(corpus[random() % corpus.size()], random)), ++runs;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  printf("fuzz: %zu inputs from %zu files, seed %u, at most %ld MB resident\n", runs, corpus.size(), seed,
         usage.ru_maxrss / 1024);
  return usage.ru_maxrss > kMaxResidentKb ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 5;
  unsigned seed = 1;
  std::vector<std::string> paths;
  g_artifact = "fuzz-finding.bin";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seconds" && i + 1 < argc)
      seconds = std::atof(argv[++i]);
    else if (word == "--seed" && i + 1 < argc)
      seed = static_cast<unsigned>(std::atoi(argv[++i]));
    else if (word == "--artifact" && i + 1 < argc)
      g_artifact = argv[++i];
    else
      paths.push_back(word);
  }
  signal(SIGALRM, on_signal);
  signal(SIGABRT, on_signal);
  if (!kSanitized) catch_faults();
  const std::vector<Bytes> corpus = read_corpus(paths);
  if (corpus.empty()) {
    fprintf(stderr, "fuzz: no input of at most %zu bytes in what was named\n", kMaxInput);
    return 2;
  }
  return fuzz(corpus, seconds, seed);
}
