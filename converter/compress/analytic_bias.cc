// Means of the inputs of all 4-bit layers in one pass, then one candidate model.
#include "converter/compress/analytic_bias.h"

#include "converter/quantize/collect_moments.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/product_rows.h"

namespace pith::compress {
namespace {

using Shifts = std::map<std::string, std::vector<float>>;

const quantize::GroupedWeights* weights_of(const RoundingInput& in, const std::string& node) {
  const auto format = in.plan.find(node);
  const auto ladder = in.maker.ladders().find(node);
  if (format == in.plan.end() || ladder == in.maker.ladders().end()) return nullptr;
  const auto at = ladder->second.find(format->second);
  return at == ladder->second.end() ? nullptr : &at->second.weights;
}

// e = W - Q. Held back, a shift s changes E[(e x - s)^2] by s (s - 2 e E[x]).
std::vector<float> shift_of(const std::vector<float>& w, const quantize::GroupedWeights& q,
                            const quantize::Moments& fit, const quantize::Moments& judge, size_t* channels) {
  const std::vector<float> decoded = q.decoded();
  std::vector<float> shift(q.n);
  for (size_t c = 0; c < q.n; ++c) {
    double fitted = 0, judged = 0;
    for (size_t j = 0; j < q.k; ++j) {
      const double e = double{w[c * q.k + j]} - double{decoded[c * q.k + j]};
      fitted += e * fit.mean(j);
      judged += e * judge.mean(j);
    }
    if (!(fitted * (fitted - 2 * judged) < 0)) continue;
    shift[c] = static_cast<float>(fitted);
    ++*channels;
  }
  return shift;
}

Result<Shifts> measure_shifts(const RoundingInput& in, AnalyticBias* out) {
  Shifts shifts;
  std::vector<ir::Node*> nodes;
  for (const auto& node : in.maker.float_graph().main.nodes)
    if (weights_of(in, node->name) != nullptr) nodes.push_back(node.get());
  if (nodes.empty()) return shifts;
  quantize::MomentsOptions moments;
  moments.max_items = in.max_items;
  moments.threads = in.threads;
  moments.cross_products = false;
  const quantize::MomentsFn measure = [&](std::span<ir::Node* const> sharing,
                                          const quantize::ProductMoments& m) -> Status {
    if (m.judge.rows() == 0) return Status::ok();
    for (const ir::Node* node : sharing) {
      PITH_ASSIGN(const quantize::ProductMatrix matrix, quantize::product_matrix(*node));
      const std::vector<float> w = quantize::padded_rows(node->in(1)->elements<float>(), node->in(1)->shape);
      size_t channels = 0;
      std::vector<float> shift =
          shift_of(w, *weights_of(in, node->name), quantize::packed_moments(matrix, m.fit),
                   quantize::packed_moments(matrix, m.judge), &channels);
      if (channels == 0) continue;
      out->channels += channels;
      ++out->layers;
      shifts[node->name] = std::move(shift);
    }
    return Status::ok();
  };
  PITH_RETURN_IF_ERROR(quantize::collect_moments(in.maker.float_graph(), nodes, in.source, moments, measure));
  return shifts;
}

}  // namespace

Result<AnalyticBias> correct_bias_analytically(const RoundingInput& in, std::unique_ptr<ir::Graph>* model) {
  AnalyticBias out;
  PITH_ASSIGN(Shifts shifts, measure_shifts(in, &out));
  if (shifts.empty()) return out;
  PITH_ASSIGN(const double before, noise_of(in, **model));
  in.maker.set_bias_shifts(std::move(shifts));
  PITH_ASSIGN(std::unique_ptr<ir::Graph> shifted, in.maker.make_unpacked(in.plan));
  PITH_ASSIGN(const double after, noise_of(in, *shifted));
  out.step = {true, after < before, decibel_of(before), decibel_of(after)};
  if (out.step.kept)
    *model = std::move(shifted);
  else
    in.maker.set_bias_shifts({});
  return out;
}

}  // namespace pith::compress
