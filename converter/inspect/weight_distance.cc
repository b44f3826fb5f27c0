// Sums per channel; alternating least squares for the factors of a rewrite.
#include "converter/inspect/weight_distance.h"

#include <algorithm>
#include <cmath>

namespace pith::inspect {
namespace {

constexpr int kFitRounds = 32;  // each solves rows, then columns, exactly; the error never rises

// The factors f of least squares  |f[index(i)] * a[i] - b[i]|^2.
template <class IndexFn>
std::vector<double> factors(const std::vector<double>& a, const std::vector<float>& b, size_t count,
                            const IndexFn& index) {
  std::vector<double> dot(count), square(count);
  for (size_t i = 0; i < a.size(); ++i) {
    dot[index(i)] += a[i] * static_cast<double>(b[i]);
    square[index(i)] += a[i] * a[i];
  }
  for (size_t f = 0; f < count; ++f) dot[f] = square[f] > 0 ? std::max(0.0, dot[f] / square[f]) : 1;
  return dot;
}

size_t empty_columns(const StoredWeights& w, size_t columns) {
  std::vector<bool> holds(columns);
  for (size_t i = 0; i < w.values.size(); ++i)
    if (w.values[i] != 0) holds[i % columns] = true;
  return static_cast<size_t>(std::count(holds.begin(), holds.end(), false));
}

// The reference with one factor a row and one a column, nearest to `other`.
std::vector<float> fitted(const StoredWeights& reference, const StoredWeights& other, size_t columns) {
  std::vector<double> a(reference.values.begin(), reference.values.end());
  const auto row = [&](size_t i) { return i / reference.inner; };
  const auto column = [&](size_t i) { return i % columns; };
  for (int round = 0; round < kFitRounds; ++round) {
    const auto by_row = factors(a, other.values, reference.channels, row);
    for (size_t i = 0; i < a.size(); ++i) a[i] *= by_row[row(i)];
    const auto by_column = factors(a, other.values, columns, column);
    for (size_t i = 0; i < a.size(); ++i) a[i] *= by_column[column(i)];
  }
  return {a.begin(), a.end()};
}

double channel_db(std::span<const float> a, std::span<const float> b) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    noise += d * d;
  }
  return noise > 0 ? 10 * std::log10(signal / noise) : INFINITY;
}

}  // namespace

Result<WeightDistance> weight_distance(const StoredWeights& reference, const StoredWeights& other, bool fit,
                                       size_t columns) {
  if (reference.channels != other.channels || reference.inner != other.inner)
    return Status(Code::unsupported, format("weights of [%zu, %zu] beside [%zu, %zu]", reference.channels,
                                            reference.inner, other.channels, other.inner));
  WeightDistance out;
  out.fitted = fit && columns > 0 && reference.inner % columns == 0;
  const std::vector<float> exact = out.fitted ? fitted(reference, other, columns) : reference.values;
  if (out.fitted) out.columns_gone = empty_columns(other, columns);
  PITH_RETURN_IF_ERROR(out.error.add(exact, other.values));
  out.worst_channel_db = INFINITY;
  const std::span<const float> a = exact, b = other.values;
  for (size_t c = 0; c < reference.channels; ++c) {
    const double db = channel_db(a.subspan(c * reference.inner, reference.inner),
                                 b.subspan(c * reference.inner, reference.inner));
    if (!(db < out.worst_channel_db)) continue;
    out.worst_channel_db = db;
    out.worst_channel = c;
  }
  return out;
}

}  // namespace pith::inspect
