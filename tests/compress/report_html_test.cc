// The page of a compression: whole, safe with hostile names, and nothing left out.
#include "converter/report/report_html.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "converter/report/markup.h"
#include "tests/support/markup_check.h"
#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::compress;
using test::contains;
using test::markup_fault;

namespace {

const std::string kHostile = "\"><script>alert('x')</script>&amp;\x01\xff\xe2\x80\xae</style><!--";

Candidate candidate(const std::string& name, uint64_t bytes, double value) {
  Candidate c;
  c.name = name;
  c.plan = {{"layer", {Precision::int8, 0}}};
  c.bytes = bytes;
  c.bits_per_weight = 8;
  c.value = value;
  c.interval = {value - 0.02, value + 0.02};
  c.ms = 0.5;
  return c;
}

struct Made {
  CompressOptions options;
  CompressReport report;

  explicit Made(size_t candidates = 12, const std::string& layer = "layer") {
    options.source = "folder/model.onnx";
    options.budgets.max_drop = 0.02;
    report.source_bytes = 100000;
    report.file_bytes = 25000;
    report.search_items = 500;
    for (size_t i = 0; i < candidates; ++i)
      report.candidates.push_back(
          candidate("mix " + std::to_string(i), 90000 - 4000 * i, 0.9 - 0.001 * double(i)));
    report.candidates[0].plan.clear();
    report.chosen = 3;
    report.layers.resize(3);
    for (LayerResult& l : report.layers) {
      l.unit.name = layer;
      l.unit.op = "ConvOptions";
      l.unit.nodes = {layer};
      l.chosen = {Precision::int4, 32};
      l.outcome.float_bytes = 30000;
      l.outcome.bytes = 4000;
      l.outcome.float_ms = 0.3;
      l.outcome.ms = 0.1;
      FormatMeasure m;
      m.format = {Precision::int4, 128};
      m.failure = "K is not a multiple of 128";
      l.measured.formats = {m};
    }
    for (int64_t i = 0; i < 40; ++i) report.classes.push_back({i, {90, 100}, {80 + i / 2, 100}});
    Certificate c;
    c.metric = "top1";
    c.baseline = {900, 1000};
    c.model = {895, 1000};
    c.max_drop = 0.02;
    c.drop = {eval::DropVerdict::within, 0.005, {-0.002, 0.012}, {}};
    c.baseline_ms = 1;
    c.ms = 0.4;
    report.certificate = c;
  }
  std::string page() const { return report::report_html(options, report, Status::ok()); }
};

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE(
    "report: the page is well-formed, needs nothing from outside, and holds every candidate and figure") {
  const Made made;
  const std::string page = made.page();
  CHECK(markup_fault(page) == "");
  for (const Candidate& c : made.report.candidates) {
    CHECK(contains(page, "<td>" + c.name + "</td>"));
    CHECK(count(page, "<title>" + c.name + ": ") == 2);  // in the wide and the narrow plot
  }
  CHECK(count(page, "class=\"point chosen\"") == 2);
  CHECK(contains(page, "Certified: the drop is below 2.00 points"));
  CHECK(contains(page, "90.00 % to 89.50 %"));
  CHECK(contains(page,
                 "\xE2\x88\x92"
                 "0.20 to 1.20"));
  CHECK(contains(page, "0.400 ms instead of 1.00 ms"));
  CHECK(contains(page, "K is not a multiple of 128"));
  CHECK(contains(page, "28 other classes lost at most 4.0 points"));
  CHECK(contains(page, "25.0 %"));
}

TEST_CASE(
    "report: every step that was tried stands with what it did to the outputs, and the device whose times "
    "count") {
  Made made;
  CHECK_FALSE(contains(made.page(), "Steps that were tried"));
  CompressReport& r = made.report;
  r.forms = {{FloatForm::as_it_came, 0, 20.5, ""},
             {FloatForm::equalized, 4, 22.25, ""},
             {FloatForm::smoothed, 0, 0, kHostile}};
  r.form = 1;
  r.rounding.step = {true, true, 24.79, 25.32};
  r.rounding.layers = {{"layer", 0.1, 0.05, 12, true, ""}, {"layer", 0.1, 0.2, 3, false, "worse"}};
  r.bias_corrected = {true, false, 25.32, INFINITY};
  r.certificate->outputs.items = 3;
  r.certificate->times_of = kHostile;
  const std::string page = made.page();
  CHECK(markup_fault(page) == "");
  for (const char* part : {"rewrite: equalized", "4 layers", "20.50 dB", "22.25 dB", "24.79 dB", "25.32 dB",
                           "1 layer better on held-back rows", "exact", "on 3 items: KL divergence"})
    CHECK_MESSAGE(contains(page, part), part);
  CHECK(count(page, "<td>kept</td>") == 2);
  CHECK(count(page, "<td>dropped</td>") == 2);
  CHECK_FALSE(contains(page, "analytic"));
  CHECK_FALSE(contains(page, "alert('x')"));
}

TEST_CASE("report: names of a hostile model stay text") {
  Made made(12, kHostile);
  made.options.source = kHostile + ".onnx";
  made.options.metric = kHostile;
  made.report.certificate->metric = kHostile;
  made.report.notes = {kHostile};
  made.report.candidates[5].name = kHostile;
  made.report.layers[0].unit.op = kHostile;
  made.report.layers[0].measured.formats[0].failure = kHostile;
  for (const bool refused : {false, true}) {
    if (refused) made.report.refusals = {{Refusal::accuracy, kHostile}};
    const std::string page = made.page();
    CHECK(markup_fault(page) == "");
    CHECK_FALSE(contains(page, "alert('x')"));
    CHECK_FALSE(contains(page, "\x01"));
    CHECK_FALSE(contains(page, "\xff"));
    CHECK_FALSE(contains(page, "\xe2\x80\xae"));
    CHECK(contains(page, "&lt;script&gt;"));
  }
}

TEST_CASE("report: bytes that are no text are replaced one by one, the text behind them stays") {
  CHECK(report::escaped("a\xc3(") == "a\xEF\xBF\xBD(");
  CHECK(report::escaped("\xed\xa0\x80") ==
        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // half of a surrogate pair
  CHECK(report::escaped("\xf0\x9f\x8c\xb3 \xc3\xa9") == "\xf0\x9f\x8c\xb3 \xc3\xa9");
  CHECK(report::escaped("\xe2\x82<b>") == "\xEF\xBF\xBD\xEF\xBF\xBD&lt;b&gt;");
  CHECK(report::escaped("\xf8\x88\x80\x80\x80").size() == 15);
  CHECK(report::points_text(-0.00001) == "0.00");
}

TEST_CASE("report: refusals, an early stop and a run without evaluation are told in full") {
  Made made;
  made.report.refusals = {{Refusal::accuracy, "the drop is 5 points"}, {Refusal::slower, "2 ms, not 1"}};
  std::string page = made.page();
  CHECK(markup_fault(page) == "");
  CHECK(contains(page, "<b>Refused</b>"));
  for (const char* part :
       {"the drop is 5 points", "2 ms, not 1", "--allow accuracy", "--allow slower", "would become"})
    CHECK(contains(page, part));
  CHECK_FALSE(contains(page, "Certified"));

  made.report = {};
  page = report::report_html(made.options, made.report, Status(Code::bad_argument, "item 3 is <NaN>"));
  CHECK(markup_fault(page) == "");
  CHECK(contains(page, "<b>Stopped</b>item 3 is &lt;NaN&gt;"));

  Made allowed;
  allowed.report.certificate->overridden = {Refusal::unevaluated};
  allowed.report.certificate->model = {};
  page = allowed.page();
  CHECK(markup_fault(page) == "");
  CHECK(contains(page, "Allowed by the user: unevaluated"));
  CHECK_FALSE(contains(page, "went from"));
}

TEST_CASE("report: what was not evaluated has no table of accuracies") {
  Made made;
  CHECK(contains(made.page(), "All models tried"));
  made.report.search_items = 0;
  CHECK_FALSE(contains(made.page(), "All models tried"));
  CHECK_FALSE(contains(made.page(), "Size against accuracy"));
}

TEST_CASE("report: figures that are not numbers or far off draw no broken picture") {
  Made made;
  made.report.candidates[2].value = 0.05;  // far below: drawn at the edge, with its value
  made.report.candidates[2].name = "int4 g32";
  made.report.candidates[4].bytes = 0;
  made.report.candidates[6].ms = NAN;
  made.report.layers[1].outcome.float_ms = 0;
  made.report.source_bytes = 0;
  const std::string page = made.page();
  CHECK(markup_fault(page) == "");
  CHECK(contains(page, "5.0 %"));
  CHECK(contains(page, "not a step of its own"));
  CHECK_FALSE(contains(page, "\"nan"));
  CHECK_FALSE(contains(page, "inf\""));
}

TEST_CASE("report: the ending of the name decides what is written") {
  const Made made;
  const test::TempFolder folder;
  CHECK(report::check_report_path("a.txt").code() == Code::bad_argument);
  const auto write = [&](const std::string& name) {
    return report::write_report(folder / name, made.options, made.report, Status::ok());
  };
  REQUIRE(write("a.html").is_ok());
  REQUIRE(write("a.json").is_ok());
  CHECK(write("no/folder/a.html").code() == Code::io);
  CHECK(test::slurp(folder / "a.html") == made.page());
  CHECK(nlohmann::json::parse(test::slurp(folder / "a.json"))["candidates"].size() == 12);
  CHECK(folder.file_count() == 2);
}
