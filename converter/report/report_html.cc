// The page in the order a reader asks: is it good, how good, what was given up for what, where, and how do you know.
#include "converter/report/report_html.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "converter/compress/report_json.h"
#include "converter/data/atomic_file.h"
#include "converter/report/layer_chart.h"
#include "converter/report/markup.h"
#include "converter/report/pareto_plot.h"
#include "converter/report/report_style.h"
#include "converter/report/step_table.h"

namespace pith::report {
namespace {

using compress::Candidate;
using compress::Certificate;
using compress::ClassResult;
using compress::Finding;

constexpr size_t kShownClasses = 12;

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string interval_text(const eval::Interval& i) {
  return format("%.2f to %.2f %%", 100 * i.low, 100 * i.high);
}

std::string drop_interval_text(const eval::Interval& i) {
  return points_text(i.low) + " to " + points_text(i.high);
}

class Page {
 public:
  Page(const compress::CompressOptions& options, const compress::CompressReport& report,
       const Status& stopped)
      : o_(options), r_(report), stopped_(stopped) {}

  std::string make() {
    out_ = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>" +
           escaped(file_name(o_.source)) +
           " compressed</title><meta name=\"viewport\" content=\"width=device-width, "
           "initial-scale=1\"/><style>" +
           kReportStyle + "</style></head><body><main>\n<p class=\"eyebrow\">pith compress</p><h1>" +
           name_html(file_name(o_.source)) + "</h1>\n";
    add_verdict();
    add_tiles();
    add_plot();
    add_whole();
    add_layers();
    section("Steps that were tried",
            "SQNR of the model's outputs against the original's on calibration items held back for judging; "
            "what did not help was dropped.",
            step_table(r_));
    add_classes();
    add_table();
    add_method();
    return out_ + "</main></body></html>\n";
  }

 private:
  const Certificate* certificate() const { return r_.certificate ? &*r_.certificate : nullptr; }
  const Candidate* chosen() const {
    return r_.chosen < r_.candidates.size() ? &r_.candidates[r_.chosen] : nullptr;
  }
  bool proven() const { return certificate() != nullptr && certificate()->model.n > 0; }

  void section(const std::string& title, const std::string& explanation, const std::string& body) {
    if (body.empty()) return;
    out_ += "<section><h2>" + title + "</h2><p>" + explanation + "</p>\n" + body + "</section>\n";
  }

  // "int8 in 15 layers and int4 g128 in 5".
  std::string precisions() const {
    std::map<compress::LayerFormat, uint64_t> layers;
    for (const compress::LayerResult& l : r_.layers) ++layers[l.chosen];
    std::string text;
    for (auto at = layers.begin(); at != layers.end(); ++at) {
      if (!text.empty()) text += std::next(at) == layers.end() ? " and " : ", ";
      text += escaped(name_of(at->first)) + " in " + count_text(at->second, "layer", "layers");
    }
    return text;
  }

  std::string what_was_done() const {
    std::string text = name_html(file_name(o_.source)) + " (" + bytes_text(r_.source_bytes) + ") " +
                       (r_.refusals.empty() ? "became " : "would become ") + bytes_text(r_.file_bytes);
    if (r_.source_bytes > 0)
      text += ", " +
              percent_text(static_cast<double>(r_.file_bytes) / static_cast<double>(r_.source_bytes), 1) +
              " of its size";
    if (!r_.layers.empty()) text += ", with " + precisions();
    return text + ". ";
  }

  std::string what_was_proven() const {
    const Certificate& c = *certificate();
    std::string text;
    if (c.by_command())
      text += "On " + count_text(static_cast<uint64_t>(c.items), "item", "items") +
              " that the search never saw, the metric went from " + format("%.6g", c.baseline_value) +
              " to " + format("%.6g", c.value) + "; one number has no interval, so nothing is certified. ";
    if (proven()) {
      text += "On " + count_text(static_cast<uint64_t>(c.model.n), "item", "items") +
              " that the search never saw, " + escaped(c.metric) + " went from " +
              percent_text(c.baseline.value()) + " to " + percent_text(c.model.value()) + ": a drop of " +
              points_text(c.drop.drop) + " points (95 %: " + drop_interval_text(c.drop.interval) + ")";
      if (c.max_drop >= 0) text += "; the limit is " + points_text(c.max_drop);
      text += ". ";
    }
    return text + "One inference takes " + ms_text(c.ms) + " ms instead of " + ms_text(c.baseline_ms) +
           " ms. ";
  }

