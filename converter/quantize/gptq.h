// GPTQ: 4-bit codes that lower the error of the product's output, not of its weights, by feeding the error of each column into
// those behind it. In the factor form: H = E[x x^T] = U U^T, U upper triangular, and column after column
//   q_k = Q(w_k + sum over i < k of (w_i - q_i) U_ik / U_kk)
// which gives the codes of the published form (inverse Hessian, its Cholesky factor, weights updated in place) with a third of
// the work and rows that do not know of each other. The loss |(W - Q) U|^2 falls out of the same sums.
//
// Columns are taken in descending order of E[x^2] within each group, and groups among themselves: no order is stored. A group's
// grid is found on its fed-back targets when its first column is reached (block = group: never stale), with E[x^2] as importance.
// A row for which the plain search has the smaller loss keeps the search's codes.
#pragma once
#include <string>

#include "converter/quantize/moments.h"
#include "converter/quantize/weight_groups.h"

namespace pith::quantize {

struct GptqOptions {
  double damping = 0.01;      // of the mean of H's diagonal, added to it
  double most_damping = 10;   // given up beyond this; each retry takes four times the last
  bool by_importance = true;  // the order of columns; false: as they are
};

struct GptqReport {
  double damping = 0;        // that was used
  size_t retries = 0;        // factorisations that failed before it
  size_t dead_columns = 0;   // inputs that were always zero: nearest codes, no feedback
  bool few_rows = false;     // fewer rows seen than columns: the moments are rank deficient, damping decides
  size_t searched_rows = 0;  // rows of W where the plain search won
  double loss = 0, search_loss = 0;  // |(W - Q) U|^2, damping included
};

struct GptqWeights {
  GroupedWeights weights;
  GptqReport report;
};

// `moments` has cross products of k columns. options.importance is not used: H's diagonal is. Errors: as quantize_groups;
// unsupported when no damping up to the bound makes H positive definite.
Result<GptqWeights> quantize_gptq(std::span<const float> w, size_t n, size_t k, const GroupOptions& options,
                                  const Moments& moments, const GptqOptions& gptq = {});

// What happened, for a log: "damping 0.04 after 1 retry; 3 dead inputs; ...".
std::string summary(const GptqReport& report);

}  // namespace pith::quantize
