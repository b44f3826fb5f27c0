// Dataset: folders of .npy files, dataset.json, selection, subsets, hashes, and what is refused.
#include "converter/data/dataset.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "converter/data/content_hash.h"
#include "converter/data/npy.h"
#include "tests/support/dataset_maker.h"
#include "tests/support/temp_folder.h"

using namespace pith;
using namespace pith::data;
using namespace pith::test;

namespace {

template <class T>
void save(const std::string& path, DType dtype, const std::vector<int64_t>& shape,
          const std::vector<T>& values) {
  REQUIRE(write_npy(path, dtype, shape, values.data()).is_ok());
}
std::string open_error(const std::string& path) {
  const Result<Dataset> set = Dataset::open(path);
  return set.is_ok() ? "" : set.status().message();
}
std::string json_error(const TempFolder& folder, const std::string& json) {
  return open_error(folder.write("dataset.json", json));
}
// A folder with five one-byte items 10 20 30 40 50 in x.idx.
void write_five(const TempFolder& folder) {
  folder.write("x.idx", idx_bytes(8, {5, 1}, std::string("\x0a\x14\x1e\x28\x32")));
}
std::vector<float> all_values(const Dataset& set) {
  std::vector<float> values;
  for (int64_t i = 0; i < set.size(); ++i) {
    const Result<HostTensor> x = set.read_input(i, 0);
    REQUIRE_MESSAGE(x.is_ok(), x.status().message());
    values.push_back(x.value().as<float>()[0]);
  }
  return values;
}

}  // namespace

TEST_CASE("dataset: a folder with inputs.npy and labels.npy gives items without the first axis") {
  TempFolder folder;
  save<float>(folder / "inputs.npy", DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6});
  save<int64_t>(folder / "labels.npy", DType::i64, {3, 1}, {7, 0, 2});
  const Result<Dataset> set = Dataset::open(folder.path());
  REQUIRE_MESSAGE(set.is_ok(), set.status().message());
  CHECK(set.value().size() == 3);
  CHECK(set.value().inputs()[0].name.empty());
  CHECK(set.value().inputs()[0].shape == std::vector<int64_t>{2});
  CHECK(set.value().label(0).value() == 7);
  const Result<HostTensor> x = set.value().read_input(2, 0);
  REQUIRE(x.is_ok());
  CHECK(x.value().as<float>()[1] == 6);
  const int64_t items[2] = {2, 0};
  const Result<HostTensor> batch = set.value().read_batch(items, 0);
  REQUIRE(batch.is_ok());
  CHECK(batch.value().shape == std::vector<int64_t>{2, 2});
  CHECK(batch.value().as<float>()[0] == 5);
  CHECK(set.value().read_input(3, 0).status().code() == Code::bad_argument);
  CHECK(set.value().read_input(0, 1).status().code() == Code::bad_argument);
  CHECK(set.value().label(-1).status().code() == Code::bad_argument);
}

TEST_CASE("dataset: one .npy per input is matched with the model's inputs by name") {
  TempFolder folder;
  save<int32_t>(folder / "ids.npy", DType::i32, {2, 4}, std::vector<int32_t>(8, 1));
  save<float>(folder / "a%2Fmask.npy", DType::f32, {2, 4}, std::vector<float>(8, 1));
  const Result<Dataset> set = Dataset::open(folder.path());
  REQUIRE_MESSAGE(set.is_ok(), set.status().message());
  const std::vector<std::string> model{"ids", "a/mask"};
  const Result<std::vector<size_t>> order = set.value().match_inputs(model);
  REQUIRE_MESSAGE(order.is_ok(), order.status().message());
  CHECK(set.value().inputs()[order.value()[0]].dtype == DType::i32);
  CHECK(set.value().inputs()[order.value()[1]].name == "a/mask");
  const std::vector<std::string> other{"ids", "mask"}, one{"ids"};
  CHECK(says(set.value().match_inputs(other).status().message(), "'ids', 'a/mask'") +
            says(set.value().match_inputs(other).status().message(), "'a/mask', 'ids'") ==
        1);
  CHECK_FALSE(set.value().match_inputs(one).is_ok());
  CHECK_FALSE(set.value().has_labels());
  CHECK_FALSE(set.value().label(0).is_ok());
}