  void verdict(const char* css_class, const std::string& word, const std::string& body) {
    out_ += std::string("<div class=\"verdict ") + css_class + "\"><b>" + word + "</b>" + body + "</div>\n";
  }

  void add_verdict() {
    std::string done;
    if (certificate() != nullptr) done = what_was_done() + what_was_proven();
    if (!stopped_.is_ok()) return verdict("bad", "Stopped", escaped(stopped_.message()));
    if (!r_.refusals.empty()) {
      std::string list = "<p>No file was written.</p><ul>";
      for (const Finding& f : r_.refusals)
        list += "<li>" + escaped(f.message) + " <small>(<code>--allow " + compress::name_of(f.kind) +
                "</code> writes the file all the same, and the certificate says so)</small></li>";
      return verdict("bad", "Refused",
                     list + "</ul>" + (done.empty() ? "" : "<p>The best found: " + done + "</p>"));
    }
    if (certificate() == nullptr) return verdict("warn", "Not finished", "");
    const Certificate& c = *certificate();
    std::string allowed;
    for (const compress::Refusal kind : c.overridden)
      allowed += (allowed.empty() ? "" : ", ") + std::string(compress::name_of(kind));
    if (!allowed.empty()) return verdict("warn", "Allowed by the user: " + allowed, done);
    if (c.by_command()) return verdict("warn", "Within the limit, not certified", done);
    if (!proven()) return verdict("warn", "Not evaluated", done);
    if (c.max_drop < 0) return verdict("", "Measured, no limit was set", done);
    verdict("good", "Certified: the drop is below " + points_text(c.max_drop) + " points", done);
  }

  void tile(const std::string& value, const std::string& name) {
    out_ += "<div><b>" + value + "</b><span>" + name + "</span></div>";
  }

  void add_tiles() {
    if (certificate() == nullptr) return;
    const Certificate& c = *certificate();
    out_ += "<div class=\"tiles\">";
    if (r_.source_bytes > 0)
      tile(percent_text(static_cast<double>(r_.file_bytes) / static_cast<double>(r_.source_bytes), 1),
           "of the source's size");
    if (chosen() != nullptr && chosen()->bits_per_weight > 0)
      tile(format("%.2f", chosen()->bits_per_weight), "bits per weight, scales included");
    if (proven()) {
      tile(percent_text(c.model.value()),
           escaped(c.metric) + ", proof (original " + percent_text(c.baseline.value()) + ")");
      tile(points_text(c.drop.drop), "points lost, 95 %: " + drop_interval_text(c.drop.interval));
    }
    if (c.ms > 0)
      tile(format(c.baseline_ms >= 10 * c.ms ? "%.0f\xC3\x97" : "%.2g\xC3\x97", c.baseline_ms / c.ms),
           ms_text(c.ms) + " ms, original " + ms_text(c.baseline_ms) + " ms");
    out_ += "</div>\n";
  }

  // Without an evaluation no accuracy stands beside the sizes.
  bool searched() const { return r_.search_items > 0; }

  void add_plot() {
    if (!searched()) return;
    const std::string wide = pareto_plot(o_, r_, {});
    if (wide.empty()) return;
    section("Size against accuracy",
            "Every model that was evaluated. The line joins those that no other beats in both; the proof of "
            "the chosen one "
            "used other items.",
            wide + pareto_plot(o_, r_, {360, 330, 12, "narrow"}) +
                "<p class=\"key\"><span class=\"c\"><i></i>chosen</span><span class=\"b\"><i></i>not "
                "beaten</span>"
                "<span><i></i>beaten by another</span></p>");
  }

  static std::string time_bar(const char* name, double ms, double most, const char* css_class) {
    return "<div class=\"whole\"><div>" + std::string(name) + "</div><svg class=\"time " + css_class +
           "\" width=\"100%\" height=\"18\"><rect height=\"18\" rx=\"3\" width=\"" +
           format("%.2f%%", most > 0 ? 100 * ms / most : 0) + "\"/></svg><div>" + ms_text(ms) +
           " ms</div></div>\n";
  }

