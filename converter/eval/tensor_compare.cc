// The three criteria of tensor_compare.h, computed in double.
#include "converter/eval/tensor_compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace pith {
namespace {

using Values = std::vector<double>;

bool same_special(double e, double a) {
  return (std::isnan(e) && std::isnan(a)) || (std::isinf(e) && e == a);
}

std::string at_text(const TensorView& t, size_t index) {
  std::string text = "]";
  for (int d = t.shape.rank(); d-- > 0;) {
    const auto dim = static_cast<size_t>(t.shape[d]);
    text = (d > 0 ? ", " : "") + std::to_string(index % dim) + text;
    index /= dim;
  }
  return "[" + text;
}

void fail(Comparison* c, const TensorView& t, const Values& e, const Values& a, size_t worst, size_t bad,
          const char* bound) {
  c->agrees = false;
  c->reason = format("%zu of %zu values differ %s; first at %s: expected %.9g, found %.9g (max error %.3g)",
                     bad, e.size(), bound, at_text(t, worst).c_str(), e[worst], a[worst], c->max_error);
}

void element_wise(const TensorView& t, const Values& e, const Values& a, bool exact, Comparison* c) {
  size_t bad = 0, first = 0;
  for (size_t i = 0; i < e.size(); ++i) {
    if (same_special(e[i], a[i])) continue;
    const double error = std::fabs(a[i] - e[i]);
    const double allowed = exact ? 0 : kAbsolute + kRelative * std::fabs(e[i]);
    if (!(error <= allowed) && bad++ == 0) first = i;
  }
  if (bad > 0) fail(c, t, e, a, first, bad, exact ? "(integers must be equal)" : "(rtol 1e-3, atol 1e-7)");
}

void range(const TensorView& t, const Values& e, const Values& a, Comparison* c) {
  double low = INFINITY, high = -INFINITY;
  for (double v : e)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  // A constant output has no range: its magnitude stands in.
  const double extent = high > low ? high - low : std::fabs(high);
  const double allowed = kReferenceStep + (std::isfinite(extent) ? kRangeShare * extent : 0);
  size_t bad = 0, first = 0;
  for (size_t i = 0; i < e.size(); ++i) {
    if (same_special(e[i], a[i])) continue;
    if (!(std::fabs(a[i] - e[i]) <= allowed) && bad++ == 0) first = i;
  }
  if (bad > 0) fail(c, t, e, a, first, bad, "by more than 1e-4 of the output's range");
}

void direction(const TensorView& t, const Values& e, const Values& a, Comparison* c) {
  double dot = 0, ee = 0, aa = 0;
  for (size_t i = 0; i < e.size(); ++i) {
    if (same_special(e[i], a[i])) continue;
    dot += e[i] * a[i];
    ee += e[i] * e[i];
    aa += a[i] * a[i];
  }
  const double cosine = ee == 0 && aa == 0 ? 1 : dot / std::sqrt(ee * aa);
  if (!(cosine >= kCosine)) {
    c->agrees = false;
    c->reason = format("cosine %.6f to the reference, at least %.3f is expected (max error %.3g)", cosine,
                       kCosine, c->max_error);
    return;
  }
  if (t.shape.rank() < 2 || e.empty()) return;
  // Rows are samples: scores come as [n, classes] or [n, classes, 1, 1].
  const auto rows = static_cast<size_t>(t.shape[0]);
  const size_t width = e.size() / rows;
  for (size_t r = 0; r < rows; ++r) {
    const auto row = static_cast<ptrdiff_t>(r * width), end = static_cast<ptrdiff_t>((r + 1) * width);
    const auto want = std::max_element(e.begin() + row, e.begin() + end) - e.begin() - row;
    const auto got = std::max_element(a.begin() + row, a.begin() + end) - a.begin() - row;
    if (e[static_cast<size_t>(row + want)] != e[static_cast<size_t>(row + got)]) {
      c->agrees = false;
      c->reason = format("largest element of row %zu: expected at %td, found at %td (cosine %.6f)", r, want,
                         got, cosine);
      return;
    }
  }
}

}  // namespace

const char* name_of(Criterion criterion) {
  switch (criterion) {
    case Criterion::element_wise:
      return "element-wise";
    case Criterion::range:
      return "range";
    case Criterion::direction:
      return "direction";
  }
  return "?";
}

Comparison compare_tensors(const data::HostTensor& expected, const TensorView& actual, Criterion criterion) {
  Comparison c;
  if (expected.dtype != actual.dtype) {
    c.reason = format("element type: expected %s, found %s", name_of(expected.dtype), name_of(actual.dtype));
    return c;
  }
  const std::span<const int64_t> dims = actual.shape.dims();
  if (!std::equal(dims.begin(), dims.end(), expected.shape.begin(), expected.shape.end())) {
    c.reason = format("shape: expected %s, found %s", data::shape_text(expected.shape).c_str(),
                      actual.shape.text().c_str());
    return c;
  }
  if (bits_of(actual.dtype) < 8) {  // packed: compare as bytes
    c.agrees = actual.byte_size() == expected.bytes.size() &&
               std::memcmp(actual.data, expected.bytes.data(), expected.bytes.size()) == 0;
    if (!c.agrees) c.reason = "packed 4-bit values differ";
    return c;
  }
  c.agrees = true;
  const auto count = static_cast<size_t>(actual.count());
  const bool exact = !is_float(actual.dtype);
  if (exact && std::memcmp(actual.data, expected.bytes.data(), expected.bytes.size()) == 0) return c;
  Values e(count), a(count);
  data::to_doubles(actual.dtype, expected.bytes.data(), count, e.data());
  data::to_doubles(actual.dtype, static_cast<const std::byte*>(actual.data), count, a.data());
  for (size_t i = 0; i < count; ++i)
    if (const double error = std::fabs(a[i] - e[i]); std::isfinite(error))
      c.max_error = std::max(c.max_error, error);
  if (criterion == Criterion::direction)
    direction(actual, e, a, &c);
  else if (criterion == Criterion::range && !exact)
    range(actual, e, a, &c);
  else
    element_wise(actual, e, a, exact, &c);
  return c;
}

}  // namespace pith
