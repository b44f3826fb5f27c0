// Calibration data that cannot serve is refused by what is wrong with it; hashes find an item in another data set.
#include "converter/compile/calibration_audit.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/data/npy.h"
#include "tests/support/dataset_maker.h"
#include "tests/support/distributions.h"
#include "tests/support/temp_folder.h"

using namespace pith;
using namespace pith::test;

namespace {

constexpr int64_t kWidth = 6;

data::Dataset set_of(const TempFolder& folder, const std::string& name, const std::vector<float>& values) {
  const std::vector<int64_t> shape = {static_cast<int64_t>(values.size()) / kWidth, kWidth};
  const std::string path = folder / name;
  REQUIRE(data::write_npy(path, DType::f32, shape, values.data()).is_ok());
  auto set = data::Dataset::open(path);
  REQUIRE_MESSAGE(set.is_ok(), set.status().message());
  return std::move(set).value();
}

std::vector<float> noise(int64_t items, uint64_t seed) {
  return testing::normals(static_cast<size_t>(items * kWidth), 0, 1, seed);
}

std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

constexpr int64_t kAll = 1000;

std::string complaint(const data::Dataset& set, const data::Dataset* evaluation = nullptr,
                      const std::set<CalibrationFault>& accepted = {}) {
  const auto r = audit_calibration(set, kAll, evaluation, accepted);
  if (r.is_ok()) return "";
  CHECK(r.status().code() == Code::bad_argument);
  return r.status().message();
}

}  // namespace

TEST_CASE("audit: ordinary data pass without a note") {
  const TempFolder folder;
  const auto r = audit_calibration(set_of(folder, "a.npy", noise(20, 1)), 16, nullptr, {});
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  CHECK(r.value().items == 16);
  CHECK(r.value().hashes.size() == 16);
  CHECK(r.value().repeated == 0);
  CHECK(r.value().notes.empty());
}

TEST_CASE("audit: too few different items are refused unless accepted, copies do not count") {
  const TempFolder folder;
  CHECK(says(complaint(set_of(folder, "a.npy", noise(7, 1))), "--accept-calibration small"));
  const auto copies = set_of(folder, "b.npy", joined(noise(5, 1), noise(5, 1)));
  CHECK(says(complaint(copies), "only 5 different"));
  const auto r = audit_calibration(copies, kAll, nullptr, {CalibrationFault::small});
  REQUIRE(r.is_ok());
  CHECK(r.value().repeated == 5);
  REQUIRE(r.value().notes.size() == 2);
  CHECK(says(r.value().notes[0], "accepted"));
  CHECK(complaint(set_of(folder, "c.npy", noise(8, 1))).empty());
}

TEST_CASE("audit: mostly constant items are refused unless accepted") {
  const TempFolder folder;
  std::vector<float> values = noise(10, 2), flat;
  for (int i = 0; i < 11; ++i) flat.insert(flat.end(), kWidth, static_cast<float>(i));
  const auto set = set_of(folder, "a.npy", joined(values, flat));
  CHECK(says(complaint(set), "11 of 21"));
  CHECK(complaint(set, nullptr, {CalibrationFault::constant}).empty());
  flat.resize(10 * kWidth);
  CHECK(complaint(set_of(folder, "b.npy", joined(values, flat))).empty());  // half: black pictures exist
}

TEST_CASE("audit: NaN and infinity cannot be accepted, and the item is named") {
  const TempFolder folder;
  for (const float bad : {NAN, INFINITY}) {
    std::vector<float> values = noise(10, 3);
    values[4 * kWidth + 1] = bad;
    const auto set = set_of(folder, "a.npy", values);
    CHECK(says(complaint(set, nullptr,
                         {CalibrationFault::small, CalibrationFault::constant, CalibrationFault::leak}),
               "item 4: input"));
  }
}

TEST_CASE("audit: evaluation items among the calibration items are counted and refused unless accepted") {
  const TempFolder folder;
  const std::vector<float> shared = noise(3, 5);
  const auto calibration = set_of(folder, "a.npy", joined(noise(9, 4), shared));
  const auto evaluation = set_of(folder, "b.npy", joined(shared, noise(17, 6)));
  CHECK(says(complaint(calibration, &evaluation), "3 of 20"));
  const auto r = audit_calibration(calibration, kAll, &evaluation, {CalibrationFault::leak});
  REQUIRE(r.is_ok());
  CHECK(r.value().shared_with_eval == 3);
  CHECK(r.value().notes.size() == 1);
  const auto apart = set_of(folder, "c.npy", noise(20, 7));
  CHECK(complaint(calibration, &apart).empty());
}

TEST_CASE("audit: another preprocessing, or values far beyond, are refused by figures unless accepted") {
  const TempFolder folder;
  const auto calibration = set_of(folder, "a.npy", noise(40, 4));
  std::vector<float> pixels = noise(40, 5);
  for (float& v : pixels) v = 128 + 60 * v;
  const auto raw = set_of(folder, "raw.npy", pixels);
  CHECK(says(complaint(calibration, &raw), "not preprocessed alike"));
  const auto accepted = audit_calibration(calibration, kAll, &raw, {CalibrationFault::mismatch});
  REQUIRE_MESSAGE(accepted.is_ok(), accepted.status().message());
  CHECK(accepted.value().accepted == std::set<CalibrationFault>{CalibrationFault::mismatch});
  std::vector<float> wide = noise(40, 6);  // a third of it beyond 3 deviations, all of it alike otherwise
  for (size_t i = 0; i < wide.size(); i += 3) wide[i] = wide[i] < 0 ? -4.0f : 4.0f;
  const auto beyond = set_of(folder, "wide.npy", wide);
  CHECK(says(complaint(calibration, &beyond), "outside of all that calibration saw"));
  CHECK(complaint(calibration, &beyond, {CalibrationFault::coverage}).empty());
}

TEST_CASE("audit: packed hashes find the items again, whatever file holds them") {
  const TempFolder folder;
  const auto set = set_of(folder, "a.npy", noise(12, 8));
  const auto audit = audit_calibration(set, kAll, nullptr, {});
  REQUIRE(audit.is_ok());
  const std::string packed = pack_hashes(audit.value().hashes);
  CHECK(packed.size() == 120);
  const auto other = set_of(folder, "b.npy", joined(noise(30, 9), noise(12, 8)));
  CHECK(count_known_items(packed, other, kAll).value() == 12);
  CHECK(count_known_items(packed, other, 2).value() == 0);  // items 0 and 21
  CHECK(count_known_items("", other, kAll).value() == 0);
  CHECK_FALSE(count_known_items("0123", other, kAll).is_ok());
}

TEST_CASE("audit: faults have names that can be read back") {
  using enum CalibrationFault;
  for (CalibrationFault f : {small, constant, leak, mismatch, coverage})
    CHECK(parse_calibration_fault(name_of(f)).value() == f);
  CHECK_FALSE(parse_calibration_fault("beauty").is_ok());
}