  void add_whole() {
    if (certificate() == nullptr || r_.layers.empty()) return;
    const Certificate& c = *certificate();
    std::string key = "<p class=\"key\">";
    std::map<compress::LayerFormat, uint64_t> bytes;
    for (const compress::LayerResult& l : r_.layers) bytes[l.chosen] += l.outcome.bytes;
    for (const auto& [precision, n] : bytes)
      key += "<span>" + precision_chip(precision) + " " + bytes_text(n) + "</span>";
    const double most = std::max(c.baseline_ms, c.ms);
    section("Before and after",
            "The file cut into its layers, in the order they run; the last part is all else. Below: " +
                (c.times_of.empty()
                     ? std::string("median time of one inference on this machine, runs of both in turns.")
                     : "time of one inference by layer times of " + escaped(c.times_of) + "."),
            size_bars(r_) + key + "</p>" + time_bar("original", c.baseline_ms, most, "was") +
                time_bar("result", c.ms, most, ""));
  }

  void add_layers() {
    if (certificate() == nullptr || r_.layers.empty()) return;
    section("Layer by layer",
            "Pale bars: the original. The hollow dot is the layer's own error, with exact values at its "
            "input; the full dot "
            "is the error that has come together up to here. 6 dB are one bit.",
            layer_chart(r_));
    const std::string table = measurement_table(r_);
    if (!table.empty())
      section("What the choice was made from",
              "Each layer alone in each precision, all others in full: distance of the model's outputs from "
              "the original's, "
              "bytes and time of the layer.",
              "<details><summary>" + count_text(r_.layers.size(), "layer", "layers") + "</summary>" + table +
                  "</details>");
  }

  // The scale ends where all are right, and begins at `low`.
  static std::string class_row(const ClassResult& c, double low) {
    const bool better = c.loss() <= 0;
    const auto place = [&](double v) { return format("%.2f%%", 100 * (v - low) / (1 - low)); };
    const std::string a = place(c.before.value()), b = place(c.after.value());
    return "<div>" + format("%lld", static_cast<long long>(c.label)) + " <small>(" +
           count_text(static_cast<uint64_t>(c.before.n), "item", "items") +
           ")</small></div><svg width=\"100%\" height=\"16\" aria-hidden=\"true\"><line" +
           (better ? " class=\"better\"" : "") + " x1=\"" + a + "\" x2=\"" + b +
           "\" y1=\"8\" y2=\"8\"/><circle class=\"local\" cx=\"" + a + "\" cy=\"8\" r=\"4\"/><circle" +
           (better ? " class=\"better\"" : "") + " cx=\"" + b + "\" cy=\"8\" r=\"4\"/></svg><div>" +
           percent_text(c.before.value(), 1) + " \xE2\x86\x92 " + percent_text(c.after.value(), 1) +
           "</div>\n";
  }

  void add_classes() {
    if (r_.classes.empty()) return;
    std::string rows = "<div class=\"classes\">";
    const size_t shown = std::min(kShownClasses, r_.classes.size());
    double low = 0.9;
    for (size_t i = 0; i < shown; ++i)
      low = std::min({low, r_.classes[i].before.value(), r_.classes[i].after.value()});
    low = std::floor(10 * low) / 10;
    for (size_t i = 0; i < shown; ++i) rows += class_row(r_.classes[i], low);
    rows += "</div>";
    if (shown < r_.classes.size())
      rows += "<p class=\"faint\">" + count_text(r_.classes.size() - shown, "other class", "other classes") +
              " lost at most " + points_text(r_.classes[shown].loss(), 1) + " points.</p>";
    section("Classes, worst first",
            "Accuracy of each class (by label) on the proof items, hollow before, full after. One class has "
            "few items: "
            "differences of a few points are noise. Scale: " +
                percent_text(low, 0) + " to 100 %.",
            rows);
  }

