// Shape: the dims of a tensor, at most kMaxRank, held inline. On the device every dim is known; in the
// converter a dim may be kUnknownDim and even the rank may be unknown.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace pith {

inline constexpr int kMaxRank = 8;
inline constexpr int64_t kUnknownDim = -1;
// More elements than this are never counted: sizes in bits of any element type stay below 2^63.
inline constexpr int64_t kMaxElements = int64_t{1} << 56;

class Shape {
 public:
  Shape() = default;  // a scalar
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) {  // caller has checked dims.size() <= kMaxRank
    rank_ = static_cast<int>(dims.size() > kMaxRank ? kMaxRank : dims.size());
    for (int i = 0; i < rank_; ++i) dims_[i] = dims[static_cast<size_t>(i)];
  }
  static Shape unknown_rank() {
    Shape s;
    s.rank_ = -1;
    return s;
  }
  static Shape of_rank(int rank, int64_t fill = kUnknownDim) {
    Shape s;
    for (int i = 0; i < rank; ++i) s.push_back(fill);
    return s;
  }

  bool has_rank() const { return rank_ >= 0; }
  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  int64_t& operator[](int i) { return dims_[i]; }
  std::span<const int64_t> dims() const { return {dims_, static_cast<size_t>(rank_ < 0 ? 0 : rank_)}; }
  void push_back(int64_t dim) {
    if (rank_ < kMaxRank) dims_[rank_++] = dim;
  }
  bool is_known() const {  // rank and every dim
    for (int i = 0; i < rank_; ++i)
      if (dims_[i] < 0) return false;
    return rank_ >= 0;
  }
  // Product of all dims, or of dims [begin, end); kUnknownDim if a factor is unknown or the product
  // is above kMaxElements.
  int64_t count() const { return count(0, rank_); }
  int64_t count(int begin, int end) const {
    int64_t product = rank_ < 0 ? kUnknownDim : 1;
    bool zero = false;
    for (int i = begin; i < end; ++i) {
      if (dims_[i] < 0) return kUnknownDim;
      if (dims_[i] == 0)
        zero = true;
      else if (__builtin_mul_overflow(product, dims_[i], &product))
        return kUnknownDim;
    }
    return zero ? 0 : product > kMaxElements ? kUnknownDim : product;
  }
  bool operator==(const Shape& o) const {
    if (rank_ != o.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if (dims_[i] != o.dims_[i]) return false;
    return true;
  }
  std::string text() const;  // "[1, 3, ?, 224]", "[]", "[unknown rank]"

 private:
  int rank_ = 0;
  int64_t dims_[kMaxRank] = {};
};

}  // namespace pith
