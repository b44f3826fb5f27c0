// Cuts the main block into runs of nodes, makes each a model of its own, and passes values on through files.
#include "converter/quantize/staged_moments.h"

#include <algorithm>
#include <map>

#include "converter/emit/emit.h"
#include "converter/quantize/moments_round.h"
#include "converter/quantize/product_rows.h"
#include "converter/quantize/spilled_values.h"

namespace pith::quantize {
namespace {

using Names = std::set<std::string>;
using Nodes = std::vector<ir::Node*>;

struct Stage {
  size_t first = 0, last = 0;  // nodes
  std::vector<ir::Value*> reads, writes;
  std::vector<Sharing> sets;
  std::map<std::string, size_t> set_of;  // by node
};

bool is_data(const ir::Value* v) { return v != nullptr && !v->is_constant(); }

// Cuts where the weights and moments of the nodes taken reach the bound; products that share their input stay together.
class Cutter {
 public:
  Cutter(const ir::Graph& graph, const Nodes& nodes, const Names& wanted, const MomentsOptions& options)
      : graph_(graph), nodes_(nodes), wanted_(wanted), options_(options) {}

  Result<std::vector<Stage>> run() {
    std::vector<Stage> stages(1);
    std::set<std::string> keys;
    uint64_t bytes = 0;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      uint64_t needs = weight_bytes(*nodes_[i]);
      const bool product = wanted_.count(nodes_[i]->name) != 0;
      const bool shares = product && keys.count(rows_key(*nodes_[i])) != 0;
      if (product && !shares) {
        PITH_ASSIGN(const uint64_t moments, moments_of(*nodes_[i]));
        needs += moments;
      }
      if (bytes > 0 && needs > 0 && bytes + needs > options_.max_bytes && !shares) {
        stages.back().last = i;
        stages.emplace_back().first = i;
        keys.clear();
        bytes = 0;
      }
      bytes += needs;
      if (product) keys.insert(rows_key(*nodes_[i]));
    }
    stages.back().last = nodes_.size();
    for (Stage& s : stages) PITH_RETURN_IF_ERROR(fill(s));
    return stages;
  }

 private:
  static uint64_t weight_bytes(const ir::Node& node) {
    uint64_t bytes = 0;
    for (const ir::Value* v : node.inputs)
      if (v != nullptr && v->is_constant() && v->shape.is_known())
        bytes += static_cast<uint64_t>(v->shape.count()) * sizeof(float);
    return bytes;
  }
  Result<uint64_t> moments_of(const ir::Node& node) const {
    PITH_ASSIGN(const ProductMatrix m, product_extents(node));
    return Moments::bytes_needed(m.columns, options_.cross_products);
  }
  // Made inside the stage and read behind it.
  bool leaves(const ir::Value* v, const Stage& s) const {
    if (graph_.is_output(v)) return true;
    return std::any_of(v->readers.begin(), v->readers.end(),
                       [&](const ir::Node* r) { return position_.at(r) >= s.last; });
  }
  Status fill(Stage& s) {
    if (position_.empty())
      for (size_t i = 0; i < nodes_.size(); ++i) position_[nodes_[i]] = i;
    std::set<const ir::Value*> inside, seen;
    std::map<std::string, size_t> by_key;
    for (size_t i = s.first; i < s.last; ++i) {
      const ir::Node& node = *nodes_[i];
      for (ir::Value* v : node.inputs)
        if (is_data(v) && inside.count(v) == 0 && seen.insert(v).second) s.reads.push_back(v);
      for (ir::Value* v : node.outputs) {
        if (v == nullptr) continue;
        inside.insert(v);
        if (leaves(v, s)) s.writes.push_back(v);
      }
      if (wanted_.count(node.name) == 0) continue;
      PITH_ASSIGN(const ProductMatrix m, product_extents(node));
      const auto [at, fresh] = by_key.emplace(rows_key(node), s.sets.size());
      if (fresh) s.sets.push_back({{}, m.columns});
      s.sets[at->second].nodes.push_back(nodes_[i]);
      s.set_of[node.name] = at->second;
    }
    return Status::ok();
  }

