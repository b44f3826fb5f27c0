// Sections of a layer: tensors, weights with bars for their codes, the source, what was tried.
#include "cli/explain_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/report/markup.h"
#include "runtime/base/status.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::bytes_text;

constexpr uint64_t kBarWidth = 40;

double number(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && at != object.end() && at->is_number() ? at->get<double>() : NAN;
}
double element(const Json& array, size_t i) {
  return array.is_array() && i < array.size() && array[i].is_number() ? array[i].get<double>() : NAN;
}
std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }
Json child(const Json& object, const char* key) {
  return object.is_object() ? object.value(key, Json()) : Json();
}

std::string tensors_text(const Json& tensors, const char* side) {
  std::string out;
  for (const Json& t : tensors) {
    out += format("  %-8s %s %s %s", side, text(t, "name").c_str(), text(t, "dtype").c_str(),
                  text(t, "shape").c_str());
    if (t.contains("scale"))
      out += format(": scale %.6g, zero point %.0f, holds %.6g to %.6g", number(t, "scale"),
                    number(t, "zero_point"), number(t, "low"), number(t, "high"));
    out += "\n";
  }
  return out;
}

std::string bars_text(const Json& codes) {
  const bool whole = codes.contains("used");
  uint64_t most = 1;
  for (const Json& bin : codes["histogram"]) most = std::max(most, bin["count"].get<uint64_t>());
  std::string out;
  for (const Json& bin : codes["histogram"]) {
    const auto count = bin["count"].get<uint64_t>();
    const size_t filled = static_cast<size_t>((count * kBarWidth + most - 1) / most);
    const double low = number(bin, "low"), high = number(bin, "high");
    const std::string range = !whole        ? format("%11.4g to %11.4g", low, high)
                              : low == high ? format("%26.0f", low)
                                            : format("%11.0f to %11.0f", low, high);
    out += format("%s |%s%s| %llu\n", range.c_str(), std::string(filled, '#').c_str(),
                  std::string(kBarWidth - filled, ' ').c_str(), static_cast<unsigned long long>(count));
  }
  return out;
}

std::string source_text(const Json& s) {
  if (s.contains("missing")) return "  source   not compared: " + text(s, "missing") + "\n";
  const Json worst = child(s, "worst_channel");
  std::string out =
      s.contains("sqnr_db")
          ? format("  source   SQNR %.2f dB, cosine %.6f, largest error %.4g; worst channel %.0f",
                   number(s, "sqnr_db"), number(s, "cosine"), number(s, "max_abs_error"),
                   number(worst, "index"))
          : "  source   " + text(s, "fidelity");
  if (s.contains("sqnr_db") && std::isfinite(number(worst, "sqnr_db")))
    out += format(": %.2f dB", number(worst, "sqnr_db"));
  out +=
      format("\n           its values %.6g to %.6g", number(s["values"], "low"), number(s["values"], "high"));
  if (s["fitted"].get<bool>())
    out += "; compared up to a factor per channel, because scale was moved between layers first";
  if (s.contains("columns_gone"))
    out += format("; %.0f input channels are held elsewhere", number(s, "columns_gone"));
  return out + "\n";
}

std::string weights_text(const Json& w) {
  std::string out =
      format("  constant %s %s, %s: %.0f numbers in %s, %.2f bits each\n", text(w, "tensor").c_str(),
             text(w, "shape").c_str(), text(w, "form").c_str(), number(w, "count"),
             bytes_text(w["bytes"].get<uint64_t>()).c_str(), number(w, "bits_per_weight"));
  const Json& codes = w["codes"];
  out += format("  values   %.6g to %.6g, %.2f %% zero", number(w["values"], "low"),
                number(w["values"], "high"), 100 * number(codes, "zero_share"));
  if (w.contains("scales"))
    out += format("; %.0f scales, %.4g to %.4g", number(w["scales"], "count"), number(w["scales"], "low"),
                  number(w["scales"], "high"));
  out += "\n";
  if (w.contains("source")) out += source_text(w["source"]);
  if (codes.contains("used"))
    out += format("  codes    %.0f of %.0f used, %.2f %% at the ends, %.2f bits of entropy\n",
                  number(codes, "used"), number(codes, "high") - number(codes, "low") + 1,
                  100 * number(codes, "end_share"), number(codes, "entropy_bits"));
  return number(w, "count") > 1 ? out + bars_text(codes) : out;
}

