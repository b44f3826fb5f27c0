// Progress: a bar on stderr while a command works. Silent unless stderr is a terminal.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace pith::cli {

class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(size_t done, size_t total);  // cheap: draws at most 20 times a second
  void finish();                           // removes the bar

 private:
  std::string label_;
  bool terminal_ = false, drawn_ = false;
  uint64_t last_ms_ = 0;
};

}  // namespace pith::cli
