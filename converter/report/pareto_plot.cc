// Sizes on a scale of doublings, because half and a quarter are what people ask for; accuracy linear, cut where single
// failures would flatten all the others.
#include "converter/report/pareto_plot.h"

#include <algorithm>
#include <cmath>

#include "converter/report/markup.h"

namespace pith::report {
namespace {

using compress::Candidate;

constexpr double kLongestDrop = 0.15;  // points farther below the best are drawn at the lower edge
constexpr double kCharacter = 0.56;    // mean width of a character, of the text's size

struct Box {
  double x = 0, y = 0, w = 0, h = 0;
  bool soft = false;  // a line: a label may cross it when there is no better place
  bool meets(const Box& o) const { return x < o.x + o.w && o.x < x + w && y < o.y + o.h && o.y < y + h; }
};

bool is_named(const Candidate& c) { return c.name.rfind("mix", 0) != 0 && c.name.rfind("repair", 0) != 0; }

class Plot {
 public:
  Plot(const compress::CompressOptions& options, const compress::CompressReport& report,
       const PlotFrame& frame)
      : options_(options), r_(report), f_(frame) {
    left_ = 4.6 * f_.text, right_ = f_.width - 1.6 * f_.text;
    top_ = 1.6 * f_.text, bottom_ = f_.height - 4.4 * f_.text;
    scale();
  }

  std::string draw() {
    out_ = "<svg class=\"plot " + std::string(f_.css_class) + "\" viewBox=\"0 0 " + svg_number(f_.width) +
           " " + svg_number(f_.height) +
           "\" role=\"img\" aria-label=\"Size against accuracy of every model tried\">";
    draw_axes();
    draw_limits();
    draw_front();
    for (size_t i = 0; i < r_.candidates.size(); ++i)
      if (i != r_.chosen) draw_point(i);
    if (r_.chosen < r_.candidates.size()) draw_point(r_.chosen);
    draw_labels();
    return out_ + "</svg>";
  }

 private:
  void scale() {
    double least = INFINITY, most = 0, low = 1, high = 0, best = 0;
    for (const Candidate& c : r_.candidates) best = std::max(best, c.value);
    for (const Candidate& c : r_.candidates) {
      least = std::min(least, static_cast<double>(c.bytes)),
      most = std::max(most, static_cast<double>(c.bytes));
      high = std::max(high, c.interval.high);
      if (c.value >= best - kLongestDrop) low = std::min(low, c.interval.low);
    }
    if (limit() && *limit() > best - kLongestDrop) low = std::min(low, *limit());
    const double room = std::max(0.04 * (high - low), 1e-4);
    low_ = std::max(low - room, 0.0), high_ = std::min(high + room, 1.0);
    if (high_ <= low_) high_ = low_ + 0.01;
    log_least_ = std::log2(std::max(least, 1.0)) - 0.2, log_most_ = std::log2(std::max(most, 2.0)) + 0.35;
  }
  double x_of(double bytes) const {
    return left_ +
           (right_ - left_) * (std::log2(std::max(bytes, 1.0)) - log_least_) / (log_most_ - log_least_);
  }
  double y_of(double value) const {
    return bottom_ - (bottom_ - top_) * (std::clamp(value, low_, high_) - low_) / (high_ - low_);
  }
  bool is_cut(const Candidate& c) const { return c.value < low_; }

  const Candidate* original() const {
    for (const Candidate& c : r_.candidates)
      if (c.plan.empty()) return &c;
    return nullptr;
  }
  std::optional<double> limit() const {
    if (!options_.budgets.max_drop || original() == nullptr) return std::nullopt;
    return original()->value - *options_.budgets.max_drop;
  }

  void draw_axes() {
    const double span = 100 * (high_ - low_);
    double step = 0.1;
    for (const double s : {0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0})
      if (span / step > 7) step = s;
    for (double v = std::ceil(100 * low_ / step) * step; v <= 100 * high_ + 1e-9; v += step) {
      const double y = y_of(v / 100);
      out_ += svg_line(left_, y, right_, y, "grid");
      out_ += svg_text(left_ - 0.6 * f_.text, y + 0.35 * f_.text, "axis end",
                       format("%.*f", step < 1 ? 1 : 0, v));
    }
    const double source = static_cast<double>(r_.source_bytes);
    for (double share = 1; source > 0 && share > 1e-3; share /= 2) {
      const double lg = std::log2(source * share);
      if (lg < log_least_ || lg > log_most_) continue;
      const double x = x_of(source * share);
      out_ += svg_line(x, top_, x, bottom_, "grid");
      out_ += svg_text(x, bottom_ + 1.4 * f_.text, "axis mid", format("%g %%", 100 * share));
      out_ += svg_text(x, bottom_ + 2.6 * f_.text, "axis faint mid",
                       bytes_text(static_cast<uint64_t>(source * share)));
    }
    out_ += svg_text(0, 0.9 * f_.text, "axis", options_.metric + " in % on the search items, 95 % intervals");
    out_ += svg_text(left_, f_.height - 0.1 * f_.text, "axis", "size, as a share of the source file");
  }

