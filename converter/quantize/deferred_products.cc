// What each deferred constant holds on to: its source's bytes, its shape and the recipe.
#include "converter/quantize/deferred_products.h"

#include <cstring>
#include <map>
#include <utility>

#include "converter/quantize/packed_products.h"
#include "kernels/gemm/panel_pack.h"
#include "runtime/ops/panel_weights.h"

namespace pith::quantize {
namespace {

constexpr size_t kChunk = size_t{1} << 16;  // elements that a thread converts at a time

// The bytes in memory, made first where they are deferred.
Result<ir::Bytes> present(const ir::Bytes& bytes, ThreadPool* pool) {
  if (bytes.deferred == nullptr) return bytes;
  uint8_t* to = nullptr;
  ir::Bytes made = ir::new_bytes(bytes.size, &to);
  PITH_RETURN_IF_ERROR(bytes.deferred->make(to, pool, nullptr));
  return made;
}

struct Product {
  std::string node;
  ir::Bytes weights, bias;
  DType dtype = DType::f32;
  Shape shape;
  PanelMatrix matrix;
  DeferredRecipe recipe;

  const float* bias_data() const {
    return bias.size == 0 ? nullptr : reinterpret_cast<const float*>(bias.get());
  }

  Status make_halves(uint8_t* to, ThreadPool* pool) const {
    PITH_ASSIGN(const ir::Bytes halves, present(weights, pool));
    kernels::PanelSource source;
    source.halves = reinterpret_cast<const f16*>(halves.data);
    source.bias = bias_data();
    kernels::pack_panels(matrix, source, to);
    return Status::ok();
  }

  Status make_codes(uint8_t* to, ThreadPool* pool, ir::MadeNotes* notes) const {
    Moments moments;
    const bool data = needs_data(recipe.method);
    if (data) {
      PITH_ASSIGN(moments, recipe.moments(node));
    }
    GroupOptions options;
    options.layout = matrix.layout;
    options.group = recipe.group;
    options.levels = recipe.levels;
    options.pool = pool;
    ir::Value view;
    view.dtype = dtype, view.shape = shape, view.constant = weights;
    PITH_ASSIGN(const std::vector<float> w, float_rows(view, pool));
    std::string note;
    PITH_ASSIGN(const GroupedWeights q,
                quantize_by(recipe.method, w, static_cast<size_t>(matrix.n), static_cast<size_t>(matrix.k),
                            options, data ? &moments : nullptr, &note));
    if (notes != nullptr) notes->signal = q.signal, notes->noise = q.noise;
    kernels::PanelSource source = q.source();
    source.bias = bias_data();
    kernels::pack_panels(matrix, source, to);
    return Status::ok();
  }

  Status make(uint8_t* to, ThreadPool* pool, ir::MadeNotes* notes) const {
    return matrix.layout == Layout::f16_panel ? make_halves(to, pool) : make_codes(to, pool, notes);
  }

