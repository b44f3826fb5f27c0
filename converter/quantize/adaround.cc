// Tiles of rows share each pass over H.
#include "converter/quantize/adaround.h"

#include <algorithm>
#include <cmath>

namespace pith::quantize {
namespace {

constexpr size_t kTileRows = 8;
constexpr double kStretchLow = -0.1, kStretchHigh = 1.1;  // of the sigmoid, so that 0 and 1 are reached
constexpr double kDecay1 = 0.9, kDecay2 = 0.999;          // of Adam

// H in full: rows of it are read in order.
class Dense {
 public:
  explicit Dense(const Moments& m) : k_(m.columns()), values_(k_ * k_) {
    for (size_t i = 0; i < k_; ++i)
      for (size_t j = i; j < k_; ++j) values_[i * k_ + j] = values_[j * k_ + i] = m.mean_product(i, j);
  }
  size_t size() const { return k_; }
  const double* row(size_t i) const { return values_.data() + i * k_; }
  // g = H e for `rows` vectors side by side.
  void multiply(const std::vector<double>& e, size_t rows, std::vector<double>& g) const {
    std::fill(g.begin(), g.end(), 0.0);
    for (size_t i = 0; i < k_; ++i) {
      const double* h = row(i);
      for (size_t r = 0; r < rows; ++r) {
        const double f = e[r * k_ + i];
        double* to = g.data() + r * k_;
        if (f == 0) continue;
        for (size_t j = 0; j < k_; ++j) to[j] += f * h[j];
      }
    }
  }

 private:
  size_t k_;
  std::vector<double> values_;
};

double dot(const double* a, const double* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
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
    h.multiply(e, 1, g);
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
    h.multiply(e, 1, g);
    return dot(e.data(), g.data(), k);
  }
};

double stretched(double v) {
  return std::clamp((kStretchHigh - kStretchLow) / (1 + std::exp(-v)) + kStretchLow, 0.0, 1.0);
}
double unstretched(double h) {
  const double s = (h - kStretchLow) / (kStretchHigh - kStretchLow);
  return std::log(s / (1 - s));
}

// A tile of outputs while Adam moves what decides between floor and ceiling.
class Learner {
 public:
  Learner(const RoundingGrid& grid, const Dense& h, std::span<const float> w, size_t first, size_t rows,
          const AdaRoundOptions& options)
      : grid_(grid),
        h_(h),
        o_(options),
        rows_(rows),
        k_(grid.k),
        floor_(rows * k_),
        v_(rows * k_),
        m_(rows * k_),
        s_(rows * k_) {
    for (size_t r = 0; r < rows; ++r) {
      row_.push_back({grid, h, w.data() + (first + r) * k_, first + r});
      for (size_t j = 0; j < k_; ++j) {
        const Row& row = row_[r];
        const double code = row.step(j) == 0 ? grid.low : row.w[j] / row.step(j) + row.zero(j);
        floor_[r * k_ + j] =
            static_cast<int>(std::clamp(std::floor(code), double(grid.low), double(grid.high - 1)));
        v_[r * k_ + j] = unstretched(std::clamp(code - floor_[r * k_ + j], 0.0, 1.0));
      }
    }
  }

  std::vector<int8_t> codes() {
    scale_losses();
    const int warm = static_cast<int>(o_.warm_share * o_.steps);
    std::vector<double> e(rows_ * k_), g(rows_ * k_);
    for (int t = 0; t < o_.steps; ++t) {
      const double done = t < warm ? 0 : double(t - warm) / std::max(1, o_.steps - warm);
      const double beta = o_.beta_last + (o_.beta_first - o_.beta_last) * (1 - done);
      for (size_t i = 0; i < e.size(); ++i) e[i] = error(i, stretched(v_[i]));
      h_.multiply(e, rows_, g);
      for (size_t i = 0; i < e.size(); ++i) move(i, g[i], t < warm ? 0 : o_.lambda, beta, t);
    }
    std::vector<int8_t> out(v_.size());
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<int8_t>(floor_[i] + (stretched(v_[i]) >= 0.5 ? 1 : 0));
    return out;
  }

 private:
  double error(size_t i, double h) const {
    const Row& row = row_[i / k_];
    const size_t j = i % k_;
    return double{row.w[j]} - row.step(j) * (floor_[i] + h - row.zero(j));
  }
  // Losses count in units of what the nearest codes lose per weight.
  void scale_losses() {
    std::vector<double> e(rows_ * k_), g(rows_ * k_);
    for (size_t i = 0; i < e.size(); ++i) e[i] = error(i, stretched(v_[i]) >= 0.5 ? 1 : 0);
    h_.multiply(e, rows_, g);
    for (size_t r = 0; r < rows_; ++r) {
      const double loss = dot(e.data() + r * k_, g.data() + r * k_, k_);
      unit_.push_back(loss > 0 ? static_cast<double>(k_) / loss : 0);
    }
  }
  void move(size_t i, double g, double lambda, double beta, int t) {
    const size_t r = i / k_;
    const double sigmoid = 1 / (1 + std::exp(-v_[i])), h = stretched(v_[i]);
    const double slope = h > 0 && h < 1 ? (kStretchHigh - kStretchLow) * sigmoid * (1 - sigmoid) : 0;
    const double side = 2 * h - 1;
    const double rounding = -2 * beta * std::pow(std::fabs(side), beta - 1) * (side < 0 ? -1 : 1);
    const double gradient = slope * (-2 * row_[r].step(i % k_) * g * unit_[r] + lambda * rounding);
    m_[i] = kDecay1 * m_[i] + (1 - kDecay1) * gradient;
    s_[i] = kDecay2 * s_[i] + (1 - kDecay2) * gradient * gradient;
    const double m = m_[i] / (1 - std::pow(kDecay1, t + 1)), s = s_[i] / (1 - std::pow(kDecay2, t + 1));
    v_[i] -= o_.rate * m / (std::sqrt(s) + 1e-8);
  }

  const RoundingGrid& grid_;
  const Dense& h_;
  const AdaRoundOptions& o_;
  size_t rows_, k_;
  std::vector<int> floor_;
  std::vector<double> v_, m_, s_, unit_;
  std::vector<Row> row_;
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
    h.multiply(e, 1, g);
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
  if (rows.layout == Layout::lut4)
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