std::string alone_text(const Json& alone, const std::string& precision) {
  if (!alone.is_object() || alone.empty()) return "";
  std::string out = "  formats, this layer alone:      KL divergence     bytes        ms\n";
  for (const auto& [name, row] : alone.items())
    out += format("  %c %-28s %14.3g %9.0f %9.3g\n", name == precision ? '*' : ' ', name.c_str(),
                  element(row, 0), element(row, 1), element(row, 2));
  return out;
}

// {name: figure}, the least first; `figure` says what it is.
std::string ranking_text(const Json& tried, const char* title, const char* winner) {
  if (!tried.is_object() || tried.empty()) return "";
  std::vector<std::pair<double, std::string>> rows;
  for (const auto& [name, v] : tried.items())
    rows.emplace_back(v.is_number() ? v.get<double>() : INFINITY, name);
  std::stable_sort(rows.begin(), rows.end());
  std::string out = format("  %s\n", title);
  for (const auto& [v, name] : rows)
    out += format("  %c %-28s %14.4g\n", name == winner ? '*' : ' ', name.c_str(), v);
  return out;
}

std::string tried_text(const Json& tried, const std::string& precision) {
  if (!tried.is_object()) return "  tried    nothing is kept in this file (`pith compress` keeps it)\n";
  const auto winner = [&](const char* key) {
    const Json v = child(tried, key);
    return v.is_string() ? v.get<std::string>() : std::string();
  };
  return alone_text(child(tried, "alone"), precision) +
         ranking_text(child(tried, "codes"),
                      "codes by method, share of the product that is lost on held-back rows:",
                      winner("code").c_str()) +
         ranking_text(
             child(tried, "ranges"),
             "range of the input by method, squared error on held-back items:", winner("range").c_str());
}

std::string layer_text(const Json& layer) {
  const std::string precision = text(layer, "precision");
  std::string out =
      format("%s: %s, %s\n", text(layer, "name").c_str(), text(layer, "op").c_str(), precision.c_str());
  out += tensors_text(layer["inputs"], "input") + tensors_text(layer["outputs"], "output");
  for (const Json& w : layer["weights"]) out += weights_text(w);
  return layer["weights"].empty() ? out : out + tried_text(layer["tried"], precision);
}

std::string list_text(const Json& layers) {
  std::string out =
      format("%-18s %-14s %9s %10s %6s  layer\n", "operator", "precision", "weights", "bytes", "bits");
  for (const Json& l : layers)
    out += format("%-18s %-14s %9.0f %10.0f %6.2f  %s\n", text(l, "op").c_str(), text(l, "precision").c_str(),
                  number(l, "weights"), number(l, "bytes"), number(l, "bits_per_weight"),
                  text(l, "name").c_str());
  return out;
}

}  // namespace

std::string explain_text(const Json& explained) {
  const Json& layers = explained["layers"];
  if (!layers.empty() && layers[0].contains("bytes")) return list_text(layers);
  std::string out;
  if (explained.contains("float_form")) {
    const std::string form = text(explained, "float_form");
    if (form != "as-it-came") out = "the float model was rewritten before quantizing: " + form + "\n";
  }
  for (const Json& layer : layers) out += (out.empty() ? "" : "\n") + layer_text(layer);
  return out.empty() ? "no operator of this model has weights\n" : out;
}

}  // namespace pith::cli
