// Order, factor, and sweeps over tiles of rows.
#include "converter/quantize/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/quantize/upper_factor.h"
#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

constexpr size_t kTileRows = 64;  // share each pass over the factor, which is in no cache
constexpr size_t kChunk =
    64;  // columns that feedback is added to at a time: those of a block's rows fit the first cache
// Fed-back targets may need a larger scale than the weights: the channel's leaves this much room.
constexpr double kHeadroom = 1.05;

// Groups in the order they are taken, and their columns.
struct Order {
  struct Block {
    size_t group, first, last;  // positions
  };
  std::vector<size_t> column;  // of a position
  std::vector<Block> blocks;
};

Order order_of(const GroupRows& rows, const Moments& m, bool by_importance) {
  Order order;
  std::vector<double> mass(rows.groups);
  for (size_t j = 0; j < rows.k; ++j) mass[j / rows.group] += m.mean_square(j);
  std::vector<size_t> groups(rows.groups);
  std::iota(groups.begin(), groups.end(), size_t{0});
  if (by_importance)
    std::stable_sort(groups.begin(), groups.end(), [&](size_t a, size_t b) { return mass[a] > mass[b]; });
  for (const size_t g : groups) {
    const size_t first = order.column.size();
    for (size_t j = rows.first(g); j < rows.last(g); ++j) order.column.push_back(j);
    if (by_importance)
      std::stable_sort(order.column.begin() + static_cast<std::ptrdiff_t>(first), order.column.end(),
                       [&](size_t a, size_t b) { return m.mean_square(a) > m.mean_square(b); });
    order.blocks.push_back({g, first, order.column.size()});
  }
  return order;
}

// H in the order of positions; a dead input gets the mean of the diagonal, so that it is no worse conditioned than others.
UpperMatrix hessian(const Moments& m, const Order& order, double mean, double damping) {
  const size_t k = order.column.size();
  UpperMatrix h(k);
  for (size_t i = 0; i < k; ++i) {
    double* row = h.row(i);
    for (size_t j = i; j < k; ++j) row[j] = m.mean_product(order.column[i], order.column[j]);
    if (row[i] == 0) row[i] = mean;
    row[i] += damping * mean;
  }
  return h;
}

Result<UpperMatrix*> factored(const Moments& m, const Order& order, const GptqOptions& o, ThreadPool* pool,
                              UpperMatrix* u, GptqReport* report) {
  const size_t k = order.column.size();
  double sum = 0;
  for (size_t j = 0; j < k; ++j) sum += m.mean_square(j), report->dead_columns += m.mean_square(j) == 0;
  const double mean = sum > 0 ? sum / static_cast<double>(k) : 1;
  report->few_rows = m.rows() < k;
  for (double damping = o.damping; damping <= o.most_damping; damping *= 4, ++report->retries) {
    *u = hessian(m, order, mean, damping);
    report->damping = damping;
    if (factor_upper(*u, pool)) return u;
  }
  return Status(Code::unsupported,
                format("GPTQ: the moments of %zu columns from %llu rows stay singular up to a damping of %g",
                       k, static_cast<unsigned long long>(m.rows()), o.most_damping));
}

// fed[q] += the sum of e[p] u[p][q] over four p, each q a lane of its own.
PITH_WIDE_LOOP void feed_four(const double* e, const double* const* u, size_t begin, size_t end,
                              double* fed) {
  const double *a = u[0], *b = u[1], *c = u[2], *d = u[3];
  const double ea = e[0], eb = e[1], ec = e[2], ed = e[3];
  for (size_t q = begin; q < end; ++q) fed[q] += (ea * a[q] + eb * b[q]) + (ec * c[q] + ed * d[q]);
}
PITH_WIDE_LOOP void feed_one(double e, const double* u, size_t begin, size_t end, double* fed) {
  for (size_t q = begin; q < end; ++q) fed[q] += e * u[q];
}

// Up to kTileRows rows of W side by side, columns by position.
class Tile {
 public:
  Tile(const UpperMatrix& u, const Order& order, std::span<const float> w, size_t first_row, size_t rows)
      : u_(u),
        order_(order),
        k_(u.size()),
        first_row_(first_row),
        rows_(rows),
        x_(rows * k_),
        fed_(rows * k_) {
    for (size_t r = 0; r < rows; ++r)
      for (size_t p = 0; p < k_; ++p) x_[r * k_ + p] = w[(first_row + r) * k_ + order.column[p]];
  }

  // start(row, block, targets) when a block is reached; decide(row, position, target) -> decoded weight. losses[row] is set.
  template <class Start, class Decide>
  void sweep(Start start, Decide decide, std::vector<double>& losses) {
    std::fill(fed_.begin(), fed_.end(), 0.0);
    std::vector<double> errors(rows_ * k_), targets;
    for (const Order::Block& b : order_.blocks) {
      for (size_t r = 0; r < rows_; ++r) {
        block_targets(r, b, targets);
        start(first_row_ + r, b, targets);
        for (size_t p = b.first; p < b.last; ++p) {
          const double e = x_[r * k_ + p] - decide(first_row_ + r, p, target(r, p));
          errors[r * k_ + p] = e;
          double* fed = fed_.data() + r * k_;
          const double part = fed[p] + e * u_.row(p)[p];
          losses[first_row_ + r] += part * part;
          feed_one(e, u_.row(p), p + 1, b.last, fed);
        }
      }
      feed_behind(b, errors);
    }
  }

 private:
  double target(size_t r, size_t p) const { return x_[r * k_ + p] + fed_[r * k_ + p] / u_.row(p)[p]; }

