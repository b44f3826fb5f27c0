// Sizes, layers, other operators, metadata, verdict.
#include "cli/diff_text.h"

#include <nlohmann/json.hpp>

#include "converter/report/markup.h"
#include "runtime/base/status.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::bytes_text;

constexpr size_t kShownValue = 60;  // characters of a metadata value

std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

std::string sizes_text(const Json& a, const Json& b) {
  const auto row = [](const char* what, const std::string& x, const std::string& y) {
    return format("%-16s %14s %14s\n", what, x.c_str(), y.c_str());
  };
  const auto bytes = [&](const char* what, const char* key) {
    return row(what, bytes_text(a[key].get<uint64_t>()), bytes_text(b[key].get<uint64_t>()));
  };
  const auto count = [&](const char* what, const char* key) {
    return row(what, std::to_string(a[key].get<uint64_t>()), std::to_string(b[key].get<uint64_t>()));
  };
  return row("", text(a, "file"), text(b, "file")) + bytes("file", "bytes") +
         bytes("constants", "constant_bytes") + count("parameters", "parameters") +
         row("bits per weight", format("%.2f", a["bits_per_weight"].get<double>()),
             format("%.2f", b["bits_per_weight"].get<double>())) +
         count("operators", "operators");
}

std::string from_to(const std::string& a, const std::string& b) { return a == b ? a : a + " -> " + b; }

std::string distance_text(const Json& w) {
  if (w["same"].get<bool>()) return "same";
  if (w.contains("missing")) return "cannot be compared: " + text(w, "missing");
  const std::string note = w["fitted"].get<bool>() ? " (up to factors of channels)" : "";
  if (!w.contains("sqnr_db")) return text(w, "fidelity") + " values, stored otherwise" + note;
  return format("%.2f dB", w["sqnr_db"].get<double>()) + note;
}

std::string changes_text(const Json& node) {
  std::string out;
  for (const Json& change : node["changes"]) out += (out.empty() ? "" : ", ") + change.get<std::string>();
  return out;
}

std::string layers_text(const Json& layers) {
  if (layers.empty()) return "";
  std::string out = format("\n%-24s %-16s %-10s  layer\n", "precision", "bits per weight", "weights");
  for (const Json& layer : layers)
    for (const Json& w : layer["weights"]) {
      const auto bits = [&](size_t side) { return format("%.2f", w["bits_per_weight"][side].get<double>()); };
      const std::string changes = changes_text(layer);
      out += format(
          "%-24s %-16s %-10s  %s%s\n",
          from_to(layer["precision"][0].get<std::string>(), layer["precision"][1].get<std::string>()).c_str(),
          from_to(bits(0), bits(1)).c_str(), distance_text(w).c_str(), text(layer, "name").c_str(),
          changes.empty() ? "" : (" (also: " + changes + ")").c_str());
    }
  return out;
}

std::string nodes_text(const Json& nodes, const std::string& title) {
  std::string out;
  for (const Json& n : nodes)
    out += format("%s: %s %s\n", title.c_str(), text(n, "op").c_str(), text(n, "name").c_str());
  return out;
}

std::string changed_text(const Json& changed) {
  std::string out;
  for (const Json& n : changed)
    out +=
        format("changed: %s (%s; %s)\n", text(n, "name").c_str(), changes_text(n).c_str(),
               from_to(n["precision"][0].get<std::string>(), n["precision"][1].get<std::string>()).c_str());
  return out;
}

std::string value_text(const Json& v) {
  if (v.is_null()) return "absent";
  const std::string s = v.is_string() ? v.get<std::string>() : v.dump();
  return s.size() <= kShownValue ? s : format("%zu bytes", s.size());
}

}  // namespace

std::string diff_text(const Json& d) {
  std::string out = sizes_text(d["a"], d["b"]) + layers_text(d["layers"]) + "\n";
  out += nodes_text(d["removed"], "only in " + text(d["a"], "file"));
  out += nodes_text(d["added"], "only in " + text(d["b"], "file"));
  out += changed_text(d["changed"]);
  if (!d["same_interface"].get<bool>()) out += "inputs or outputs of the model differ\n";
  if (!d["same_order"].get<bool>()) out += "operators run in another order\n";
  for (const Json& m : d["metadata"])
    out += format("%s: %s -> %s\n", text(m, "key").c_str(), value_text(m["a"]).c_str(),
                  value_text(m["b"]).c_str());
  if (d["equal"].get<bool>()) return out + "the models are equal\n";
  return out + (d["same_program_and_weights"].get<bool>()
                    ? "program and weights are the same, metadata differ\n"
                    : "the models differ\n");
}

}  // namespace pith::cli
