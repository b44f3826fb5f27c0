// .npy reading and writing, real headers of numpy and hostile ones.
#include "converter/data/npy.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

using namespace pith;
using namespace pith::data;
using pith::test::slurp;
using pith::test::TempFolder;

namespace {

// A .npy file with the given dictionary and raw elements.
std::string npy_bytes(const std::string& dict, const std::string& data, int major = 1) {
  std::string head = "\x93NUMPY";
  head += static_cast<char>(major);
  head += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) head += static_cast<char>(dict.size() >> (8 * i) & 0xff);
  return head + dict + data;
}
std::string dict_of(const std::string& descr, const std::string& shape,
                    const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}
std::string error_of(const TempFolder& folder, const std::string& bytes) {
  const Result<HostTensor> read = read_npy(folder.write("bad.npy", bytes));
  if (read.is_ok()) return "";
  CHECK(read.status().message().find("bad.npy") != std::string::npos);
  return read.status().message();
}
bool says(const std::string& message, const char* words) { return message.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("npy: what is written is what is read, for every element type and rank") {
  TempFolder folder;
  for (DType dtype : {DType::f32, DType::f16, DType::f64, DType::i8, DType::u8, DType::i16, DType::u16,
                      DType::i32, DType::u32, DType::i64, DType::u64, DType::boolean}) {
    for (const std::vector<int64_t>& shape :
         {std::vector<int64_t>{}, {5}, {2, 3}, {2, 0, 3}, {1, 2, 3, 4, 5}}) {
      HostTensor tensor{dtype, shape, {}};
      uint64_t size = 0;
      REQUIRE(tensor_bytes(shape, dtype, &size));
      tensor.bytes.resize(size);
      for (size_t i = 0; i < size; ++i)
        tensor.bytes[i] = static_cast<std::byte>(dtype == DType::boolean ? i % 2 : i * 37 % 256);
      CAPTURE(name_of(dtype));
      REQUIRE(write_npy(folder / "x.npy", tensor).is_ok());
      const Result<HostTensor> read = read_npy(folder / "x.npy");
      REQUIRE(read.is_ok());
      CHECK(read.value().dtype == dtype);
      CHECK(read.value().shape == shape);
      CHECK(read.value().bytes == tensor.bytes);
    }
  }
}

TEST_CASE("npy: the bytes written are those of numpy.save") {
  TempFolder folder;
  const float values[2] = {1.0f, -2.0f};
  const int64_t shape[1] = {2};
  REQUIRE(write_npy(folder / "x.npy", DType::f32, shape, values).is_ok());
  const std::string bytes = slurp(folder / "x.npy");
  // numpy 1.24: numpy.save of array([1, -2], '<f4') is 136 bytes, the dictionary padded to 118.
  REQUIRE(bytes.size() == 136);
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, 57) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
  CHECK(bytes[127] == '\n');
  CHECK(bytes.substr(128) == std::string("\0\0\x80\x3f\0\0\0\xc0", 8));
}

TEST_CASE("npy: versions 1, 2 and 3, either quote, any key order and old long dims are read") {
  TempFolder folder;
  const std::string dict = "  {\"shape\" : ( 2L ,3 ) ,'fortran_order':False,\n'descr':'|u1'}  ";
  for (int major : {1, 2, 3}) {
    const Result<HostTensor> read = read_npy(folder.write("v.npy", npy_bytes(dict, "abcdef", major)));
    REQUIRE(read.is_ok());
    CHECK(read.value().shape == std::vector<int64_t>{2, 3});
    CHECK(read.value().dtype == DType::u8);
  }
}

TEST_CASE("npy: rows are read one by one and out-of-range rows are refused") {
  TempFolder folder;
  const int16_t values[6] = {1, 2, 3, 4, 5, 6};
  const int64_t shape[2] = {3, 2};
  REQUIRE(write_npy(folder / "x.npy", DType::i16, shape, values).is_ok());
  Result<NpyFile> file = NpyFile::open(folder / "x.npy");
  REQUIRE(file.is_ok());
  CHECK(file.value().rows() == 3);
  const Result<HostTensor> row = file.value().read_row(1);
  REQUIRE(row.is_ok());
  CHECK(row.value().shape == std::vector<int64_t>{2});
  CHECK(row.value().as<int16_t>()[0] == 3);
  CHECK(row.value().as<int16_t>()[1] == 4);
  CHECK(file.value().read_row(3).status().code() == Code::bad_argument);
  CHECK(file.value().read_row(-1).status().code() == Code::bad_argument);
}

