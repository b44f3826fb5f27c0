// Draws "label [####    ]  3/10" over itself.
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

namespace pith::cli {
namespace {

constexpr uint64_t kRedrawMs = 50;

uint64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

Progress::Progress(std::string label) : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::update(size_t done, size_t total) {
  if (!terminal_ || total == 0) return;
  const uint64_t now = now_ms();
  if (drawn_ && done != total && now - last_ms_ < kRedrawMs) return;
  constexpr size_t kWidth = 30;
  const size_t filled = kWidth * done / total;
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, ' ');
  fprintf(stderr, "\r%s [%s] %zu/%zu\x1b[K", label_.c_str(), bar.c_str(), done, total);
  fflush(stderr);
  drawn_ = true;
  last_ms_ = now;
}

void Progress::finish() {
  if (!drawn_) return;
  fputs("\r\x1b[K", stderr);
  fflush(stderr);
  drawn_ = false;
}

}  // namespace pith::cli