  const ir::Graph& graph_;
  const Nodes& nodes_;
  const Names& wanted_;
  const MomentsOptions& options_;
  std::map<const ir::Node*, size_t> position_;
};

// The stage as a graph: what it reads are inputs, what it writes are outputs.
std::unique_ptr<ir::Graph> graph_of(const Stage& stage, const Nodes& nodes) {
  auto graph = std::make_unique<ir::Graph>();
  std::map<const ir::Value*, ir::Value*> of;
  const auto same = [&](const ir::Value* v) -> ir::Value* {
    if (v == nullptr) return nullptr;
    const auto [at, fresh] = of.emplace(v, nullptr);
    if (!fresh) return at->second;
    ir::Value* made = graph->add_value(v->name);
    *made = *v;
    made->producer = nullptr;
    made->readers.clear();
    return at->second = made;
  };
  for (const ir::Value* v : stage.reads) graph->inputs.push_back(same(v));
  for (size_t i = stage.first; i < stage.last; ++i) {
    std::vector<ir::Value*> inputs;
    for (const ir::Value* v : nodes[i]->inputs) inputs.push_back(same(v));
    ir::Node* made =
        graph->add_node(graph->main, nullptr, nodes[i]->name, nodes[i]->op, std::move(inputs), 0);
    for (const ir::Value* v : nodes[i]->outputs) {
      made->outputs.push_back(same(v));
      if (v != nullptr) made->outputs.back()->producer = made;
    }
  }
  for (const ir::Value* v : stage.writes) graph->outputs.push_back({v->name, same(v)});
  return graph;
}

struct LoadedStage {
  ir::Bytes bytes;  // before the session, which reads them
  std::unique_ptr<Session> session;
};

class Staged : public StagedMoments {
 public:
  Staged(std::unique_ptr<ir::Graph> graph, Names wanted, ItemSource source, MomentsOptions options,
         std::string folder)
      : graph_(std::move(graph)),
        wanted_(std::move(wanted)),
        source_(std::move(source)),
        options_(std::move(options)),
        values_(std::move(folder)),
        pool_(ThreadPool::create(options_.threads)) {
    options_.judge_every = 0;
    items_ = std::min(source_.items, options_.max_items);
  }

  Status cut() {
    for (const auto& node : graph_->main.nodes) {
      if (node->is(schema::Op::IfOptions))
        return Status(Code::unsupported,
                      "'" + node->name + "' is an If: its model cannot be cut into stages");
      nodes_.push_back(node.get());
    }
    PITH_ASSIGN(stages_, Cutter(*graph_, nodes_, wanted_, options_).run());
    return Status::ok();
  }

  Result<Moments> take(const std::string& node) override {
    size_t wanted = 0;
    while (wanted < stages_.size() && stages_[wanted].set_of.count(node) == 0) ++wanted;
    if (wanted == stages_.size() || wanted + 1 < done_)
      return Status(Code::internal, "moments of '" + node + "' were asked for out of order");
    while (done_ <= wanted) PITH_RETURN_IF_ERROR(run_next(done_ == wanted));
    const Stage& stage = stages_[wanted];
    const size_t set = stage.set_of.at(node);
    const Moments& fit = round_->moments(set).fit;
    if (fit.rows() == 0) return Status(Code::bad_argument, "no calibration item reaches '" + node + "'");
    const auto& sharing = stage.sets[set].nodes;
    const auto at =
        std::find_if(sharing.begin(), sharing.end(), [&](const ir::Node* n) { return n->name == node; });
    PITH_ASSIGN(const ProductMatrix matrix, product_extents(**at));
    return packed_moments(matrix, fit);
  }

 private:
  Result<LoadedStage> load(const ir::Graph& graph) const {
    LoadedStage loaded;
    EmitOptions emit;
    emit.pool = pool_.get();
    PITH_ASSIGN(loaded.bytes, emit_memory(graph, emit));
    PITH_ASSIGN(const auto model,
                Model::from_memory({loaded.bytes.data, loaded.bytes.size}, {HashCheck::never}));
    SessionOptions session;
    session.threads = options_.threads;
    PITH_ASSIGN(loaded.session, Session::create(model, session));
    return loaded;
  }

