// The plot of size against accuracy: every model that was tried, with its interval, the best ones joined, the chosen one
// marked.
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::report {

struct PlotFrame {
  double width = 1000, height = 420, text = 12;  // of text: pixels
  const char* css_class = "wide";
};

// "" when fewer than two models were tried.
std::string pareto_plot(const compress::CompressOptions& options, const compress::CompressReport& report,
                        const PlotFrame& frame);

}  // namespace pith::report
