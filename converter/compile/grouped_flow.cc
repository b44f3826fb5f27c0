// Calibration data become moments, moments are asked for by the deferred weights.
#include "converter/compile/grouped_flow.h"

#include <algorithm>
#include <filesystem>

#include "converter/eval/dataset_feed.h"
#include "converter/quantize/deferred_products.h"
#include "converter/quantize/packed_products.h"
#include "converter/quantize/staged_moments.h"
#include "converter/quantize/widen_half.h"
#include "runtime/base/hash.h"

namespace pith {
namespace {

// Of a stage's weights as floats and its moments: with the copies that running and GPTQ make, a model stays below 2 GB.
constexpr uint64_t kStageBytes = uint64_t{384} << 20;

// The data set matched with the session's inputs at the first item.
quantize::ItemSource source_of(data::Dataset set) {
  auto feed = std::make_shared<eval::DatasetFeed>();
  auto ready = std::make_shared<bool>(false);
  quantize::ItemSource source;
  source.items = set.size();
  source.feed = [feed, ready, set = std::move(set)](int64_t item, Session& session) -> Status {
    if (!*ready) {
      PITH_ASSIGN(*feed, eval::DatasetFeed::create(set, session));
      *ready = true;
    }
    return feed->feed(item, session);
  };
  return source;
}

// Opens and audits the data; gives the recipe its moments and the file what it should know of them.
Status add_moments(const ir::Graph& graph, const ConvertOptions& options, ConvertReport* report,
                   quantize::DeferredRecipe* recipe,
                   std::vector<std::pair<std::string, std::string>>* metadata) {
  report->stage = ConvertStage::calibrate;
  PITH_ASSIGN(data::Dataset set, data::Dataset::open(options.calibration));
  data::Dataset evaluation;
  if (!options.evaluation.empty()) {
    PITH_ASSIGN(evaluation, data::Dataset::open(options.evaluation));
  }
  const auto items = static_cast<int64_t>(options.calibration_items);
  PITH_ASSIGN(const CalibrationAudit audit,
              audit_calibration(set, items, options.evaluation.empty() ? nullptr : &evaluation,
                                options.accepted_faults));
  report->calibration_items = audit.items;
  report->warnings.insert(report->warnings.end(), audit.notes.begin(), audit.notes.end());
  metadata->push_back(hashes_metadata(audit));
  recipe->data = format("data %016llx", static_cast<unsigned long long>(hash64(
                                            audit.hashes.data(), audit.hashes.size() * sizeof(uint64_t))));
  metadata->emplace_back(kCalibrationDataKey, recipe->data);

  std::set<std::string> names;
  for (const ir::Node* node : graph.in_order())
    if (quantize::is_deferrable(*node, *recipe) &&
        quantize::check_packable(*node, recipe->layout, recipe->group).is_ok())
      names.insert(node->name);
  quantize::MomentsOptions moments;
  moments.max_items = items;
  moments.judge_every = 0;
  moments.max_bytes = kStageBytes;
  moments.cross_products = recipe->method == quantize::WeightMethod::gptq;
  moments.threads = options.threads;
  moments.progress = options.progress;
  std::string folder = std::filesystem::path(options.output).parent_path().string();
  if (folder.empty()) folder = ".";
  PITH_ASSIGN(std::unique_ptr<quantize::StagedMoments> staged,
              quantize::StagedMoments::create(graph, names, source_of(std::move(set)), moments, folder));
  recipe->moments = [shared = std::shared_ptr<quantize::StagedMoments>(std::move(staged))](
                        const std::string& node) { return shared->take(node); };
  return Status::ok();
}

}  // namespace

Status quantize_grouped(ir::Graph& graph, const ConvertOptions& options, ConvertReport* report,
                        std::vector<std::pair<std::string, std::string>>* metadata) {
  PITH_RETURN_IF_ERROR(quantize::widen_half(graph, quantize::Streamed::kept));
  const bool table = options.precision != Precision::int4;
  quantize::DeferredRecipe recipe;
  recipe.layout = table ? Layout::lut4 : options.asymmetric ? Layout::i4a : Layout::i4s8;
  recipe.group = options.group != 0 ? options.group : default_group(options.precision);
  recipe.levels = &levels_of(options.precision);
  recipe.method = options.weight_method;
  if (quantize::needs_data(recipe.method))
    PITH_RETURN_IF_ERROR(add_moments(graph, options, report, &recipe, metadata));
  // Those that can never be packed are noted by what comes after.
  quantize::DeferredProducts deferred = quantize::defer_products(graph, recipe);

  const auto pool = ThreadPool::create(options.threads);
  quantize::GroupOptions group;
  group.layout = recipe.layout;
  group.group = recipe.group;
  group.levels = recipe.levels;
  group.method = quantize::group_method(recipe.method);
  group.pool = pool.get();
  const quantize::NodeFilter rest = [&](const ir::Node& n) { return !quantize::is_deferrable(n, recipe); };
  quantize::PackedReport packed;
  const auto in_order = graph.in_order();
  const bool any = std::any_of(in_order.begin(), in_order.end(), [&](const ir::Node* n) {
    return quantize::is_float_activation_product(*n) && n->in(1)->layout == Layout::row_major && rest(*n);
  });
  if (any || deferred.packed == 0) {
    Result<quantize::PackedReport> at_once = quantize::pack_grouped_products(graph, group, rest);
    if (!at_once.is_ok() && deferred.packed == 0) return at_once.status();
    if (at_once.is_ok())
      packed = std::move(at_once).value();
    else
      deferred.kept_float.push_back(at_once.status().message());
  }
  report->quantized_products = packed.packed + deferred.packed;
  report->float_products = packed.float_products + deferred.float_products;
  report->worst_sqnr_db = packed.worst_sqnr_db;
  report->worst_product = packed.worst;
  for (auto* kept : {&deferred.kept_float, &packed.kept_float})
    report->warnings.insert(report->warnings.end(), kept->begin(), kept->end());
  return Status::ok();
}

}  // namespace pith
