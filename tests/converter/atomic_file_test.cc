// AtomicFile: all or nothing.
#include "converter/data/atomic_file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_folder.h"

using namespace pith;
using namespace pith::data;
using pith::test::slurp;
using pith::test::TempFolder;

namespace {

// Makes writes beyond `bytes` fail with EFBIG for the life of the object, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now = old_;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("atomic file: the path shows nothing before commit and all of it after") {
  TempFolder folder;
  const std::string path = folder / "out.bin";
  Result<AtomicFile> made = AtomicFile::create(path);
  REQUIRE(made.is_ok());
  AtomicFile& file = made.value();
  REQUIRE(file.append("abc", 3).is_ok());
  REQUIRE(file.pad_to(8).is_ok());
  REQUIRE(file.append("XYZ", 3).is_ok());
  REQUIRE(file.write_at(1, "-", 1).is_ok());
  char back[3] = {};
  REQUIRE(file.read_at(8, back, 3).is_ok());
  CHECK(std::string(back, 3) == "XYZ");
  CHECK(file.size() == 11);
  CHECK(access(path.c_str(), F_OK) != 0);
  REQUIRE(file.commit().is_ok());
  CHECK(slurp(path) == std::string("a-c\0\0\0\0\0XYZ", 11));
  CHECK(folder.file_count() == 1);
  CHECK(file.append("more", 4).code() == Code::bad_argument);
}

TEST_CASE("atomic file: dropped without commit, the old content stays and no temporary is left") {
  TempFolder folder;
  const std::string path = folder.write("out.bin", "old");
  {
    Result<AtomicFile> file = AtomicFile::create(path);
    REQUIRE(file.is_ok());
    REQUIRE(file.value().append(std::string(1 << 20, 'n').data(), 1 << 20).is_ok());
  }
  CHECK(slurp(path) == "old");
  CHECK(folder.file_count() == 1);
}

TEST_CASE("atomic file: replacing keeps the permissions, and a link keeps pointing at the replaced file") {
  TempFolder folder;
  const std::string path = folder.write("real.bin", "old");
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  REQUIRE(symlink(path.c_str(), (folder / "link.bin").c_str()) == 0);
  REQUIRE(write_file_atomically(folder / "link.bin", "new", 3).is_ok());
  CHECK(slurp(path) == "new");
  struct stat info;
  REQUIRE(lstat((folder / "link.bin").c_str(), &info) == 0);
  CHECK(S_ISLNK(info.st_mode));
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("atomic file: a full disk in the middle gives an io error and leaves the folder as it was") {
  TempFolder folder;
  const std::string path = folder.write("out.bin", "old");
  Status status;
  {
    FileSizeLimit limit(1 << 20);
    Result<AtomicFile> file = AtomicFile::create(path);
    REQUIRE(file.is_ok());
    const std::string block(300000, 'x');
    for (int i = 0; i < 10 && status.is_ok(); ++i) status = file.value().append(block.data(), block.size());
    CHECK(file.value().commit().code() == Code::bad_argument);  // closed by the failure
  }
  CHECK(status.code() == Code::io);
  CHECK(status.message().find("out.bin") != std::string::npos);
  CHECK(slurp(path) == "old");
  CHECK(folder.file_count() == 1);
}

TEST_CASE("atomic file: a disk that fills in the last buffered bytes is noticed by commit") {
  TempFolder folder;
  {
    FileSizeLimit limit(100);
    Result<AtomicFile> file = AtomicFile::create(folder / "out.bin");
    REQUIRE(file.is_ok());
    REQUIRE(file.value().append(std::string(200, 'x').data(), 200).is_ok());
    CHECK(file.value().commit().code() == Code::io);
  }
  CHECK(folder.file_count() == 0);
}

TEST_CASE("atomic file: missing folders, files as folders, folders and devices as targets are refused") {
  TempFolder folder;
  folder.write("file", "x");
  for (const std::string& path : {folder / "none/out.bin", folder / "file/out.bin", folder.path(),
                                  std::string("/dev/null"), std::string("/proc/out.bin")}) {
    CAPTURE(path);
    Result<AtomicFile> file = AtomicFile::create(path);
    REQUIRE_FALSE(file.is_ok());
    CHECK(file.status().code() == Code::io);
    CHECK(file.status().message().find(path) != std::string::npos);
  }
  CHECK(AtomicFile::create("").status().code() == Code::bad_argument);
  CHECK(access("/dev/null", F_OK) == 0);
}

TEST_CASE("atomic file: holes make files beyond 4 GiB cheap, and patches stay inside") {
  TempFolder folder;
  const std::string path = folder / "big.bin";
  Result<AtomicFile> file = AtomicFile::create(path);
  REQUIRE(file.is_ok());
  const uint64_t far = (uint64_t{5} << 30) + 1;
  REQUIRE(file.value().append("a", 1).is_ok());
  REQUIRE(file.value().extend_to(far).is_ok());
  CHECK(file.value().extend_to(1).code() == Code::bad_argument);
  REQUIRE(file.value().pad_to(65536).is_ok());
  REQUIRE(file.value().append("z", 1).is_ok());
  CHECK(file.value().write_at(file.value().size(), "q", 1).code() == Code::bad_argument);
  CHECK(file.value().write_at(~uint64_t{0}, "q", 1).code() == Code::bad_argument);
  REQUIRE(file.value().commit().is_ok());
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK(static_cast<uint64_t>(info.st_size) == (uint64_t{5} << 30) + 65536 + 1);
  CHECK(info.st_blocks < 1000);  // 512-byte blocks: two pages, not 5 GiB
}
