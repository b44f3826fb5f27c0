// Real classifiers converted to int8 lose less than a point of accuracy, measured side by side on the same images.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "converter/compile/convert.h"
#include "converter/compile/load_model.h"
#include "converter/eval/accuracy.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

using namespace pith;

namespace {

struct Case {
  const char *model, *calibration, *evaluation;  // below data/models-onnx; in examples/datasets
  size_t products;
};

std::unique_ptr<Session> session_of(const LoadedModel& loaded) {
  auto session = Session::create(loaded.model, {});
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  return std::move(session).value();
}

}  // namespace

TEST_CASE("int8: real classifiers lose less than one point against float") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  setenv("PITH_SHARED", root.c_str(), 1);  // the data sets' root
  for (const Case& c : {Case{"mnist-8", "mnist-train", "mnist", 3},
                        Case{"mlperf-resnet8", "cifar10-resnet8-train", "cifar10-resnet8", 10}}) {
    CAPTURE(c.model);
    const test::TempFolder folder;
    ConvertOptions options;
    options.source = root + "/data/models-onnx/" + c.model + "/model.onnx";
    options.output = folder.path() + "/model.pith";
    options.precision = Precision::int8;
    options.calibration = test::project_file(std::string("examples/datasets/") + c.calibration + ".json");
    options.calibration_items = 64;
    ConvertReport report;
    const Status converted = convert(options, &report);
    REQUIRE_MESSAGE(converted.is_ok(), converted.message());
    CHECK(report.quantized_products == c.products);
    CHECK(report.float_products == 0);

    const auto original = load_model(options.source), small = load_model(options.output);
    REQUIRE(original.is_ok());
    REQUIRE_MESSAGE(small.is_ok(), small.status().message());
    const auto set =
        data::Dataset::open(test::project_file(std::string("examples/datasets/") + c.evaluation + ".json"));
    REQUIRE_MESSAGE(set.is_ok(), set.status().message());
    eval::AccuracyOptions some;
    some.max_items = 1000;
    const auto baseline = session_of(original.value()), model = session_of(small.value());
    const auto measured = eval::measure_accuracy(set.value(), *model, baseline.get(), some);
    REQUIRE_MESSAGE(measured.is_ok(), measured.status().message());
    CHECK(measured.value().model.top1().value() > measured.value().baseline.top1().value() - 0.01);
  }
}