  // What the block's weights would best be, given the errors made so far and none within the block: each meets its target,
  // which moves those behind it. (These are the published form's updated weights.)
  void block_targets(size_t r, const Order::Block& b, std::vector<double>& targets) const {
    std::vector<double> fed(fed_.begin() + static_cast<std::ptrdiff_t>(r * k_ + b.first),
                            fed_.begin() + static_cast<std::ptrdiff_t>(r * k_ + b.last));
    targets.clear();
    for (size_t p = b.first; p < b.last; ++p) {
      const double e = -fed[p - b.first] / u_.row(p)[p];
      targets.push_back(x_[r * k_ + p] - e);
      feed_one(e, u_.row(p) + b.first, p + 1 - b.first, b.last - b.first, fed.data());
    }
  }

  // fed[row][q] += sum over the block of error[row][p] u[p][q], q behind the block; four p at a time, each q its own lane.
  void feed_behind(const Order::Block& b, const std::vector<double>& errors) {
    for (size_t begin = b.last; begin < k_; begin += kChunk) {
      const size_t end = std::min(k_, begin + kChunk);
      for (size_t r = 0; r < rows_; ++r) {
        const double* e = errors.data() + r * k_;
        double* fed = fed_.data() + r * k_;
        size_t p = b.first;
        for (; p + 4 <= b.last; p += 4) {
          const double* const rows[] = {u_.row(p), u_.row(p + 1), u_.row(p + 2), u_.row(p + 3)};
          feed_four(e + p, rows, begin, end, fed);
        }
        for (; p < b.last; ++p) feed_one(e[p], u_.row(p), begin, end, fed);
      }
    }
  }

  const UpperMatrix& u_;
  const Order& order_;
  size_t k_, first_row_, rows_;
  std::vector<double> x_, fed_;
};

// Everything the rows share.
struct Sweep {
  std::span<const float> w;
  const UpperMatrix& u;
  const Order& order;
  std::vector<double> importance;  // by position
  GroupMethod method;

  void run(const GroupRows& searched, GroupRows& out, Range tiles, std::vector<double>& losses,
           std::vector<double>& search_losses) const {
    for (size_t t = tiles.begin; t < tiles.end; ++t) {
      const size_t first = t * kTileRows;
      Tile tile(u, order, w, first, std::min(kTileRows, out.n - first));
      std::vector<GroupGrid> grids(
          std::min(kTileRows, out.n - first));  // of the rows of the tile, for the block at hand
      tile.sweep([](size_t, const Order::Block&, const std::vector<double>&) {},
                 [&](size_t row, size_t p, double) { return searched.weight(row, order.column[p]); },
                 search_losses);
      tile.sweep(
          [&](size_t row, const Order::Block& b, const std::vector<double>& targets) {
            const std::span<const double> m(importance.data() + b.first, b.last - b.first);
            grids[row - first] =
                out.settle(row, b.group, find_grid(targets, m, out.layout, method, *out.levels), targets, m);
          },
          [&](size_t row, size_t p, double target) {
            const int code = grids[row - first].code_of(target);
            out.codes[row * out.k + order.column[p]] = static_cast<int8_t>(code);
            return grids[row - first].value_of(code);
          },
          losses);
    }
  }
};

}  // namespace

Result<GptqWeights> quantize_gptq(std::span<const float> w, size_t n, size_t k, const GroupOptions& options,
                                  const Moments& moments, const GptqOptions& gptq) {
  if (moments.columns() != k || !moments.has_cross())
    return Status(
        Code::bad_argument,
        format("GPTQ of %zu columns needs their cross products, found moments of %zu", k, moments.columns()));
  GptqWeights out;
  const std::vector<double> squares = moments.mean_squares();
  GroupOptions search = options;
  search.importance = squares;
  PITH_ASSIGN(const GroupedWeights searched, quantize_groups(w, n, k, search));
  PITH_ASSIGN(const std::vector<double> importance, usable_importance(squares, k));

  const Order order = order_of(searched, moments, gptq.by_importance);
  UpperMatrix u(0);
  PITH_RETURN_IF_ERROR(factored(moments, order, gptq, options.pool, &u, &out.report).status());
  GroupRows rows(n, k, options.layout, options.group, *options.levels);
  for (size_t row = 0; row < n && rows.has_channel_scale(); ++row)
    rows.begin(row, kHeadroom * 127 * double{searched.channel_scale[row]});
  Sweep sweep{w, u, order, {}, options.method};
  for (const size_t column : order.column) sweep.importance.push_back(importance[column]);
  std::vector<double> losses(n), search_losses(n);
  parallel_for(options.pool, (n + kTileRows - 1) / kTileRows, 1,
               [&](Range tiles) { sweep.run(searched, rows, tiles, losses, search_losses); });
  for (size_t row = 0; row < n; ++row) {
    if (!(losses[row] <= search_losses[row])) {  // a scale that is not finite included
      rows.copy_row(searched, row);
      losses[row] = search_losses[row];
      ++out.report.searched_rows;
    }
    out.report.loss += losses[row];
    out.report.search_loss += search_losses[row];
  }
  PITH_ASSIGN(out.weights, finished_groups(std::move(rows), w, options.pool));
  return out;
}

std::string summary(const GptqReport& r) {
  std::string text = format("damping %g", r.damping);
  if (r.retries > 0)
    text += format(" after %zu failed factorisation%s", r.retries, r.retries == 1 ? "" : "s");
  if (r.dead_columns > 0) text += format("; %zu inputs are always zero", r.dead_columns);
  if (r.few_rows) text += "; fewer calibration rows than inputs";
  if (r.searched_rows > 0) text += format("; the search wins on %zu rows", r.searched_rows);
  return text;
}

}  // namespace pith::quantize