TEST_CASE("dataset: a model's batch axis is added, other differences are errors that name the repair") {
  TempFolder folder;
  save<float>(folder / "x.npy", DType::f32, {2, 28, 28}, std::vector<float>(2 * 784, 0));
  const Result<Dataset> set = Dataset::open(folder / "x.npy");
  REQUIRE(set.is_ok());
  const std::vector<int64_t> item{28, 28}, any{-1, 28, 28}, fixed{1, 28, 28}, same{28, 28},
      channel{1, 1, 28, 28}, wide{1, 28, 32};
  CHECK(set.value().model_shape(0, item, any).value() == fixed);
  CHECK(set.value().model_shape(0, item, fixed).value() == fixed);
  CHECK(set.value().model_shape(0, item, same).value() == same);
  const std::string message = set.value().model_shape(0, item, channel).status().message();
  CHECK(says(message, "\"reshape\""));
  CHECK(says(message, "shape [1, 28, 28]"));
  CHECK_FALSE(set.value().model_shape(0, item, wide).is_ok());
}

TEST_CASE("dataset: mismatched counts, bad labels and stray files in a folder are refused") {
  TempFolder folder;
  CHECK(says(open_error(folder.path()), "no data set"));
  CHECK(says(open_error(folder / "none"), "no such file"));
  CHECK(says(open_error(folder.write("x.txt", "hello")), "expected a folder"));
  save<float>(folder / "inputs.npy", DType::f32, {3, 2}, std::vector<float>(6, 0));
  save<int64_t>(folder / "labels.npy", DType::i64, {2}, {0, 1});
  CHECK(says(open_error(folder.path()), "2 labels for 3 items"));
  save<int64_t>(folder / "labels.npy", DType::i64, {3}, {0, 1, -1});
  CHECK(says(open_error(folder.path()), "label 2 is -1"));
  save<float>(folder / "labels.npy", DType::f32, {3}, {0, 0.5f, 1});
  CHECK(says(open_error(folder.path()), "label 1 is 0.5"));
  save<float>(folder / "labels.npy", DType::f32, {3, 10}, std::vector<float>(30, 0));
  CHECK(says(open_error(folder.path()), "argmax"));
  save<int64_t>(folder / "labels.npy", DType::i64, {3}, {0, 1, 2});
  save<float>(folder / "extra.npy", DType::f32, {3}, {0, 0, 0});
  CHECK(says(open_error(folder.path()), "extra.npy"));
  TempFolder two;
  save<float>(two / "a.npy", DType::f32, {3}, {0, 0, 0});
  save<float>(two / "b.npy", DType::f32, {2}, {0, 0});
  CHECK(says(open_error(two.path()), "expected as many"));
  two.write("b.npy", "not numpy at all");
  CHECK(says(open_error(two.path()), "not a .npy file"));
}

TEST_CASE("dataset: select picks by offset, stride and limit, exclude removes, labels follow") {
  TempFolder folder;
  write_five(folder);
  const std::string input =
      R"("input": {"source": "idx", "file": "x.idx", "preprocess": {"dtype": "f32"}}, "labels": [0, 1, 2, 3, 4])";
  const auto values = [&](const std::string& rest) {
    const Result<Dataset> set = Dataset::open(folder.write("dataset.json", "{" + input + rest + "}"));
    REQUIRE_MESSAGE(set.is_ok(), set.status().message());
    const std::vector<float> all = all_values(set.value());
    for (size_t i = 0; i < all.size(); ++i)
      CHECK(set.value().label(static_cast<int64_t>(i)).value() == static_cast<int64_t>(all[i]) / 10 - 1);
    return all;
  };
  CHECK(values("") == std::vector<float>{10, 20, 30, 40, 50});
  CHECK(values(R"(, "select": {"offset": 1, "stride": 2})") == std::vector<float>{20, 40});
  CHECK(values(R"(, "select": {"limit": 2})") == std::vector<float>{10, 20});
  CHECK(values(R"(, "exclude": {"stride": 2})") == std::vector<float>{20, 40});
  CHECK(values(R"(, "exclude": {"offset": 1, "limit": 1}, "select": {"limit": 3})") ==
        std::vector<float>{10, 30});
  CHECK(says(json_error(folder, "{" + input + R"(, "select": {"offset": 5}})"), "none are left"));
  CHECK(says(json_error(folder, "{" + input + R"(, "exclude": {}})"), "leaves no items"));
}

