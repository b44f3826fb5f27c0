// Gathers rows; geometry is the runtime's own (window_shape.h).
#include "converter/quantize/patch_rows.h"

#include <algorithm>

#include "runtime/ops/window_shape.h"

namespace pith::quantize {
namespace {

using schema::Op;

struct Patches {
  kernels::Window window;
  size_t channels;
  const float* x;

  // Row `pixel` of [images * out_count()].
  void copy(size_t pixel, float* to) const {
    const size_t image = pixel / window.out_count();
    size_t rest = pixel % window.out_count();
    int64_t at[3];
    for (int d = 2; d >= 0; --d) {
      const auto size = static_cast<size_t>(window.out[d]);
      at[d] = static_cast<int64_t>(rest % size);
      rest /= size;
    }
    const float* base = x + image * window.in_count() * channels;
    int64_t tap[3];
    for (tap[0] = 0; tap[0] < window.kernel[0]; ++tap[0])
      for (tap[1] = 0; tap[1] < window.kernel[1]; ++tap[1])
        for (tap[2] = 0; tap[2] < window.kernel[2]; ++tap[2], to += channels) copy_tap(base, at, tap, to);
  }
  void copy_tap(const float* base, const int64_t* at, const int64_t* tap, float* to) const {
    int64_t index = 0;
    for (int d = 0; d < 3; ++d) {
      const int64_t i = at[d] * window.stride[d] - window.pad[d] + tap[d] * window.dilation[d];
      if (i < 0 || i >= window.in[d]) {
        std::fill_n(to, channels, 0.0f);
        return;
      }
      index = index * window.in[d] + i;
    }
    std::copy_n(base + static_cast<size_t>(index) * channels, channels, to);
  }
};

// Row r of `used` rows spread over `all`.
size_t spread(size_t r, size_t used, size_t all) {
  return static_cast<size_t>(static_cast<uint64_t>(r) * all / used);
}

}  // namespace

Result<ProductMatrix> product_matrix(const ir::Node& node) {
  const bool conv = node.is(Op::ConvOptions);
  if (!conv && !node.is(Op::FullyConnectedOptions))
    return Status(Code::unsupported, "'" + node.name + "' is no matrix product or convolution");
  const ir::Value* w = node.in(1);
  if (w == nullptr || !w->is_constant() || w->dtype != DType::f32 || w->layout != Layout::row_major)
    return Status(Code::unsupported, "the weights of '" + node.name + "' are not a float constant");
  if (conv && node.as<schema::ConvOptionsT>()->groups != 1)
    return Status(Code::unsupported,
                  "'" + node.name + "' is a grouped convolution: it has a matrix per group");
  ProductMatrix m;
  m.outputs = static_cast<size_t>(w->shape[0]);
  m.columns = m.outputs == 0 ? 0 : w->elements<float>().size() / m.outputs;
  m.channels = static_cast<size_t>(w->shape[w->shape.rank() - 1]);
  return m;
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

Result<std::vector<float>> product_rows(const NodeView& node, size_t columns, size_t max_rows) {
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
      std::copy_n(x.as<float>() + spread(r, used, all) * columns, columns, rows.data() + r * columns);
    return rows;
  }
  const Patches patches{conv_window(node, window_options(node.opt<schema::ConvOptions>())), last,
                        x.as<float>()};
  if (patches.window.taps() * last != columns)
    return Status(Code::internal, format("node '%s': patches of %zu for %zu columns", node.name,
                                         patches.window.taps() * last, columns));
  for (size_t r = 0; r < used; ++r) patches.copy(spread(r, used, all), rows.data() + r * columns);
  return rows;
}

}  // namespace pith::quantize