  void draw_limits() {
    if (original() == nullptr) return;
    const double y = y_of(original()->value);
    out_ += svg_line(left_, y, right_, y, "baseline");
    taken_.push_back({left_, y - 1, right_ - left_, 2, true});
    if (!limit() || *limit() < low_) return;
    const double below = y_of(*limit());
    out_ += svg_line(left_, below, right_, below, "limit");
    taken_.push_back({left_, below - 1, right_ - left_, 2, true});
    const std::string text =
        "limit: " + points_text(*options_.budgets.max_drop) + " points below the original";
    out_ += svg_text(right_, below + 1.1 * f_.text, "limitname end", text);
    const double w = width_of(text);
    taken_.push_back({right_ - w, below, w, 1.3 * f_.text});
  }
  double width_of(const std::string& text) const {
    return kCharacter * f_.text * static_cast<double>(text.size());
  }

  // From point to point of the front: nothing was tried between them.
  void draw_front() {
    std::vector<const Candidate*> front;
    for (const Candidate& c : r_.candidates)
      if (c.pareto && !is_cut(c)) front.push_back(&c);
    std::sort(front.begin(), front.end(), [](auto* a, auto* b) { return a->bytes < b->bytes; });
    for (size_t i = 1; i < front.size(); ++i) {
      const double x1 = x_of(static_cast<double>(front[i - 1]->bytes)), y1 = y_of(front[i - 1]->value);
      const double x2 = x_of(static_cast<double>(front[i]->bytes)), y2 = y_of(front[i]->value);
      out_ += svg_line(x1, y1, x2, y2, "front");
      for (double t = 0; t <= 1; t += 1.0 / 64)
        taken_.push_back({x1 + t * (x2 - x1) - 1, y1 + t * (y2 - y1) - 1, 2, 2, true});
    }
  }

  void draw_point(size_t i) {
    const Candidate& c = r_.candidates[i];
    const bool chosen = i == r_.chosen;
    const double x = x_of(static_cast<double>(c.bytes)), y = y_of(c.value),
                 r = chosen     ? 7
                     : c.pareto ? 5.5
                                : 4;
    const char* kind = chosen ? "chosen" : c.pareto ? "best" : is_named(c) ? "other" : "step";
    out_ += "<g class=\"point " + std::string(kind) + "\"><title>" + escaped(c.name) + ": " +
            bytes_text(c.bytes) + ", " + percent_text(c.value) + " (" + percent_text(c.interval.low) +
            " to " + percent_text(c.interval.high) + "), " + ms_text(c.ms) + " ms</title>";
    if (is_cut(c)) {
      out_ += "<path d=\"M" + svg_number(x - 5) + " " + svg_number(bottom_ - 10) + "h10l-5 9z\"/>";
    } else {
      const double up = y_of(c.interval.high), down = y_of(c.interval.low);
      out_ += svg_line(x, up, x, down, "whisker") + svg_line(x - 4, up, x + 4, up, "whisker") +
              svg_line(x - 4, down, x + 4, down, "whisker");
      out_ +=
          "<circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) + "\" r=\"" + svg_number(r) + "\"/>";
      taken_.push_back({x - r, y - r, 2 * r, 2 * r});
      taken_.push_back({x - 2, up, 4, down - up});
    }
    out_ += "</g>";
  }

  // Chosen first, then the best, then what people know by name; a label without a free place is left out (its point has a
  // title, the table has it all).
  void draw_labels() {
    std::vector<size_t> order(r_.candidates.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto rank = [&](size_t i) {
      return i == r_.chosen ? 0 : r_.candidates[i].pareto ? 1 : is_named(r_.candidates[i]) ? 2 : 3;
    };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
    for (const size_t i : order)
      if (rank(i) < 3) place_label(i);
  }

  void place_label(size_t i) {
    const Candidate& c = r_.candidates[i];
    std::string text = i == r_.chosen ? "chosen: " + c.name : c.name;
    if (is_cut(c)) text += " " + percent_text(c.value, 1);
    const double w = width_of(text), h = 1.1 * f_.text;
    const double x = x_of(static_cast<double>(c.bytes)), y = is_cut(c) ? bottom_ - 6 : y_of(c.value);
    const double gap = 0.8 * f_.text;
    const double right = x + gap, left = x - gap - w, over = y - 1.5 * h, under = y + 0.5 * h;
    const Box places[] = {
        {right, y - h / 2, w, h}, {right, over, w, h},         {right, under, w, h},
        {left, y - h / 2, w, h},  {left, over, w, h},          {left, under, w, h},
        {right, over - h, w, h},  {right, under + h, w, h},    {left, over - h, w, h},
        {left, under + h, w, h},  {right, over - 2 * h, w, h}, {right, under + 2 * h, w, h}};
    for (const bool strict : {true, false})
      for (const Box& b : places) {
        if (!is_free(b, strict)) continue;
        out_ += svg_text(b.x, b.y + 0.85 * f_.text, i == r_.chosen ? "label chosenname" : "label", text);
        taken_.push_back(b);
        return;
      }
  }

  bool is_free(const Box& b, bool strict) const {
    if (b.x < left_ || b.x + b.w > f_.width || b.y < top_ - b.h || b.y + b.h > bottom_) return false;
    return std::none_of(taken_.begin(), taken_.end(),
                        [&](const Box& t) { return (strict || !t.soft) && t.meets(b); });
  }

  const compress::CompressOptions& options_;
  const compress::CompressReport& r_;
  const PlotFrame& f_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, low_ = 0, high_ = 1, log_least_ = 0, log_most_ = 1;
  std::vector<Box> taken_;
  std::string out_;
};

}  // namespace

std::string pareto_plot(const compress::CompressOptions& options, const compress::CompressReport& report,
                        const PlotFrame& frame) {
  return report.candidates.size() < 2 ? std::string() : Plot(options, report, frame).draw();
}

}  // namespace pith::report