TEST_CASE("dataset: subsets, splits and hashes agree with each other and with other containers") {
  TempFolder folder;
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += {static_cast<char>(i), static_cast<char>(i * 7)};
  folder.write("x.idx", idx_bytes(8, {200, 2}, bytes));
  std::vector<float> floats;
  for (char c : bytes) floats.push_back(static_cast<float>(static_cast<unsigned char>(c)));
  TempFolder npy;
  save<float>(npy / "inputs.npy", DType::f32, {200, 1, 2}, floats);
  const Result<Dataset> a =
      Dataset::open(folder.write("dataset.json", R"({"input": {"source": "idx", "file": "x.idx"}})"));
  const Result<Dataset> b = Dataset::open(npy.path());
  REQUIRE_MESSAGE(a.is_ok(), a.status().message());
  REQUIRE(b.is_ok());
  std::vector<uint64_t> hashes_a, hashes_b;
  for (int64_t i = 0; i < 200; ++i) {
    hashes_a.push_back(a.value().content_hash(i).value());
    hashes_b.push_back(b.value().content_hash(199 - i).value());
  }
  CHECK(std::set<uint64_t>(hashes_a.begin(), hashes_a.end()).size() == 200);
  const auto shared = find_shared_items(hashes_a, hashes_b);
  REQUIRE(shared.size() == 200);
  CHECK(shared[3] == std::pair<int64_t, int64_t>{3, 196});
  const Result<Dataset> proof = a.value().split(0.5, true), search = a.value().split(0.5, false);
  REQUIRE(proof.is_ok());
  CHECK(proof.value().size() + search.value().size() == 200);
  CHECK(proof.value().size() > 70);  // binomial(200, 1/2): 70 is 4.2 deviations below the mean
  CHECK(search.value().size() > 70);
  for (int64_t i = 0; i < proof.value().size(); ++i)
    CHECK(in_proof_split(proof.value().content_hash(i).value(), 0.5));
  const Result<Dataset> part = proof.value().subset({5, 0});
  REQUIRE(part.is_ok());
  CHECK(part.value().content_hash(1).value() == proof.value().content_hash(0).value());
  CHECK_FALSE(proof.value().subset({200}).is_ok());
}

TEST_CASE("content hash: values are fixed for ever, every byte and the length matter") {
  const auto hash = [](const std::string& text) { return hash_bytes(std::as_bytes(std::span(text))); };
  CHECK(hash("") == 0x3ae7c56c8ec82b7a);
  CHECK(hash("abc") == 0xb522de3493c20555);
  CHECK(hash("a longer text of 31 characters.") == 0x767546dcdfedb0ea);
  std::set<uint64_t> seen{hash("")};
  std::string text(20, 'a');
  seen.insert(hash(text));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'b';
    seen.insert(hash(other));
    seen.insert(hash(text.substr(0, i + 1) + std::string(1, '\0')));
  }
  CHECK(seen.size() == 2 + 2 * text.size());
  CHECK(hash_bytes({}, 1) != hash_bytes({}, 2));
}