  // The items as the data set gives them, through a model that hands its inputs on.
  Status read_items() {
    Stage entry;
    entry.reads = entry.writes = graph_->inputs;
    PITH_ASSIGN(const LoadedStage loaded, load(*graph_of(entry, nodes_)));
    for (int64_t i = 0; i < items_; ++i) {
      const int64_t item = calibration_item(i, source_.items, options_.max_items);
      PITH_RETURN_IF_ERROR(source_.feed(item, *loaded.session));
      PITH_RETURN_IF_ERROR(loaded.session->run());
      PITH_RETURN_IF_ERROR(keep(entry, *loaded.session));
    }
    return Status::ok();
  }

  Status keep(const Stage& stage, const Session& session) {
    for (size_t o = 0; o < stage.writes.size(); ++o)
      PITH_RETURN_IF_ERROR(values_.add(stage.writes[o], session.output(o)));
    return Status::ok();
  }

  Status run_next(bool trace) {
    if (done_ == 0) PITH_RETURN_IF_ERROR(read_items());
    round_.reset();  // before this stage's weights come
    const Stage& stage = stages_[done_];
    PITH_ASSIGN(const LoadedStage loaded, load(*graph_of(stage, nodes_)));
    if (trace) round_ = std::make_unique<MomentsRound>(stage.sets, options_, items_, pool_.get());
    Session& session = *loaded.session;
    session.set_trace(round_.get());
    for (int64_t i = 0; i < items_; ++i) {
      PITH_RETURN_IF_ERROR(run_item(stage, session, i));
      if (options_.progress)
        options_.progress(static_cast<int64_t>(done_) * items_ + i + 1,
                          static_cast<int64_t>(stages_.size()) * items_);
    }
    release_behind(stage);
    ++done_;
    return Status::ok();
  }

  Status run_item(const Stage& stage, Session& session, int64_t i) {
    if (round_) round_->begin(calibration_item(i, source_.items, options_.max_items), false);
    for (size_t r = 0; r < stage.reads.size(); ++r)
      PITH_RETURN_IF_ERROR(session.set_input_shape(r, values_.shape(stage.reads[r], i)));
    PITH_RETURN_IF_ERROR(session.prepare());
    for (size_t r = 0; r < stage.reads.size(); ++r) {
      TensorView to = session.input(r);
      PITH_RETURN_IF_ERROR(values_.read(stage.reads[r], i, to));
    }
    PITH_RETURN_IF_ERROR(session.run());
    if (round_) PITH_RETURN_IF_ERROR(Status(round_->status()));
    return keep(stage, session);
  }

  // Files of values that no later stage reads.
  void release_behind(const Stage& stage) {
    std::set<const ir::Value*> later;
    for (size_t s = done_ + 1; s < stages_.size(); ++s)
      later.insert(stages_[s].reads.begin(), stages_[s].reads.end());
    for (const auto* list : {&stage.reads, &stage.writes})
      for (const ir::Value* v : *list)
        if (later.count(v) == 0) values_.release(v);
  }

  std::unique_ptr<ir::Graph> graph_;
  Names wanted_;
  ItemSource source_;
  MomentsOptions options_;
  int64_t items_ = 0;
  SpilledValues values_;
  std::unique_ptr<ThreadPool> pool_;
  Nodes nodes_;
  std::vector<Stage> stages_;
  size_t done_ = 0;
  std::unique_ptr<MomentsRound> round_;  // of stage done_ - 1
};

}  // namespace

Result<std::unique_ptr<StagedMoments>> StagedMoments::create(const ir::Graph& graph,
                                                             std::set<std::string> nodes, ItemSource source,
                                                             MomentsOptions options, std::string folder) {
  if (source.items <= 0 || options.max_items <= 0 || options.max_rows == 0)
    return Status(Code::bad_argument, "moments need at least one item, and one row of each");
  auto staged = std::make_unique<Staged>(graph.copy(), std::move(nodes), std::move(source),
                                         std::move(options), std::move(folder));
  PITH_RETURN_IF_ERROR(staged->cut());
  return std::unique_ptr<StagedMoments>(std::move(staged));
}

}  // namespace pith::quantize
