// Files above 4 GiB: opened, verified and run where addresses have 64 bits, refused by name where they have 32.
#if !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64
#endif
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/exec/session.h"
#include "tests/support/file_maker.h"
#include "tests/support/temp_folder.h"

using namespace pith;

namespace {

constexpr uint64_t kFar = (uint64_t{4} << 30) + 4096;  // where the second tensor lies in its segment
constexpr uint64_t kSegmentBytes = kFar + 128 + file::kSegmentTail;
constexpr float kNear[4] = {1, 2, 3, 4}, kBeyond[4] = {10, 20, 30, 40};

std::unique_ptr<schema::TensorT> tensor(const char* name) {
  auto t = std::make_unique<schema::TensorT>();
  t->name = name;
  t->dtype = schema::DType::f32;
  t->dims = {4};
  return t;
}

std::unique_ptr<schema::OperatorT> add(const char* name, int32_t a, int32_t b, int32_t out) {
  auto op = std::make_unique<schema::OperatorT>();
  op->name = name;
  op->options.Set(schema::BinaryOptionsT{});  // the default kind is add
  op->inputs = {a, b};
  op->outputs = {out};
  return op;
}

// sum = x + near + beyond, the one constant at the start of the segment, the other after more than 4 GiB of zeros.
schema::ProgramT two_additions() {
  schema::ProgramT program;
  for (const char* name : {"x", "near", "beyond", "part", "sum"}) program.tensors.push_back(tensor(name));
  for (size_t i : {1, 2}) {
    program.tensors[i]->data = std::make_unique<schema::WeightRefT>();
    program.tensors[i]->data->offset = i == 1 ? 0 : kFar;
    program.tensors[i]->data->length = sizeof kNear;
  }
  program.blocks.push_back(std::make_unique<schema::BlockT>());
  program.blocks[0]->operators.push_back(add("first", 0, 1, 3));
  program.blocks[0]->operators.push_back(add("second", 3, 2, 4));
  program.entry_points.push_back(std::make_unique<schema::EntryPointT>());
  program.entry_points[0]->name = "main";
  program.entry_points[0]->inputs = {0};
  program.entry_points[0]->outputs = {4};
  return program;
}

void write_at(int file, uint64_t offset, const void* bytes, size_t size) {
  REQUIRE(pwrite(file, bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size));
}

// A file of holes: the test moves bytes, not gigabytes. Weights this large are not hashed on opening, so that the hash
// of the segment may stay 0. False where the disk does not take it.
bool write_sparse(const std::string& path) {
  const test::FileHead head(two_additions(), kSegmentBytes, 0);
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  const bool fits = ftruncate(file, static_cast<off_t>(head.header.file_bytes)) == 0;
  if (fits) {
    write_at(file, 0, head.bytes.data(), head.bytes.size());
    write_at(file, head.segment.offset, kNear, sizeof kNear);
    write_at(file, head.segment.offset + kFar, kBeyond, sizeof kBeyond);
    struct stat info {};
    REQUIRE(fstat(file, &info) == 0);
    CHECK(static_cast<uint64_t>(info.st_size) > uint64_t{4} << 30);
    CHECK(info.st_blocks < (int64_t{16} << 20) / 512);  // sparse indeed
  }
  close(file);
  return fits;
}

}  // namespace

TEST_CASE("files above 4 GiB: a tensor beyond the fourth gigabyte is read in place") {
  const test::TempFolder folder;
  const std::string path = folder / "large.pith";
  if (!write_sparse(path)) {
    MESSAGE("SKIPPED: the temporary folder's file system takes no file of 4 GiB");
    return;
  }
  const auto model = Model::open(path.c_str());
  if constexpr (sizeof(size_t) < 8) {
    REQUIRE(!model.is_ok());
    CHECK(model.status().code() == Code::unsupported);
    CAPTURE(model.status().message());
    CHECK(model.status().message().find("4295") != std::string::npos);  // its size
    CHECK(model.status().message().find("64-bit") != std::string::npos);
  } else {
    REQUIRE_MESSAGE(model.is_ok(), model.status().message());
    CHECK(model.value()->tensors()[2].data ==
          model.value()->bytes().data() + model.value()->segments()[0].offset + kFar);
    const auto session = Session::create(model.value(), {});
    REQUIRE(session.is_ok());
    REQUIRE(session.value()->prepare().is_ok());
    const float x[4] = {0.5, 0.25, 0, -1};
    std::memcpy(session.value()->input(0).data, x, sizeof x);
    REQUIRE(session.value()->run().is_ok());
    for (int i = 0; i < 4; ++i)
      CHECK(session.value()->output(0).as<float>()[i] == x[i] + kNear[i] + kBeyond[i]);
    CHECK(session.value()->memory().arena_bytes < 1 << 20);
  }
}

TEST_CASE("files above 4 GiB: a truncated one and a tensor past the end are refused") {
  if constexpr (sizeof(size_t) == 8) {
    const test::TempFolder folder;
    const std::string path = folder / "large.pith";
    if (!write_sparse(path)) return;
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(uint64_t{4} << 30)) == 0);
    const auto cut = Model::open(path.c_str());
    CHECK(cut.status().code() == Code::bad_file);
    CHECK(cut.status().message().find("truncated") != std::string::npos);

    schema::ProgramT program = two_additions();
    program.tensors[2]->data->offset = UINT64_MAX - 127;  // a sum that wraps around
    const test::FileHead head(program, kSegmentBytes, 0);
    REQUIRE(truncate(path.c_str(), static_cast<off_t>(head.header.file_bytes)) == 0);
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    write_at(file, 0, head.bytes.data(), head.bytes.size());
    close(file);
    const auto wraps = Model::open(path.c_str());
    CHECK(wraps.status().code() == Code::bad_file);
    CHECK(wraps.status().message().find("'beyond' leaves its segment") != std::string::npos);
  }
}
