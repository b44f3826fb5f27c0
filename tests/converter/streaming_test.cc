// Conversion tensor by tensor: the same bytes as at once, with any number of threads, after a kill, and found out when changed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "converter/compile/convert.h"
#include "converter/compile/verify_model.h"
#include "converter/data/atomic_file.h"
#include "runtime/model/model.h"
#include "tests/support/external_model.h"
#include "tests/support/temp_folder.h"

namespace pith::test {
namespace {

ConvertOptions int4(const TempFolder& folder, const std::string& output = "out.pith") {
  ConvertOptions o;
  o.source = folder / "model.onnx";
  o.output = folder / output;
  o.precision = Precision::int4;
  return o;
}

ConvertReport converted(const ConvertOptions& options) {
  ConvertReport report;
  const Status s = convert(options, &report);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  return report;
}

// A child that is killed by SIGKILL as soon as `tensors` are done.
void convert_until_killed(ConvertOptions options, int64_t tensors) {
  options.weight_progress = [=](int64_t done, int64_t) {
    if (done == tensors) raise(SIGKILL);
  };
  const pid_t child = fork();
  if (child == 0) {
    ConvertReport report;
    (void)convert(options, &report).is_ok();
    _exit(0);
  }
  int how = 0;
  REQUIRE(waitpid(child, &how, 0) == child);
  REQUIRE(WIFSIGNALED(how));
  REQUIRE(WTERMSIG(how) == SIGKILL);
  CHECK_FALSE(std::filesystem::exists(options.output));
  CHECK(std::filesystem::exists(options.output + ".journal"));
  CHECK(std::filesystem::exists(options.output + ".partial"));
}

bool nothing_left_beside(const std::string& output) {
  return !std::filesystem::exists(output + ".journal") && !std::filesystem::exists(output + ".partial");
}

bool told(const ConvertReport& report, const char* what) {
  for (const std::string& w : report.warnings)
    if (w.find(what) != std::string::npos) return true;
  return false;
}

std::string weights_of(const std::string& path) {
  const auto model = Model::open(path.c_str());
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  const file::SegmentEntry& s = model.value()->segments()[0];
  return slurp(path).substr(s.offset, s.bytes);
}

}  // namespace

TEST_CASE("weights streamed from a data file give the bytes that weights inside the model give") {
  for (const int type : {ExternalModel::kFloat, ExternalModel::kHalf})
    for (const Precision precision : {Precision::int4, Precision::nf4, Precision::fp4, Precision::fp32}) {
      CAPTURE(type);
      CAPTURE(name_of(precision));
      TempFolder streamed, inside;
      ExternalModel model;
      model.type = type;
      model.write(streamed.path());
      model.external = false;
      model.write(inside.path());
      ConvertOptions a = int4(streamed), b = int4(inside);
      a.precision = b.precision = precision;
      const ConvertReport ra = converted(a), rb = converted(b);
      CHECK(weights_of(a.output) == weights_of(b.output));
      if (type == ExternalModel::kFloat) CHECK(slurp(a.output) == slurp(b.output));
      CHECK(ra.quantized_products == rb.quantized_products);
      CHECK(ra.worst_sqnr_db == doctest::Approx(rb.worst_sqnr_db).epsilon(1e-12));
      CHECK(ra.worst_product == rb.worst_product);
      CHECK(nothing_left_beside(a.output));
    }
}

TEST_CASE("the streamed file does not depend on the threads, by search or by GPTQ") {
  TempFolder folder;
  const ExternalModel model;
  model.write(folder.path());
  const std::string items = model.write_items(folder.path(), 16);
  for (const quantize::WeightMethod method : {quantize::WeightMethod::search, quantize::WeightMethod::gptq}) {
    ConvertOptions one = int4(folder, "one.pith"), two = int4(folder, "two.pith");
    one.weight_method = two.weight_method = method;
    if (quantize::needs_data(method)) one.calibration = two.calibration = items;
    two.threads = 2;
    converted(one);
    converted(two);
    CHECK(slurp(one.output) == slurp(two.output));
  }
}

TEST_CASE("a conversion that was killed goes on behind the last finished tensor and gives the same bytes") {
  TempFolder folder;
  const ExternalModel model;
  model.write(folder.path());
  const std::string items = model.write_items(folder.path(), 16);
  for (const quantize::WeightMethod method : {quantize::WeightMethod::search, quantize::WeightMethod::gptq}) {
    ConvertOptions whole = int4(folder, "whole.pith"), killed = int4(folder, "killed.pith");
    whole.weight_method = killed.weight_method = method;
    if (quantize::needs_data(method)) whole.calibration = killed.calibration = items;
    const ConvertReport expected = converted(whole);
    std::filesystem::remove(killed.output);
    convert_until_killed(killed, 2);
    const ConvertReport report = converted(killed);
    CHECK(report.resumed_tensors == 2);
    CHECK(told(report, "resumed an earlier run: 2 of 4"));
    CHECK(report.worst_sqnr_db == expected.worst_sqnr_db);
    CHECK(slurp(whole.output) == slurp(killed.output));
    CHECK(nothing_left_beside(killed.output));
  }
}

TEST_CASE("what an earlier run left is not used when the source or the file changed since") {
  TempFolder folder;
  ExternalModel model;
  model.write(folder.path());
  ConvertOptions options = int4(folder);
  convert_until_killed(options, 3);
  model.seed = 77;  // other weights in a file of the same size
  model.write(folder.path());
  ConvertReport report = converted(options);
  CHECK(report.resumed_tensors == 0);
  CHECK(told(report, "does not fit from tensor"));
  ConvertOptions fresh = int4(folder, "fresh.pith");
  converted(fresh);
  CHECK(slurp(options.output) == slurp(fresh.output));

  std::filesystem::remove(options.output);
  convert_until_killed(options, 3);
  std::string partial = slurp(options.output + ".partial");
  partial[partial.size() - 40] ^= 1;  // in the third tensor, the last one written
  folder.write("out.pith.partial", partial);
  report = converted(options);
  CHECK(report.resumed_tensors == 2);
  CHECK(slurp(options.output) == slurp(fresh.output));

  std::filesystem::remove(options.output);
  convert_until_killed(options, 3);
  options.group = 64;
  report = converted(options);
  CHECK(told(report, "starting afresh"));
  CHECK(report.resumed_tensors == 0);
}

TEST_CASE(
    "a weight that is not finite stops a streamed conversion with its tensor's name and leaves nothing") {
  TempFolder folder;
  ExternalModel{}.write(folder.path());
  std::string data = slurp(folder / "model.data");
  data[data.size() - 1] = '\x7c', data[data.size() - 2] = '\0';  // infinity, in the last weight
  folder.write("model.data", data);
  ConvertReport report;
  const ConvertOptions options = int4(folder);
  const Status s = convert(options, &report);
  REQUIRE(s.code() == Code::bad_file);
  CHECK(s.message().find("tensor 'w3") != std::string::npos);
  CHECK(s.message().find("not finite") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(options.output));
  CHECK(nothing_left_beside(options.output));
}

TEST_CASE("verify makes weights again from the source, and names the tensor that holds a flipped nibble") {
  TempFolder folder;
  const ExternalModel model;
  model.write(folder.path());
  ConvertOptions options = int4(folder);
  options.weight_method = quantize::WeightMethod::gptq;
  options.calibration = model.write_items(folder.path(), 16);
  converted(options);
  VerifyOptions verify;
  verify.model = options.output;
  verify.source = options.source;
  VerifyReport report;
  CHECK(verify_model(verify, &report).message().find("--calibrate") != std::string::npos);
  verify.calibration = options.calibration;
  Status s = verify_model(verify, &report);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  CHECK(report.packed == 4);
  CHECK(report.tensors.size() == 4);
  CHECK(report.different == 0);

  const auto opened = Model::open(options.output.c_str());
  REQUIRE(opened.is_ok());
  const file::SegmentEntry segment = opened.value()->segments()[0];
  std::string bytes = slurp(options.output);
  bytes[segment.offset + 5] ^= 0x10;  // codes come first in the first tensor
  folder.write("out.pith", bytes);
  s = verify_model(verify, &report);
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  CHECK(report.different == 1);
  CHECK(report.tensors[0].difference.find("byte 5") != std::string::npos);
  CHECK(report.tensors[0].name.find("w0") != std::string::npos);

  verify.sample = 1;
  std::set<std::string> chosen;
  for (verify.seed = 0; verify.seed < 16; ++verify.seed) {
    REQUIRE(verify_model(verify, &report).is_ok());
    REQUIRE(report.tensors.size() == 1);
    chosen.insert(report.tensors[0].name);
  }
  CHECK(chosen.size() > 1);  // 16 draws of one of 4 alike: 4 * 4^-16

  verify.calibration = ExternalModel{.seed = 5}.write_items(folder.path(), 16);
  CHECK(verify_model(verify, &report).message().find("is not the data") != std::string::npos);
}

TEST_CASE("a file that another process is writing is refused") {
  TempFolder folder;
  const auto writer = data::AtomicFile::create_resumable(folder / "x");
  REQUIRE(writer.is_ok());
  const auto second = data::AtomicFile::create_resumable(folder / "x");
  REQUIRE_FALSE(second.is_ok());
  CHECK(second.status().message().find("being written by another process") != std::string::npos);
}

}  // namespace pith::test
