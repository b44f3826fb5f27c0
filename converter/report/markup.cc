// Escaping by whole characters, so that no broken sequence swallows the markup behind it.
#include "converter/report/markup.h"

#include <cmath>

#include "runtime/base/status.h"

namespace pith::report {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed UTF-8 sequence at the front and its character; 0 when there is none.
size_t decode(std::string_view s, uint32_t* character) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(s[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) {
    *character = first;
    return 1;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || s.size() < length) return 0;
  uint32_t c = first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    c = c << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
  *character = c;
  return length;
}

bool is_harmful(uint32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) || c == 0xFFFE || c == 0xFFFF ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

const char* entity_of(uint32_t c) {
  switch (c) {
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return nullptr;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    uint32_t c = 0;
    const size_t length = decode(text.substr(at), &c);
    if (length == 0 || is_harmful(c))
      out += kReplacement;
    else if (const char* entity = entity_of(c); entity != nullptr)
      out += entity;
    else
      out += text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::string name_html(std::string_view name) { return "<bdi>" + escaped(name) + "</bdi>"; }

std::string bytes_text(uint64_t bytes) {
  const auto n = static_cast<double>(bytes);
  if (bytes < 1000) return format("%d B", static_cast<int>(bytes));
  if (n < 1e6) return format("%.1f kB", n / 1e3);
  if (n < 1e9) return format("%.2f MB", n / 1e6);
  return format("%.2f GB", n / 1e9);
}

std::string percent_text(double share, int digits) { return format("%.*f %%", digits, 100 * share); }

std::string points_text(double share, int digits) {
  const std::string text = format("%.*f", digits, std::fabs(100 * share));
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return (share < 0 && !zero ? "\xE2\x88\x92" : "") + text;
}

std::string ms_text(double ms) {
  if (!std::isfinite(ms)) return "?";
  if (ms >= 100) return format("%.0f", ms);
  if (ms >= 10) return format("%.1f", ms);
  if (ms >= 1) return format("%.2f", ms);
  return format(ms >= 0.1 ? "%.3f" : "%.4f", ms);
}

std::string db_text(double db) { return std::isfinite(db) ? format("%.2f dB", db) : std::string("exact"); }

std::string count_text(uint64_t n, const char* one, const char* many) {
  return format("%llu %s", static_cast<unsigned long long>(n), n == 1 ? one : many);
}

std::string svg_number(double v) {
  std::string text = format("%.1f", std::isfinite(v) ? v : 0.0);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string svg_text(double x, double y, const char* css_class, std::string_view text) {
  return "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" class=\"" + css_class + "\">" +
         escaped(text) + "</text>";
}

std::string svg_line(double x1, double y1, double x2, double y2, const char* css_class) {
  return "<line x1=\"" + svg_number(x1) + "\" y1=\"" + svg_number(y1) + "\" x2=\"" + svg_number(x2) +
         "\" y2=\"" + svg_number(y2) + "\" class=\"" + css_class + "\"/>";
}

}  // namespace pith::report
