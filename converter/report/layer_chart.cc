// Rows are HTML, so that they fold on narrow screens; the bars in them are SVG in shares of their width.
#include "converter/report/layer_chart.h"

#include <algorithm>
#include <cmath>

#include "converter/report/markup.h"

namespace pith::report {
namespace {

using compress::LayerResult;

constexpr double kMostDb = 60;  // the right end of the scale of errors; what is better is drawn there

std::string share(double part, double of) {
  return format("%.2f%%", of > 0 ? std::clamp(100 * part / of, 0.0, 100.0) : 0.0);
}

// "ConvOptions" is the schema's word.
std::string op_text(std::string op) {
  constexpr std::string_view kEnding = "Options";
  if (op.ends_with(kEnding)) op.resize(op.size() - kEnding.size());
  return op;
}

std::string precision_class(const compress::LayerFormat& f) {
  return std::string("p-") + pith::name_of(f.precision);
}

std::string bars(double before, double after, double most, const std::string& css_class) {
  return "<svg class=\"bar\" height=\"16\" width=\"100%\" aria-hidden=\"true\"><rect class=\"before\" "
         "y=\"2\" height=\"12\" rx=\"2\" width=\"" +
         share(before, most) + "\"/><rect class=\"" + css_class +
         "\" y=\"4\" height=\"8\" rx=\"1.5\" width=\"" + share(after, most) + "\"/></svg>";
}

double db_place(const eval::TensorError& e) {
  switch (e.fidelity()) {
    case eval::Fidelity::identical:
      return kMostDb;
    case eval::Fidelity::normal:
      return std::clamp(e.sqnr_db(), 0.0, kMostDb);
    case eval::Fidelity::silent:
    case eval::Fidelity::not_finite:
      break;
  }
  return 0;
}

std::string db_text(const std::optional<eval::TensorError>& e) {
  if (!e) return "\xE2\x80\x93";
  return e->fidelity() == eval::Fidelity::normal ? format("%.1f", e->sqnr_db())
                                                 : eval::name_of(e->fidelity());
}

// A hollow dot for the layer's own error, a full one for all errors up to it.
std::string error_dots(const compress::LayerOutcome& o, const std::string& css_class) {
  std::string out = "<svg class=\"dots\" height=\"16\" width=\"100%\" aria-hidden=\"true\">";
  for (const double db : {0.0, 20.0, 40.0, 60.0}) {
    const std::string x = share(db, kMostDb);
    out += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"16\"/>";
  }
  if (o.local && o.cumulative) {
    const std::string a = share(db_place(*o.local), kMostDb), b = share(db_place(*o.cumulative), kMostDb);
    out += "<line class=\"span\" x1=\"" + a + "\" x2=\"" + b + "\" y1=\"8\" y2=\"8\"/>";
    out += "<circle class=\"cumulative " + css_class + "\" cx=\"" + b + "\" cy=\"8\" r=\"4.5\"/>";
    out += "<circle class=\"local " + css_class + "\" cx=\"" + a + "\" cy=\"8\" r=\"4\"/>";
  }
  return out + "</svg>";
}

std::string row(const LayerResult& layer, double most_bytes, double most_ms) {
  const compress::LayerOutcome& o = layer.outcome;
  const std::string css = precision_class(layer.chosen);
  std::string out = "<div class=\"layer\"><div class=\"who\">" + name_html(layer.unit.name) + "<small>" +
                    escaped(op_text(layer.unit.op));
  if (layer.unit.nodes.size() > 1) out += ", " + count_text(layer.unit.nodes.size(), "node", "nodes");
  out += "</small></div>" + precision_chip(layer.chosen);
  out += "<div class=\"cell\" data-label=\"size\">" +
         bars(static_cast<double>(o.float_bytes), static_cast<double>(o.bytes), most_bytes, css) + "<span>" +
         bytes_text(o.float_bytes) + " \xE2\x86\x92 " + bytes_text(o.bytes) + "</span></div>";
  out += "<div class=\"cell\" data-label=\"signal to noise\">" + error_dots(o, css) + "<span>" +
         db_text(o.local) + " / " + db_text(o.cumulative) + "</span></div>";
  out += "<div class=\"cell\" data-label=\"time\">";
  if (o.float_ms > 0 && o.ms > 0)
    out += bars(o.float_ms, o.ms, most_ms, css) + "<span>" + ms_text(o.float_ms) + " \xE2\x86\x92 " +
           ms_text(o.ms) + "</span>";
  else
    out += "<span>not a step of its own</span>";
  return out + "</div></div>\n";
}

std::string segment(double x, double width, double total, const std::string& css_class,
                    const std::string& title) {
  return "<rect class=\"" + css_class + "\" x=\"" + share(x, total) + "\" y=\"0\" height=\"30\" width=\"" +
         share(width, total) + "\"><title>" + title + "</title></rect>";
}

// `bytes` of the whole file; `total` is what the full width stands for.
template <class BytesFn>
std::string stacked(const std::vector<LayerResult>& layers, uint64_t bytes, double total, bool before,
                    const BytesFn& bytes_of) {
  std::string out = "<svg class=\"stack\" width=\"100%\" height=\"30\">";
  double x = 0;
  for (const LayerResult& layer : layers) {
    const auto part = static_cast<double>(bytes_of(layer));
    out += segment(x, part, total, before ? "p-before" : precision_class(layer.chosen),
                   escaped(layer.unit.name) + ": " + bytes_text(bytes_of(layer)));
    x += part;
  }
  const double rest = std::max(static_cast<double>(bytes) - x, 0.0);
  out += segment(x, rest, total, "p-rest", "all else: " + bytes_text(static_cast<uint64_t>(rest)));
  return out + "</svg>";
}

}  // namespace

std::string precision_chip(const compress::LayerFormat& format) {
  return "<span class=\"chip " + precision_class(format) + "\">" + escaped(name_of(format)) + "</span>";
}

std::string layer_chart(const compress::CompressReport& report) {
  double most_bytes = 0, most_ms = 0;
  for (const LayerResult& layer : report.layers) {
    const compress::LayerOutcome& o = layer.outcome;
    most_bytes = std::max(most_bytes, static_cast<double>(std::max(o.float_bytes, o.bytes)));
    most_ms = std::max({most_ms, o.float_ms, o.ms});
  }
  std::string out =
      "<div class=\"layers\"><div class=\"layer head\"><div>layer</div><div>precision</div><div>size</div>"
      "<div>signal to noise, dB<div class=\"scale\"><i>0</i><i>20</i><i>40</i><i>60</i></div></div>"
      "<div>time, ms</div></div>\n";
  for (const LayerResult& layer : report.layers) out += row(layer, most_bytes, most_ms);
  return out + "</div>";
}

std::string size_bars(const compress::CompressReport& report) {
  const double total = static_cast<double>(std::max({report.source_bytes, report.file_bytes, uint64_t{1}}));
  const auto line = [&](const char* name, uint64_t bytes, const std::string& bar) {
    return "<div class=\"whole\"><div>" + std::string(name) + "</div>" + bar + "<div>" + bytes_text(bytes) +
           "</div></div>\n";
  };
  return line("source", report.source_bytes,
              stacked(report.layers, report.source_bytes, total, true,
                      [](const LayerResult& l) { return l.outcome.float_bytes; })) +
         line("result", report.file_bytes,
              stacked(report.layers, report.file_bytes, total, false,
                      [](const LayerResult& l) { return l.outcome.bytes; }));
}

std::string measurement_table(const compress::CompressReport& report) {
  std::string rows;
  for (const LayerResult& layer : report.layers)
    for (const compress::FormatMeasure& m : layer.measured.formats) {
      rows += std::string("<tr") + (m.format == layer.chosen ? " class=\"on\"" : "") + "><td>" +
              name_html(layer.unit.name) + "</td><td>" + precision_chip(m.format) + "</td>";
      if (!m.failure.empty()) {
        rows += "<td colspan=\"4\">" + escaped(m.failure) + "</td></tr>\n";
        continue;
      }
      const double noise = m.distance.noise_share;
      rows += "<td class=\"n\">" +
              (noise > 0 ? format("%.1f", -10 * std::log10(noise)) : std::string("exact")) +
              "</td><td class=\"n\">" + format("%.2g", m.distance.kl) + "</td><td class=\"n\">" +
              bytes_text(m.bytes) + "</td><td class=\"n\">" + ms_text(m.ms) + "</td></tr>\n";
    }
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table><tr><th>layer</th><th>alone in</th><th>output SQNR, dB</th><th>KL, "
         "nats</th>"
         "<th>bytes</th><th>ms</th></tr>\n" +
         rows + "</table></div>";
}

}  // namespace pith::report
