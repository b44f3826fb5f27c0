// Gathers rows; geometry is the runtime's own (window_shape.h).
#include "converter/quantize/product_rows.h"

#include <algorithm>

#include "kernels/conv/patch_rows.h"
#include "runtime/ops/window_shape.h"

namespace pith::quantize {
namespace {

using schema::Op;

// Row r of `used`: within stretch r of `all`.
size_t spread(size_t r, size_t used, size_t all, uint64_t seed) {
  if (used == all) return r;
  uint64_t z = (seed << 32 ^ r) + 0x9e3779b97f4a7c15u;  // splitmix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  const uint64_t begin = uint64_t{r} * all / used, end = (uint64_t{r} + 1) * all / used;
  return static_cast<size_t>(begin + (z ^ (z >> 31)) % (end - begin));
}

}  // namespace

Result<ProductMatrix> product_matrix(const ir::Node& node) {
  const ir::Value* w = node.in(1);
  if (w == nullptr || w->dtype != DType::f32)
    return Status(Code::unsupported, "the weights of '" + node.name + "' are not a float constant");
  return product_extents(node);
}

Result<ProductMatrix> product_extents(const ir::Node& node) {
  const bool conv = node.is(Op::ConvOptions);
  if (!conv && !node.is(Op::FullyConnectedOptions))
    return Status(Code::unsupported, "'" + node.name + "' is no matrix product or convolution");
  const ir::Value* w = node.in(1);
  if (w == nullptr || !w->is_constant() || w->layout != Layout::row_major)
    return Status(Code::unsupported, "the weights of '" + node.name + "' are not a float constant");
  if (conv && node.as<schema::ConvOptionsT>()->groups != 1)
    return Status(Code::unsupported,
                  "'" + node.name + "' is a grouped convolution: it has a matrix per group");
  ProductMatrix m;
  m.outputs = static_cast<size_t>(w->shape[0]);
  m.columns = m.outputs == 0 ? 0 : static_cast<size_t>(w->shape.count()) / m.outputs;
  m.run = conv ? static_cast<size_t>(w->shape.count(w->shape.rank() - 2, w->shape.rank())) : m.columns;
  return m;
}

Moments packed_moments(const ProductMatrix& matrix, const Moments& m) {
  const size_t padded = (matrix.run + 3) / 4 * 4;
  return padded == matrix.run || matrix.run == matrix.columns ? m : m.with_padded_runs(matrix.run, padded);
}

std::string rows_key(const ir::Node& node) {
  std::string key = format("%p", static_cast<const void*>(node.in(0)));
  const auto* o = node.as<schema::ConvOptionsT>();
  if (o == nullptr) return key;
  for (int d = 1; d + 1 < node.in(1)->shape.rank(); ++d) key += "k" + std::to_string(node.in(1)->shape[d]);
  for (const auto* list : {&o->strides, &o->pads, &o->dilations}) {
    key += '/';
    for (const uint32_t v : *list) key += std::to_string(v) + ",";
  }
  return key;
}

Result<std::vector<float>> product_rows(const NodeView& node, size_t columns, size_t max_rows,
                                        uint64_t seed) {
  const TensorView& x = node.in(0);
  if (x.dtype != DType::f32 || x.data == nullptr || columns == 0)
    return Status(Code::unsupported, format("node '%s': its input '%s' is %s, expected f32", node.name,
                                            x.name, name_of(x.dtype)));
  const bool conv = node.op == Op::ConvOptions;
  const auto last = static_cast<size_t>(x.shape[x.shape.rank() - 1]);
  const auto all = static_cast<size_t>(conv ? node.out(0).shape.count(0, node.out(0).shape.rank() - 1)
                                            : x.shape.count(0, x.shape.rank() - 1));
  const size_t used = std::min(all, max_rows);
  std::vector<float> rows(used * columns);
  if (!conv) {
    if (last != columns)
      return Status(Code::internal,
                    format("node '%s': rows of %zu for %zu columns", node.name, last, columns));
    for (size_t r = 0; r < used; ++r)
      std::copy_n(x.as<float>() + spread(r, used, all, seed) * columns, columns, rows.data() + r * columns);
    return rows;
  }
  kernels::PatchShape patch{conv_window(node, window_options(node.opt<schema::ConvOptions>())),
                            last * sizeof(float), 0};
  patch.run_bytes = static_cast<size_t>(patch.window.kernel[2]) * patch.pixel_bytes;
  if (patch.row_bytes() != columns * sizeof(float))
    return Status(Code::internal, format("node '%s': patches of %zu bytes for %zu columns", node.name,
                                         patch.row_bytes(), columns));
  for (size_t r = 0; r < used; ++r) {
    const size_t pixel = spread(r, used, all, seed);
    kernels::gather_patches(patch, 0, x.data, {pixel, pixel + 1}, rows.data() + r * columns);
  }
  return rows;
}

}  // namespace pith::quantize
