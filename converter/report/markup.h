// Small pieces of an HTML page: text made safe, numbers made readable, SVG elements.
// Pages are written as XML that is also HTML: every element closed, every attribute quoted.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace pith::report {

// Text from anywhere (names in a hostile model) as element or attribute text: markup characters become entities; bytes
// that are not UTF-8, control characters and characters that change the direction of writing become U+FFFD.
std::string escaped(std::string_view text);
// The same in an element that keeps a right-to-left name from moving what stands beside it.
std::string name_html(std::string_view name);

// "512 B", "12.3 kB", "4.56 MB"; thousands, as disks count.
std::string bytes_text(uint64_t bytes);
// 0.8127 -> "81.27 %".
std::string percent_text(double share, int digits = 2);
// A difference of shares in points, with a real minus: "-0.61" as "−0.61".
std::string points_text(double share, int digits = 2);
// Three figures that matter: "0.0127", "1.07", "356".
std::string ms_text(double ms);
// "24.79 dB"; infinite: "exact".
std::string db_text(double db);
std::string count_text(uint64_t n, const char* one, const char* many);  // "1 layer", "20 layers"

// Attribute values of SVG: short, never NaN.
std::string svg_number(double v);
// <text x y class>..</text>; `text` is escaped here.
std::string svg_text(double x, double y, const char* css_class, std::string_view text);
std::string svg_line(double x1, double y1, double x2, double y2, const char* css_class);

}  // namespace pith::report