  std::string recipe_text() const {
    return format("layout %d levels %s group %zu method %s of %s bias %d %s", static_cast<int>(matrix.layout),
                  recipe.levels->name, recipe.group, name_of(recipe.method), pith::name_of(dtype),
                  bias.size != 0, recipe.data.c_str());
  }
};

ir::Value* deferred_value(ir::Graph& graph, const ir::Node& node, const DeferredRecipe& recipe) {
  auto product = std::make_shared<Product>();
  const ir::Value& w = *node.in(1);
  product->node = node.name;
  product->weights = *w.constant;
  if (node.in(2) != nullptr) product->bias = *node.in(2)->constant;
  product->dtype = w.dtype;
  product->shape = w.shape;
  product->matrix = panel_matrix_of(recipe.layout, static_cast<uint16_t>(recipe.group), w.shape);
  product->matrix.layout = stored_layout(recipe.layout, product->matrix.n, product->matrix.k, recipe.group);
  product->recipe = recipe;
  ir::Deferred deferred;
  deferred.sources.push_back(product->weights);
  if (product->bias.size != 0) deferred.sources.push_back(product->bias);
  deferred.recipe = product->recipe_text();
  deferred.make = [product](uint8_t* to, ThreadPool* pool, ir::MadeNotes* notes) {
    return product->make(to, pool, notes);
  };
  const PanelMatrix& m = product->matrix;
  ir::Value* packed =
      graph.add_constant(w.name, dtype_of(m.layout), w.shape,
                         ir::deferred_bytes(static_cast<size_t>(panel_matrix_bytes(m)), std::move(deferred)));
  packed->layout = m.layout;
  packed->group = m.group;
  if (uses_table(m.layout)) packed->codebook.assign(recipe.levels->book.begin(), recipe.levels->book.end());
  return packed;
}

// As pack_half_products (packed_products.h) chooses.
bool worth_halves(const ir::Graph& graph, const ir::Node& node) {
  const ir::Value& w = *node.in(1);
  if (!node.is(schema::Op::FullyConnectedOptions) || w.shape.rank() != 2 || graph.use_count(&w) != 1)
    return false;
  const PanelMatrix m = panel_matrix_of(Layout::f16_panel, 0, w.shape);
  return panel_fault(m) == nullptr && worth_half_panels(m, node.in(2) != nullptr);
}

}  // namespace

Result<std::vector<float>> float_rows(const ir::Value& weights, ThreadPool* pool) {
  PITH_ASSIGN(const ir::Bytes bytes, present(*weights.constant, pool));
  std::vector<float> w(static_cast<size_t>(weights.shape.count()));
  const auto* halves = reinterpret_cast<const f16*>(bytes.data);
  if (weights.dtype == DType::f32)
    std::memcpy(w.data(), bytes.data, w.size() * sizeof(float));
  else
    parallel_for(pool, (w.size() + kChunk - 1) / kChunk, 1, [&](Range r) {
      const size_t end = std::min(w.size(), r.end * kChunk);
      for (size_t i = r.begin * kChunk; i < end; ++i) w[i] = to_float(halves[i]);
    });
  ir::drop_sources(*weights.constant);
  return weights.shape.rank() < 3 ? std::move(w) : padded_rows<float>(w, weights.shape);
}

bool is_deferrable(const ir::Node& node, const DeferredRecipe& recipe) {
  if (!is_float_activation_product(node)) return false;
  const ir::Value& w = *node.in(1);
  const bool halves = recipe.layout == Layout::f16_panel;
  const bool readable = w.dtype == DType::f16 || (w.dtype == DType::f32 && !halves);
  return readable && w.layout == Layout::row_major && (w.constant->streamed() || needs_data(recipe.method));
}

DeferredProducts defer_products(ir::Graph& graph, const DeferredRecipe& recipe) {
  DeferredProducts report;
  FloatNotes notes;
  std::map<std::pair<const ir::Value*, const ir::Value*>, ir::Value*> made;
  for (ir::Node* node : graph.in_order()) {
    if (!is_deferrable(*node, recipe) || (recipe.layout == Layout::f16_panel && !worth_halves(graph, *node)))
      continue;
    if (const Status s = check_packable(*node, recipe.layout, recipe.group); !s.is_ok()) {
      notes.add(*node, s);
      continue;
    }
    // With data, nodes that share weights still have inputs of their own.
    const bool shared = !needs_data(recipe.method);
    ir::Value* fresh = nullptr;
    ir::Value*& packed = shared ? made[{node->in(1), node->in(2)}] : fresh;
    if (packed == nullptr) packed = deferred_value(graph, *node, recipe);
    graph.set_inputs(node, {node->in(0), packed});
    ++report.packed;
  }
  graph.drop_unused_values();
  report.float_products = notes.count();
  report.kept_float = notes.lines();
  return report;
}

}  // namespace pith::quantize
