// Damaged .pith files: every truncation and single-byte corruption is an error, never a crash or a wrong
// answer.
#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "converter/compile/load_model.h"
#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::test;

namespace {

ir::Bytes small_model() {
  Result<LoadedModel> loaded = load_model("tests/data/onnx/gemm/model.onnx");
  REQUIRE(loaded.is_ok());
  return loaded.value().bytes;
}

// A 128-byte aligned copy, as from_memory asks for.
struct Copy {
  explicit Copy(std::span<const uint8_t> from) {
    bytes = ir::new_bytes(from.size(), &data), std::memcpy(data, from.data(), from.size());
  }
  bool opens() const { return Model::from_memory({data, bytes.size}).is_ok(); }
  ir::Bytes bytes;
  uint8_t* data = nullptr;
};

}  // namespace

TEST_CASE("every truncation of a model is refused") {
  const ir::Bytes whole = small_model();
  std::mt19937 random(1);
  REQUIRE(Copy({whole.data, whole.size}).opens());
  for (int i = 0; i < 300; ++i) {
    const size_t size = i < 100 ? static_cast<size_t>(i) * 4 : random() % whole.size;
    CAPTURE(size);
    CHECK_FALSE(Copy({whole.data, size}).opens());
  }
  CHECK_FALSE(Copy({whole.data, whole.size - 1}).opens());
}

TEST_CASE("2,000 single-byte corruptions of a model are refused") {
  const ir::Bytes whole = small_model();
  std::mt19937 random(2);
  Copy copy({whole.data, whole.size});
  for (int i = 0; i < 2000; ++i) {
    const size_t at = random() % whole.size;
    const auto flip = static_cast<uint8_t>(1 + random() % 255);
    CAPTURE(at);
    copy.data[at] = static_cast<uint8_t>(copy.data[at] ^ flip);
    CHECK_FALSE(copy.opens());
    copy.data[at] = static_cast<uint8_t>(copy.data[at] ^ flip);
  }
  CHECK(copy.opens());
}

TEST_CASE("the command line refuses damaged models with exit code 3 or 7 and a message") {
  const ir::Bytes whole = small_model();
  const TempFolder folder;
  std::mt19937 random(3);
  std::string text(reinterpret_cast<const char*>(whole.data), whole.size);
  for (int i = 0; i < 24; ++i) {
    std::string damaged = text;
    if (i % 3 == 0)
      damaged.resize(random() % text.size());
    else
      damaged[i % 3 == 1 ? random() % 256 : random() % text.size()] ^= static_cast<char>(1 + random() % 255);
    const std::string file = folder.write("damaged.pith", damaged);
    const Ran r = run_pith({"inspect", file, "--kernels"});
    CAPTURE(r.err);
    CHECK((r.code == 3 || r.code == 7));
    CHECK(contains(r.err, "pith inspect: "));
  }
}