TEST_CASE("npy: Fortran order, big endian, objects, records and foreign types are refused with the repair") {
  TempFolder folder;
  CHECK(says(error_of(folder, npy_bytes(dict_of("<f4", "(1, 2)", "True"), std::string(8, 0))),
             "ascontiguousarray"));
  CHECK(says(error_of(folder, npy_bytes(dict_of(">f4", "(2,)"), std::string(8, 0))), "astype('<f4')"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|O", "(2,)"), std::string(8, 0))), "never loaded"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("<c8", "(2,)"), std::string(16, 0))), "'<c8'"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("<U4", "(2,)"), std::string(32, 0))), "'<U4'"));
  CHECK(says(
      error_of(folder, npy_bytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd")),
      "a['field']"));
  // One axis is the same in both orders; a byte has no order.
  CHECK(error_of(folder, npy_bytes(dict_of("<f4", "(2,)", "True"), std::string(8, 0))).empty());
  CHECK(error_of(folder, npy_bytes(dict_of(">u1", "(2,)"), "ab")).empty());
}

TEST_CASE("npy: impossible sizes are refused before memory is asked for") {
  TempFolder folder;
  const std::string top = "9223372036854775807";
  CHECK(says(error_of(folder, npy_bytes(dict_of("<f4", "(" + top + ",)"), "abcd")), "larger than any file"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("<f4", "(4294967296, 4294967296)"), "abcd")),
             "larger than any file"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("<f4", "(0, " + top + ", " + top + ")"), "")),
             "larger than any file"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(1000000000000,)"), "abcd")), "truncated"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(9223372036854775808,)"), "abcd")), "malformed"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(-1,)"), "abcd")), "malformed"));
  std::string many = "(1";
  for (int i = 0; i < 40; ++i) many += ", 1";
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", many + ")"), "a")), "more than 32 dimensions"));
}

TEST_CASE("npy: malformed headers name the place and what was expected") {
  TempFolder folder;
  CHECK(says(error_of(folder, ""), "too few"));
  CHECK(says(error_of(folder, "\x93NUMPY"), "too few"));
  CHECK(says(error_of(folder, "hello, this is text"), "not a .npy file"));
  CHECK(says(error_of(folder, "PK\x03\x04 and the rest of an archive"), "npz"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(1,)"), "a", 9)), "version 9.0"));
  CHECK(says(error_of(folder, std::string("\x93NUMPY\x01\x00\xff\xff{}", 12)), "the file has"));
  CHECK(says(error_of(folder, std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)), "the file has"));
  CHECK(says(error_of(folder, npy_bytes("", "")), "expected '{'"));
  CHECK(says(error_of(folder, npy_bytes("{}", "")), "keys descr"));
  CHECK(says(error_of(folder, npy_bytes("{'descr': 'f4', 'descr': 'f4'}", "")), "once"));
  CHECK(says(error_of(folder, npy_bytes("{'descr': '<f4', 'shape': (1,), 'fortran_order': Maybe}", "abcd")),
             "True"));
  CHECK(says(error_of(folder, npy_bytes("{'descr': '<f4", "")), "quoted"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(1,)") + "x", "a")), "nothing after"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(2 3)"), "abcdef")), "','"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|u1", "(2,)"), "abc")), "1 bytes follow"));
  CHECK(says(error_of(folder, npy_bytes(dict_of("|b1", "(2,)"), std::string("\1\2", 2))), "expected 0 or 1"));
}

TEST_CASE(
    "npy: every truncation and every single-byte corruption of a good file ends in a value or a message") {
  TempFolder folder;
  const std::string good = npy_bytes(dict_of("<f4", "(2, 2)"), std::string(16, 'x'));
  for (size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(read_npy(folder.write("cut.npy", good.substr(0, cut))).is_ok());
  }
  int accepted = 0;
  for (size_t at = 0; at < good.size(); ++at)
    for (int value : {0, 1, 0x20, 0x27, 0x7f, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      const Result<HostTensor> read = read_npy(folder.write("flip.npy", bad));
      accepted += read.is_ok() ? 1 : 0;
      if (!read.is_ok()) CHECK_FALSE(read.status().message().empty());
    }
  CHECK(accepted >= 16 * 7);  // the elements may be anything
}

TEST_CASE("npy: folders, missing files and unsupported writes give io and unsupported errors") {
  TempFolder folder;
  CHECK(read_npy(folder.path()).status().code() == Code::io);
  CHECK(read_npy(folder / "none.npy").status().code() == Code::io);
  const int64_t shape[1] = {1};
  const int64_t negative[1] = {-1};
  const uint16_t half = 0;
  CHECK(write_npy(folder / "x.npy", DType::bf16, shape, &half).code() == Code::unsupported);
  CHECK(write_npy(folder / "x.npy", DType::f16, negative, &half).code() == Code::bad_argument);
  CHECK(folder.file_count() == 0);
}

TEST_CASE("npy: real files of numpy are read") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  const Result<HostTensor> idx = read_npy(root + "/data/mlperf-tiny/resnet8_perf_samples_idxs.npy");
  REQUIRE_MESSAGE(idx.is_ok(), idx.status().message());
  CHECK(idx.value().dtype == DType::i64);
  CHECK(idx.value().shape == std::vector<int64_t>{200});
}

TEST_CASE("host tensor: numbers convert exactly, round half to even and saturate") {
  const double values[6] = {-300, 2.5, 3.5, 127.4, 1e300, -0.5};
  int8_t out[6];
  from_doubles(DType::i8, values, 6, reinterpret_cast<std::byte*>(out));
  CHECK(out[0] == -128);
  CHECK(out[1] == 2);
  CHECK(out[2] == 4);
  CHECK(out[3] == 127);
  CHECK(out[4] == 127);
  CHECK(out[5] == 0);
  int64_t big = 0;
  from_doubles(DType::i64, &values[4], 1, reinterpret_cast<std::byte*>(&big));
  CHECK(big == INT64_MAX);
  const uint16_t halves[3] = {0x3c00, 0xc000, 0x0001};
  double back[3];
  to_doubles(DType::f16, reinterpret_cast<const std::byte*>(halves), 3, back);
  CHECK(back[0] == 1.0);
  CHECK(back[1] == -2.0);
  CHECK(back[2] == 0x1p-24);
}
