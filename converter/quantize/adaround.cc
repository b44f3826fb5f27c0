// Tiles of rows share each pass over H.
#include "converter/quantize/adaround.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

constexpr size_t kTileRows = 8;                            // a multiple of kTogether
constexpr float kStretchLow = -0.1f, kStretchHigh = 1.1f;  // of the sigmoid, so that 0 and 1 are reached
constexpr float kDecay1 = 0.9f, kDecay2 = 0.999f;          // of Adam

constexpr size_t kTogether = 4;                    // rows that one pass over H multiplies
constexpr size_t kStripColumns = 2 * kWideFloats;  // and the columns, so that all sums stay in registers

// g[r][c] = sum over i < k of e[r][i] h[i][c] for four rows and one strip of columns.
PITH_WIDE_LOOP void multiply_strip(const float* e, size_t k, const float* h, size_t stride, float* g) {
  WideFloats a0{}, a1{}, a2{}, a3{}, b0{}, b1{}, b2{}, b3{};
  for (size_t i = 0; i < k; ++i, h += stride) {
    const WideFloats a = wide_load(h), b = wide_load(h + kWideFloats);
    a0 += a * e[i], b0 += b * e[i];
    a1 += a * e[k + i], b1 += b * e[k + i];
    a2 += a * e[2 * k + i], b2 += b * e[2 * k + i];
    a3 += a * e[3 * k + i], b3 += b * e[3 * k + i];
  }
  wide_store(a0, g), wide_store(b0, g + kWideFloats), g += kStripColumns;
  wide_store(a1, g), wide_store(b1, g + kWideFloats), g += kStripColumns;
  wide_store(a2, g), wide_store(b2, g + kWideFloats), g += kStripColumns;
  wide_store(a3, g), wide_store(b3, g + kWideFloats);
}

// H in full: rows of it are read in order. In floats it is what Adam's steps need, in doubles what decides.
class Dense {
 public:
  explicit Dense(const Moments& m)
      : k_(m.columns()),
        padded_((k_ + kStripColumns - 1) / kStripColumns * kStripColumns),
        values_(k_ * k_),
        floats_(k_ * padded_) {
    for (size_t i = 0; i < k_; ++i)
      for (size_t j = i; j < k_; ++j) values_[i * k_ + j] = values_[j * k_ + i] = m.mean_product(i, j);
    for (size_t i = 0; i < k_; ++i)
      for (size_t j = 0; j < k_; ++j) floats_[i * padded_ + j] = static_cast<float>(values_[i * k_ + j]);
  }
  const double* row(size_t i) const { return values_.data() + i * k_; }
  // g = H e.
  void multiply(const std::vector<double>& e, std::vector<double>& g) const {
    std::fill(g.begin(), g.end(), 0.0);
    for (size_t i = 0; i < k_; ++i) {
      if (e[i] == 0) continue;
      for (size_t j = 0; j < k_; ++j) g[j] += e[i] * row(i)[j];
    }
  }
  // g = e H for [rows, k] floats, rows a multiple of kTogether.
  void multiply(const std::vector<float>& e, std::vector<float>& g) const {
    float strip[kTogether * kStripColumns];
    for (size_t at = 0; at < e.size(); at += kTogether * k_)
      for (size_t from = 0; from < k_; from += kStripColumns) {
        multiply_strip(e.data() + at, k_, floats_.data() + from, padded_, strip);
        for (size_t r = 0; r < kTogether; ++r)
          std::copy_n(strip + r * kStripColumns, std::min(kStripColumns, k_ - from),
                      g.data() + at + r * k_ + from);
      }
  }

 private:
  size_t k_, padded_;
  std::vector<double> values_;  // [k, k]
  std::vector<float> floats_;   // [k, padded]
};

