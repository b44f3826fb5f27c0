// One model in many threads, each with sessions of its own: what ThreadSanitizer watches.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "kernels/base/float16.h"
#include "runtime/exec/session.h"
#include "tests/support/shared_data.h"

using namespace pith;
namespace fs = std::filesystem;

namespace {

// Small floats; other types get 0 and 1 by bytes, which every one of them can take.
void fill(Session& session) {
  for (size_t i = 0; i < session.input_count(); ++i) {
    const TensorView& x = session.input(i);
    const size_t count = static_cast<size_t>(x.count());
    if (x.dtype == DType::f32)
      for (size_t k = 0; k < count; ++k) x.as_mutable<float>()[k] = 0.25f * static_cast<float>(k % 7) - 0.5f;
    else if (x.dtype == DType::f16)
      for (size_t k = 0; k < count; ++k)
        x.as_mutable<f16>()[k] = to_f16(0.25f * static_cast<float>(k % 7) - 0.5f);
    else
      for (size_t k = 0; k < x.byte_size(); ++k) x.as_mutable<uint8_t>()[k] = static_cast<uint8_t>(k % 2);
  }
}

std::string outputs_of(const Session& session) {
  std::string bytes;
  for (size_t i = 0; i < session.output_count(); ++i)
    bytes.append(session.output(i).as<char>(), session.output(i).byte_size());
  return bytes;
}

// A session from its creation to its end, with a few runs; every run must give the same. Empty: it failed.
std::string life_of_a_session(const std::shared_ptr<const Model>& model, BackendChoice backend,
                              uint32_t threads) {
  SessionOptions options;
  options.backend = backend;
  options.threads = threads;
  const auto session = Session::create(model, options);
  if (!session.is_ok()) return "";
  Session& s = *session.value();
  for (size_t i = 0; i < s.input_count(); ++i) {
    Shape shape = s.input(i).shape;
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] == kUnknownDim) shape[d] = 2;
    if (!s.set_input_shape(i, shape).is_ok()) return "";
  }
  if (!s.prepare().is_ok()) return "";
  std::string first;
  for (int round = 0; round < 3; ++round) {
    fill(s);
    if (!s.run().is_ok()) return "";
    if (round == 0) first = outputs_of(s);
    if (outputs_of(s) != first) return "";
  }
  return first;
}

}  // namespace

TEST_CASE("sessions of one model run in several threads at once and all give the same bytes") {
  for (const auto& entry : fs::directory_iterator(test::project_file("tests/data/format/v1.0"))) {
    if (entry.path().extension() != ".pith") continue;
    const std::string name = entry.path().stem().string();
    if (name == "dynamic-reshape") continue;  // its input is a shape: these values are none
    CAPTURE(name);
    const auto model = Model::open(entry.path().c_str(), {});
    REQUIRE(model.is_ok());
    for (BackendChoice backend : {BackendChoice::automatic, BackendChoice::reference}) {
      const std::string alone = life_of_a_session(model.value(), backend, 1);
      REQUIRE(!alone.empty());
      std::vector<std::string> together(4);
      std::vector<std::thread> threads;
      for (size_t i = 0; i < together.size(); ++i)
        threads.emplace_back([&, i] {
          together[i] = life_of_a_session(model.value(), backend, 1 + static_cast<uint32_t>(i) % 2);
        });
      for (std::thread& t : threads) t.join();
      for (const std::string& bytes : together) CHECK(bytes == alone);
    }
  }
}
