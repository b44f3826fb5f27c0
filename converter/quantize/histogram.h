// Streaming histogram of one tensor's activations in bounded memory, for choosing a quantization range.
//   Histogram h;  for (each batch) h.add(values);        // then quantile(), bins(), mean() ...
// Bins lie on the grid k * width, width a power of two, so doubling the width folds neighbours in pairs
// exactly and no mass is ever lost or smeared. The final bins depend only on the multiset of values, not on
// their order or on how they were split over merged histograms (sums of values may differ in the last bits of
// a double). Exact zeros (the spike a ReLU leaves) are counted apart from the bins. NaN and infinities are
// counted, never binned.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pith::quantize {

// One non-zero stretch of the number line: values in [lower, lower + width), `count` of them, adding up to
// `sum`.
struct Bin {
  double lower = 0;
  double width = 0;
  uint64_t count = 0;
  double sum = 0;
  double mean() const { return sum / static_cast<double>(count); }  // count > 0
};

class Histogram {
 public:
  // 4096 bins hold a min-max range of 256 codes at 8 to 16 bins per code; 64 KiB per tensor.
  static constexpr size_t kDefaultBins = 4096;
  static constexpr size_t kMinBins = 16;

  explicit Histogram(size_t bin_count = kDefaultBins);  // raised to kMinBins

  void add(std::span<const float> values);
  void merge(const Histogram& other);  // any bin count; ours stays

  uint64_t count() const { return zeros_ + nonzeros_; }  // finite values
  uint64_t zeros() const { return zeros_; }
  uint64_t nans() const { return nans_; }
  uint64_t infinities() const { return infinities_; }
  bool all_finite() const { return nans_ == 0 && infinities_ == 0; }
  bool empty() const { return count() == 0; }

  float min() const;  // exact, zeros included; 0 if empty
  float max() const;
  double mean() const;           // 0 if empty
  double second_moment() const;  // mean of squares; 0 if empty
  double width() const { return width_; }
  size_t capacity() const { return counts_.size(); }

  std::vector<Bin> bins() const;  // bins with count > 0, ascending; zeros not among them

  // Smallest t such that a share p of the finite values is <= t; linear inside a bin, hence within one width
  // of the exact answer. Clamped to [min, max].
  double quantile(double p) const;

 private:
  void cover(float low, float high);          // makes the window hold both non-zero values
  void rebuild(int exponent, int64_t first);  // moves all mass to a window of wider or equal bins
  int64_t index_of(double value) const;       // grid index at the present width
  bool has_window() const { return nonzeros_ > 0; }

  std::vector<uint64_t> counts_;
  std::vector<double> sums_;
  int exponent_ = 0;          // width_ == 2^exponent_
  double width_ = 0;          // 0 until the first non-zero value
  double inverse_ = 0;        // 1 / width_, exact
  int64_t first_ = 0;         // grid index of counts_[0]
  float low_ = 0, high_ = 0;  // extremes of the non-zero values; valid if nonzeros_ > 0
  uint64_t nonzeros_ = 0, zeros_ = 0, nans_ = 0, infinities_ = 0;
  double sum_ = 0, square_sum_ = 0;
};

}  // namespace pith::quantize
