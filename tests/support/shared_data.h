// Where the real data lives: the folder named by PITH_SHARED, else ../shared beside the folder the tests run
// for (searched upwards from the working folder). Tests that need it skip loudly without it:
//   const std::string root = shared_data(); PITH_SKIP_WITHOUT(root);
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace pith::test {

// The folder that holds data/, or "".
inline std::string shared_data() {
  namespace fs = std::filesystem;
  if (const char* set = std::getenv("PITH_SHARED")) return fs::exists(fs::path(set) / "data") ? set : "";
  std::error_code ignored;
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path())
    if (fs::exists(at / "shared" / "data", ignored)) return (at / "shared").string();
  return "";
}

// A file of the repository, searched upwards from the working folder (ctest runs tests in the repository's root).
inline std::string project_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path())
    if (fs::exists(at / path, ignored)) return (at / path).string();
  return path;
}

}  // namespace pith::test

#define PITH_SKIP_WITHOUT(root)                                                                \
  do {                                                                                         \
    if ((root).empty()) {                                                                      \
      MESSAGE("SKIPPED: real data not found; set PITH_SHARED to the folder that holds data/"); \
      return;                                                                                  \
    }                                                                                          \
  } while (0)