template <class T>
double dot(const T* a, const T* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// One output while its codes move.
struct Row {
  const RoundingGrid& grid;
  const Dense& h;
  const float* w;
  size_t index;

  double step(size_t j) const { return grid.step[at(j)]; }
  double zero(size_t j) const { return grid.zero[at(j)]; }
  size_t at(size_t j) const { return index * ((grid.k + grid.group - 1) / grid.group) + j / grid.group; }
  double error(size_t j, int code) const { return double{w[j]} - step(j) * (code - zero(j)); }
  std::vector<double> errors(std::span<const int8_t> codes) const {
    std::vector<double> e(grid.k);
    for (size_t j = 0; j < grid.k; ++j) e[j] = error(j, codes[j]);
    return e;
  }
  // The best single move, again and again. Returns the loss at the end.
  double descend(std::span<int8_t> codes) const {
    const size_t k = grid.k;
    std::vector<double> e = errors(codes), g(k);
    h.multiply(e, g);
    for (size_t moves = 0; moves < 4 * k; ++moves) {
      size_t best = k;
      int best_by = 0;
      double least = -1e-12 * std::fabs(dot(e.data(), g.data(), k));  // not for rounding errors' sake
      for (size_t j = 0; j < k; ++j)
        for (const int by : {-1, 1}) {
          const int code = codes[j] + by;
          if (code < grid.low || code > grid.high || step(j) == 0) continue;
          const double d = -step(j) * by, change = d * (2 * g[j] + d * h.row(j)[j]);
          if (change < least) least = change, best = j, best_by = by;
        }
      if (best == k) break;
      const double d = -step(best) * best_by;
      codes[best] = static_cast<int8_t>(codes[best] + best_by);
      e[best] += d;
      for (size_t j = 0; j < k; ++j) g[j] += d * h.row(best)[j];
    }
    h.multiply(e, g);
    return dot(e.data(), g.data(), k);
  }
};

float sigmoid(float v) { return 1 / (1 + std::exp(-v)); }
float stretched(float sigmoid) {
  return std::clamp((kStretchHigh - kStretchLow) * sigmoid + kStretchLow, 0.0f, 1.0f);
}
float unstretched(float h) {
  const float s = (h - kStretchLow) / (kStretchHigh - kStretchLow);
  return std::log(s / (1 - s));
}

// A tile of outputs while Adam moves what decides between floor and ceiling.
class Learner {
 public:
  Learner(const RoundingGrid& grid, const Dense& h, std::span<const float> w, size_t first, size_t rows,
          const AdaRoundOptions& options)
      : h_(h),
        o_(options),
        rows_(rows),
        k_(grid.k),
        floor_(rows * k_),
        floor_error_(rows * k_),
        step_(rows * k_),
        v_(rows * k_),
        sigmoid_(rows * k_),
        m_(rows * k_),
        s_(rows * k_),
        e_((rows + kTogether - 1) / kTogether * kTogether * k_),
        g_(e_.size()) {
    for (size_t r = 0; r < rows; ++r) start(Row{grid, h, w.data() + (first + r) * k_, first + r}, r * k_);
  }

  std::vector<int8_t> codes() {
    scale_losses();
    const int warm = static_cast<int>(o_.warm_share * o_.steps);
    for (int t = 0; t < o_.steps; ++t) {
      const double done = t < warm ? 0 : double(t - warm) / std::max(1, o_.steps - warm);
      const double beta = o_.beta_last + (o_.beta_first - o_.beta_last) * (1 - done);
      for (size_t i = 0; i < v_.size(); ++i) {
        sigmoid_[i] = sigmoid(v_[i]);
        e_[i] = floor_error_[i] - step_[i] * stretched(sigmoid_[i]);
      }
      h_.multiply(e_, g_);
      move_all(t < warm ? 0.0f : static_cast<float>(o_.lambda), static_cast<float>(beta), t);
    }
    std::vector<int8_t> out(v_.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<int8_t>(floor_[i] + (up(i) ? 1 : 0));
    return out;
  }

 private:
  void start(const Row& row, size_t at) {
    for (size_t j = 0; j < k_; ++j) {
      const int low = row.grid.low, high = row.grid.high - 1;
      const double code = row.step(j) == 0 ? low : row.w[j] / row.step(j) + row.zero(j);
      const int floor = static_cast<int>(std::clamp(std::floor(code), double(low), double(high)));
      floor_[at + j] = floor;
      floor_error_[at + j] = static_cast<float>(row.error(j, floor));
      step_[at + j] = static_cast<float>(row.step(j));
      v_[at + j] = unstretched(static_cast<float>(std::clamp(code - floor, 0.0, 1.0)));
    }
  }
  bool up(size_t i) const { return stretched(sigmoid(v_[i])) >= 0.5f; }
  // Losses count in units of what the nearest codes lose per weight.
  void scale_losses() {
    for (size_t i = 0; i < v_.size(); ++i) e_[i] = floor_error_[i] - (up(i) ? step_[i] : 0);
    h_.multiply(e_, g_);
    for (size_t r = 0; r < rows_; ++r) {
      const double loss = dot(e_.data() + r * k_, g_.data() + r * k_, k_);
      unit_.push_back(loss > 0 ? static_cast<float>(static_cast<double>(k_) / loss) : 0.0f);
    }
  }
  void move_all(float lambda, float beta, int t) {
    const float correct1 = 1 / (1 - std::pow(kDecay1, static_cast<float>(t + 1)));
    const float correct2 = 1 / (1 - std::pow(kDecay2, static_cast<float>(t + 1)));
    for (size_t r = 0; r < rows_; ++r)
      for (size_t i = r * k_; i < (r + 1) * k_; ++i) {
        const float slope = gradient(i, -2 * step_[i] * g_[i] * unit_[r], lambda, beta);
        m_[i] = kDecay1 * m_[i] + (1 - kDecay1) * slope;
        s_[i] = kDecay2 * s_[i] + (1 - kDecay2) * slope * slope;
        v_[i] -= static_cast<float>(o_.rate) * m_[i] * correct1 / (std::sqrt(s_[i] * correct2) + 1e-8f);
      }
  }
  float gradient(size_t i, float loss, float lambda, float beta) const {
    const float s = sigmoid_[i], h = stretched(s);
    if (h <= 0 || h >= 1) return 0;  // decided: most are at the end
    const float side = 2 * h - 1;
    const float rounding =
        lambda == 0 ? 0 : lambda * -2 * beta * std::copysign(std::pow(std::fabs(side), beta - 1), side);
    return (kStretchHigh - kStretchLow) * s * (1 - s) * (loss + rounding);
  }

  const Dense& h_;
  const AdaRoundOptions& o_;
  size_t rows_, k_;
  std::vector<int> floor_;
  std::vector<float> floor_error_, step_, v_, sigmoid_, m_, s_, e_, g_, unit_;
};

struct Losses {
  double before = 0, after = 0;
  bool learned = false;
  size_t moved = 0;
};

// Outputs [first, first + rows): the better of the codes given and the learned ones, after the descent.
void round_tile(std::span<const float> w, const RoundingGrid& grid, const Dense& h, size_t first, size_t rows,
                const AdaRoundOptions& options, std::vector<int8_t>& codes, std::vector<Losses>& losses) {
  std::vector<int8_t> learned;
  if (options.steps > 0) learned = Learner(grid, h, w, first, rows, options).codes();
  for (size_t r = 0; r < rows; ++r) {
    const Row row{grid, h, w.data() + (first + r) * grid.k, first + r};
    const std::span<int8_t> given(codes.data() + (first + r) * grid.k, grid.k);
    const std::vector<int8_t> before(given.begin(), given.end());
    Losses& l = losses[first + r];
    const std::vector<double> e = row.errors(before);
    std::vector<double> g(grid.k);
    h.multiply(e, g);
    l.before = dot(e.data(), g.data(), grid.k);
    l.after = row.descend(given);
    if (!learned.empty()) {
      const std::span<int8_t> other(learned.data() + r * grid.k, grid.k);
      for (size_t j = 0; j < grid.k; ++j)
        if (row.step(j) == 0) other[j] = before[j];
      if (const double loss = row.descend(other); loss < l.after) {
        l.after = loss, l.learned = true;
        std::copy(other.begin(), other.end(), given.begin());
      }
    }
    if (!(l.after < l.before)) std::copy(before.begin(), before.end(), given.begin()), l.after = l.before;
    for (size_t j = 0; j < grid.k; ++j) l.moved += given[j] != before[j];
  }
}

}  // namespace

Result<AdaRoundReport> adaround(std::span<const float> w, const RoundingGrid& grid, const Moments& moments,
                                const AdaRoundOptions& options, ThreadPool* pool,
                                std::vector<int8_t>* codes) {
  const size_t groups = grid.group == 0 ? 0 : (grid.k + grid.group - 1) / grid.group;
  if (w.size() != grid.n * grid.k || codes->size() != w.size() || grid.step.size() != grid.n * groups ||
      grid.zero.size() != grid.step.size() || moments.columns() != grid.k || !moments.has_cross() ||
      grid.low >= grid.high)
    return Status(Code::bad_argument,
                  format("rounding %zu weights as [%zu, %zu] with %zu steps and moments of %zu columns",
                         w.size(), grid.n, grid.k, grid.step.size(), moments.columns()));
  const Dense h(moments);
  std::vector<Losses> losses(grid.n);
  parallel_for(pool, (grid.n + kTileRows - 1) / kTileRows, 1, [&](Range tiles) {
    for (size_t t = tiles.begin; t < tiles.end; ++t)
      round_tile(w, grid, h, t * kTileRows, std::min(kTileRows, grid.n - t * kTileRows), options, *codes,
                 losses);
  });
  AdaRoundReport report;
  for (const Losses& l : losses) {
    report.loss_before += l.before;
    report.loss_after += l.after;
    report.moved += l.moved;
    report.learned_rows += l.learned;
  }
  return report;
}

RoundingGrid rounding_grid(const QuantizedWeights& weights, size_t n, size_t k) {
  RoundingGrid grid{n, k, k, {}, {}, -127, 127};
  for (size_t row = 0; row < n; ++row) {
    grid.step.push_back(weights.scales[weights.scales.size() == 1 ? 0 : row]);
    grid.zero.push_back(0);
  }
  return grid;
}

Result<RoundingGrid> rounding_grid(const GroupRows& rows) {
  if (uses_table(rows.layout))
    return Status(Code::unsupported, "a table's codes are no steps to round between");
  RoundingGrid grid{rows.n, rows.k, rows.group, {}, {}, 0, 15};
  for (size_t row = 0; row < rows.n; ++row)
    for (size_t g = 0; g < rows.groups; ++g) {
      grid.step.push_back(rows.grid(row, g).scale);
      grid.zero.push_back(rows.grid(row, g).zero);
    }
  return grid;
}

}  // namespace pith::quantize
