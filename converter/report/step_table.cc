// One row for each step, with the outputs' SQNR before and after.
#include "converter/report/step_table.h"

#include <algorithm>

#include "converter/report/markup.h"

namespace pith::report {
namespace {

std::string row(const std::string& name, const std::string& where, const std::string& before,
                const std::string& after, bool kept) {
  return std::string("<tr") + (kept ? " class=\"on\"" : "") + "><td>" + escaped(name) + "</td><td>" + where +
         "</td><td class=\"n\">" + before + "</td><td class=\"n\">" + after + "</td><td>" +
         (kept ? "kept" : "dropped") + "</td></tr>\n";
}

// The form as it came is what the others are compared with.
std::string form_rows(const compress::CompressReport& r) {
  std::string rows;
  for (size_t i = 1; i < r.forms.size(); ++i) {
    const compress::FormTrial& trial = r.forms[i];
    const bool failed = !trial.failure.empty();
    rows += row(std::string("rewrite: ") + name_of(trial.form),
                failed ? escaped(trial.failure) : count_text(trial.layers, "layer", "layers"),
                db_text(r.forms[0].output_sqnr_db), failed ? "" : db_text(trial.output_sqnr_db), i == r.form);
  }
  return rows;
}

std::string guarded_row(const std::string& name, const std::string& where, const GuardedStep& step) {
  if (!step.tried) return "";
  return row(name, where, db_text(step.sqnr_before_db), db_text(step.sqnr_after_db), step.kept);
}

std::string rounding_row(const compress::RoundingReport& rounding) {
  const auto better = std::count_if(rounding.layers.begin(), rounding.layers.end(),
                                    [](const compress::LayerRounding& l) { return l.kept; });
  return guarded_row(
      "learned rounding (AdaRound)",
      count_text(static_cast<uint64_t>(better), "layer", "layers") + " better on held-back rows",
      rounding.step);
}

}  // namespace

std::string step_table(const compress::CompressReport& r) {
  const std::string rows =
      form_rows(r) + rounding_row(r.rounding) +
      guarded_row("bias from the inputs' means (analytic)",
                  count_text(r.analytic_bias.channels, "channel", "channels") + " of " +
                      count_text(r.analytic_bias.layers, "layer", "layers"),
                  r.analytic_bias.step) +
      guarded_row("bias from measured shifts (empirical)", "int8 layers", r.bias_corrected);
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table><tr><th>step</th><th>where</th><th class=\"n\">before</th>"
         "<th class=\"n\">after</th><th></th></tr>\n" +
         rows + "</table></div>";
}

}  // namespace pith::report
