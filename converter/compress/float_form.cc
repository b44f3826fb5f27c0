// One rewrite, one uniform quantization, one distance per form.
#include "converter/compress/float_form.h"

#include <algorithm>

#include "converter/compile/guarded_bias.h"
#include "converter/compile/runnable.h"
#include "converter/compress/sensitivity.h"
#include "converter/passes/pass.h"
#include "converter/quantize/channel_methods.h"
#include "converter/quantize/equalize.h"

namespace pith::compress {
namespace {

constexpr std::pair<FloatForm, const char*> kForms[] = {
    {FloatForm::as_it_came, "as-it-came"},
    {FloatForm::equalized, "equalized"},
    {FloatForm::smoothed, "smoothed"},
    {FloatForm::outliers_split, "outliers-split"},
    {FloatForm::awq, "awq"},
};

size_t done_in(const std::vector<quantize::ChannelNote>& notes) {
  return static_cast<size_t>(
      std::count_if(notes.begin(), notes.end(), [](const quantize::ChannelNote& n) { return n.done; }));
}

class Chooser {
 public:
  Chooser(const ir::Graph& graph, const quantize::ItemSource& source, const quantize::StaticInt8Options& int8,
          const eval::ReferenceOutputs& exact, const FormOptions& options)
      : graph_(graph), source_(source), int8_(int8), exact_(exact), options_(options) {}

  Result<ChosenForm> run() {
    ChosenForm out;
    double least = 0;
    std::vector<FloatForm> forms = {FloatForm::as_it_came};
    for (const FloatForm f : options_.only.empty() ? forms_for(options_.aim) : options_.only)
      if (f != FloatForm::as_it_came) forms.push_back(f);
    for (const FloatForm form : forms) {
      FormTrial trial;
      trial.form = form;
      PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, rewritten(&trial));
      if (form != FloatForm::as_it_came && trial.layers == 0) {
        if (trial.failure.empty()) trial.failure = "no layer to change";
      } else {
        PITH_RETURN_IF_ERROR(judge(std::move(graph), forms.size() > 1, &trial, &out, &least));
      }
      out.trials.push_back(std::move(trial));
      if (options_.progress)
        options_.progress(static_cast<int64_t>(out.trials.size()), static_cast<int64_t>(forms.size()));
    }
    return out;
  }

 private:
  Result<std::unique_ptr<ir::Graph>> rewritten(FormTrial* trial) const {
    std::unique_ptr<ir::Graph> graph = graph_.copy();
    if (trial->form == FloatForm::as_it_came) return graph;
    if (trial->form == FloatForm::equalized) {
      trial->layers = quantize::equalize_layers(*graph).pairs;
      return graph;
    }
    const Result<std::vector<quantize::ChannelNote>> notes = apply(*graph, trial->form);
    if (!notes.is_ok() && notes.status().code() != Code::unsupported) return notes.status();
    if (!notes.is_ok()) trial->failure = notes.status().message();
    if (notes.is_ok()) trial->layers = done_in(notes.value());
    if (trial->layers > 0) PITH_RETURN_IF_ERROR(run_passes(*graph, {}));
    return graph;
  }

  Result<std::vector<quantize::ChannelNote>> apply(ir::Graph& graph, FloatForm form) const {
    std::vector<ir::Node*> nodes;
    for (const Unit& unit : find_units(graph, {}))
      for (const auto& node : graph.main.nodes)
        if (std::find(unit.nodes.begin(), unit.nodes.end(), node->name) != unit.nodes.end())
          nodes.push_back(node.get());
    quantize::MomentsOptions moments;
    moments.max_items = options_.max_items;
    moments.threads = options_.threads;
    moments.cross_products = false;
    const bool static_int8 = options_.aim.precision == Precision::int8;
    if (form == FloatForm::smoothed)
      return quantize::smooth_products(graph, nodes, source_, moments,
                                       static_int8 ? quantize::Int8Rows::shared : quantize::Int8Rows::each);
    if (form == FloatForm::outliers_split)
      return quantize::split_product_outliers(graph, nodes, source_, moments, {});
    if (options_.aim.group == 0) return Status(Code::unsupported, "AWQ is for weights of 4 bits");
    return quantize::scale_products_awq(graph, nodes, source_, moments, group_options(options_.aim));
  }

  // With a single form there is nothing to compare.
  Status judge(std::unique_ptr<ir::Graph> graph, bool compare, FormTrial* trial, ChosenForm* out,
               double* least) const {
    name_all_nodes(*graph);
    PITH_ASSIGN(MixedModel maker, MixedModel::create(std::move(graph), source_, int8_));
    double noise = 0;
    if (compare) {
      const std::vector<Unit> units = find_units(maker.float_graph(), {options_.aim});
      Result<std::unique_ptr<ir::Graph>> made = maker.make(uniform_plan(units, options_.aim, {}));
      if (!made.is_ok() && made.status().code() != Code::unsupported) return made.status();
      if (!made.is_ok()) {
        trial->failure = made.status().message();
        if (trial->form != FloatForm::as_it_came) return Status::ok();
      } else {
        PITH_ASSIGN(const Runnable model, runnable(*made.value(), options_.threads));
        PITH_ASSIGN(const eval::OutputDistance distance, exact_.distance(*model.session));
        noise = distance.noise_share;
        trial->output_sqnr_db = decibel_of(noise);
      }
    }
    if (!out->trials.empty() && noise >= *least) return Status::ok();
    *least = noise;
    out->winner = out->trials.size();
    out->maker = std::move(maker);
    return Status::ok();
  }

  const ir::Graph& graph_;
  const quantize::ItemSource& source_;
  const quantize::StaticInt8Options& int8_;
  const eval::ReferenceOutputs& exact_;
  const FormOptions& options_;
};

}  // namespace

const char* name_of(FloatForm form) {
  for (const auto& [f, name] : kForms)
    if (f == form) return name;
  return "?";
}

Result<FloatForm> parse_float_form(const std::string& text) {
  for (const auto& [f, name] : kForms)
    if (text == name) return f;
  return Status(Code::bad_argument,
                "unknown form '" + text + "': use as-it-came, equalized, smoothed, outliers-split or awq");
}

std::vector<FloatForm> forms_for(const LayerFormat& aim) {
  switch (aim.precision) {
    case Precision::int8:
      return {FloatForm::equalized, FloatForm::smoothed, FloatForm::outliers_split};
    case Precision::int8_dynamic:
      return {FloatForm::smoothed, FloatForm::outliers_split};
    case Precision::int4:
    case Precision::nf4:
    case Precision::fp4:
      return {FloatForm::awq};
    case Precision::fp32:
    case Precision::fp16:
    case Precision::bf16:
      break;
  }
  return {};
}

Result<ChosenForm> choose_float_form(std::unique_ptr<ir::Graph> graph, const quantize::ItemSource& source,
                                     const quantize::StaticInt8Options& int8,
                                     const eval::ReferenceOutputs& exact, const FormOptions& options) {
  name_all_nodes(*graph);
  return Chooser(*graph, source, int8, exact, options).run();
}

}  // namespace pith::compress