  void add_table() {
    if (r_.candidates.empty() || !searched()) return;
    std::string rows;
    for (size_t i = 0; i < r_.candidates.size(); ++i) {
      const Candidate& c = r_.candidates[i];
      const char* mark = i == r_.chosen ? "chosen" : c.pareto ? "not beaten" : "";
      rows += std::string("<tr") + (i == r_.chosen ? " class=\"on\"" : "") + "><td>" + escaped(c.name) +
              "</td><td class=\"n\">" + format("%.2f", c.bits_per_weight) + "</td><td class=\"n\">" +
              bytes_text(c.bytes) + "</td><td class=\"n\">" +
              (r_.source_bytes > 0
                   ? percent_text(static_cast<double>(c.bytes) / static_cast<double>(r_.source_bytes), 1)
                   : std::string()) +
              "</td><td class=\"n\">" + percent_text(c.value) + "</td><td class=\"n\">" +
              interval_text(c.interval) + "</td><td class=\"n\">" + points_text(c.drop) +
              "</td><td class=\"n\">" + ms_text(c.ms) + "</td><td>" + mark + "</td></tr>\n";
    }
    section("All models tried",
            "On the search items. Bits per weight count the layers that could change, scales included.",
            "<div class=\"scroll\"><table><tr><th>precision</th><th class=\"n\">bits</th><th "
            "class=\"n\">size</th>"
            "<th class=\"n\">size %</th><th class=\"n\">" +
                escaped(o_.metric) +
                "</th><th class=\"n\">95 %</th><th class=\"n\">drop, points</th><th class=\"n\">ms per "
                "inference</th>"
                "<th></th></tr>\n" +
                rows + "</table></div>");
  }

  static std::string fact(const std::string& html) { return "<li>" + html + "</li>"; }

  std::string outputs_fact() const {
    if (certificate() == nullptr || certificate()->outputs.items == 0) return "";
    const compress::Closeness& c = certificate()->outputs;
    return fact("outputs against the original's on " +
                count_text(static_cast<uint64_t>(c.items), "item", "items") +
                format(": KL divergence %.3g nats, SQNR %s, cosine %.6f, mean error %.3g, largest %.3g", c.kl,
                       (c.scores.fidelity() == eval::Fidelity::normal ? db_text(c.scores.sqnr_db())
                                                                      : eval::name_of(c.scores.fidelity()))
                           .c_str(),
                       c.scores.cosine(), c.scores.mean_shift(), c.scores.max_abs_error()));
  }

  void add_method() {
    std::string list = "<ul class=\"facts\">";
    if (!o_.calibration.empty())
      list +=
          fact("calibration: " + count_text(static_cast<uint64_t>(r_.calibration_items), "item", "items") +
               " of " + name_html(file_name(o_.calibration)));
    if (!o_.evaluation.empty())
      list += fact("evaluation: " + name_html(file_name(o_.evaluation)) +
                   ", split by the content of each item: " +
                   format("%lld", static_cast<long long>(r_.search_items)) + " to search with, " +
                   format("%lld", static_cast<long long>(r_.proof_items)) + " for the proof, seen once");
    if (proven())
      list += fact(
          "the gate: both models on the same items; the one-sided 95 % bound of the drop (Tango's paired "
          "interval) decides");
    list += outputs_fact();
    list += fact(count_text(o_.threads, "thread", "threads"));
    for (const std::string& note : r_.notes) list += fact(escaped(note));
    section("How this was measured, and notes", "", list + "</ul>");
  }

  const compress::CompressOptions& o_;
  const compress::CompressReport& r_;
  const Status& stopped_;
  std::string out_;
};

bool ends_in(const std::string& path, const char* ending) { return path.ends_with(ending); }

}  // namespace

std::string report_html(const compress::CompressOptions& options, const compress::CompressReport& report,
                        const Status& stopped) {
  return Page(options, report, stopped).make();
}

Status check_report_path(const std::string& path) {
  if (ends_in(path, ".html") || ends_in(path, ".json")) return Status::ok();
  return Status(Code::bad_argument, "--report '" + path + "': expected a name that ends in .html or .json");
}

Status write_report(const std::string& path, const compress::CompressOptions& options,
                    const compress::CompressReport& report, const Status& stopped) {
  PITH_RETURN_IF_ERROR(check_report_path(path));
  const std::string text =
      ends_in(path, ".json") ? compress::report_json(report) + "\n" : report_html(options, report, stopped);
  return data::write_file_atomically(path, text.data(), text.size());
}

}  // namespace pith::report