TEST_CASE(
    "dataset.json: several named inputs, csv labels by column name, root from the environment or the "
    "option") {
  TempFolder folder;
  write_five(folder);
  folder.write("y.csv", "file,class\nx,4\nx,3\nx,2\nx,1\nx,0\n");
  const std::string body = R"({"root": "${PITH_TEST_ROOT}", "inputs": {
    "a": {"source": "idx", "file": "x.idx"},
    "b": {"source": "raw", "file": "x.idx", "skip_bytes": 12, "dtype": "u8", "shape": [1], "preprocess": {"scale": 0.5}}},
    "labels": {"source": "csv", "file": "y.csv", "column": "class"}, "class_names": ["p", "q", "r", "s", "t"]})";
  TempFolder elsewhere;
  const std::string path = elsewhere.write("dataset.json", body);
  unsetenv("PITH_TEST_ROOT");
  CHECK(says(open_error(path), "PITH_TEST_ROOT"));
  setenv("PITH_TEST_ROOT", folder.path().c_str(), 1);
  const Result<Dataset> set = Dataset::open(elsewhere.path());
  unsetenv("PITH_TEST_ROOT");
  REQUIRE_MESSAGE(set.is_ok(), set.status().message());
  CHECK(set.value().inputs().size() == 2);
  CHECK(set.value().label(1).value() == 3);
  CHECK(set.value().class_names()[4] == "t");
  CHECK(set.value().read_input(1, 1).value().as<float>()[0] == 10.0f);
  CHECK(Dataset::open(path, {folder.path()}).is_ok());
}

TEST_CASE("dataset.json: mistakes are named with their place, unknown keys with the known ones") {
  TempFolder folder;
  write_five(folder);
  CHECK(says(json_error(folder, ""), "not valid JSON"));
  CHECK(says(json_error(folder, "{\"input\": }"), "line 1, column 11"));
  CHECK(says(json_error(folder, "[1]"), "expected an object"));
  CHECK(says(json_error(folder, "{}"), "expected \"input\""));
  CHECK(says(json_error(folder, R"({"input": {}})"), "\"source\" is missing"));
  CHECK(says(json_error(folder, R"({"input": {"source": "mnist"}})"), "\"npy\", \"raw\""));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx"}})"), "\"file\" is missing"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "x.idx", "flie": 1}})"),
             "did you mean \"file\"?"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "none.idx"}})"), "none.idx"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "x.idx"}, "input": 1})"), "twice"));
  CHECK(says(
      json_error(folder, R"({"input": {"source": "idx", "file": "x.idx", "preprocess": {"resize": 3}}})"),
      "input.preprocess: "));
  CHECK(says(
      json_error(folder, R"({"input": {"source": "idx", "file": "x.idx", "preprocess": {"scale": "1"}}})"),
      "expected a number"));
  CHECK(says(json_error(folder,
                        R"({"input": {"source": "idx", "file": "x.idx", "preprocess": {"dtype": "float"}}})"),
             "\"f32\""));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "x.idx"}, "select": {"stride": 0}})"),
             "select: \"stride\""));
  CHECK(
      says(json_error(folder, R"({"input": {"source": "idx", "file": "x.idx"}, "select": {"limit": 1e300}})"),
           "whole number"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "x.idx"}, "labels": [1, 2]})"),
             "2 labels for 5 items"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "$x.idx"}})"), "${NAME}"));
  CHECK(says(json_error(folder, R"({"input": {"source": "idx", "file": "${x.idx"}})"), "without }"));
  CHECK(says(json_error(folder, R"({"input": {"source": "raw", "file": "x.idx", "dtype": "u8"}})"),
             "\"shape\""));
  CHECK(says(json_error(folder, R"({"input": {"source": "images"}})"), "\"folder\" or \"list\""));
  std::string deep(100000, '[');
  CHECK(says(json_error(folder, deep), "deeper than 32"));
  CHECK(
      json_error(folder,
                 R"({"_": "a comment", "input": {"_why": 1, "source": "idx", "file": "${NOT_SET:-x}.idx"}})")
          .empty());
}
