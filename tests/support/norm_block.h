// A transformer's feed-forward part: norm -> two products that share it -> gelu of their sum -> a last product. Outlier channels
// can be put behind the norm without changing what the block computes.
#pragma once
#include <doctest/doctest.h>

#include <vector>

#include "converter/quantize/calibrate.h"
#include "tests/support/distributions.h"
#include "tests/support/graph_maker.h"

namespace pith::testing {

struct NormBlock {
  GraphMaker maker;
  size_t width;
  ir::Node *norm = nullptr, *first = nullptr, *second = nullptr, *last = nullptr;

  explicit NormBlock(size_t channels, bool rms = false) : width(channels) {
    const auto k = static_cast<int64_t>(channels);
    const double spread = 1 / std::sqrt(static_cast<double>(channels));
    const schema::FullyConnectedOptionsT dense;
    const auto weights = [&](uint64_t seed) {
      return maker.f32({k, k}, normals(channels * channels, 0, spread, seed));
    };
    const auto vector = [&](double mean, uint64_t seed) {
      return maker.f32({k}, normals(channels, mean, 0.2, seed));
    };
    ir::Value* x = maker.input("x", DType::f32, Shape{kRows, k});
    ir::Value* n = rms ? maker.node("norm", schema::RmsNormOptionsT{}, {x, vector(1, 5)})
                       : maker.node("norm", schema::LayerNormOptionsT{}, {x, vector(1, 5), vector(0, 6)});
    ir::Value* a = maker.node("first", dense, {n, weights(11), vector(0, 7)});
    ir::Value* b = maker.node("second", dense, {n, weights(12)});
    ir::Value* h = maker.unary(schema::UnaryKind::gelu, maker.binary(schema::BinaryKind::add, a, b));
    ir::Value* y = maker.node("last", dense, {h, weights(13), vector(0, 8)});
    maker.output("y", y);
    norm = n->producer, first = a->producer, second = b->producer, last = y->producer;
  }

  static constexpr int64_t kRows = 3;
  std::vector<float> rows(int64_t count, uint64_t seed) const {
    return normals(static_cast<size_t>(count) * width, 0.1, 1, seed);
  }
  quantize::ItemSource items(int64_t count) const {
    return {count, [this](int64_t item, Session& session) -> Status {
              PITH_RETURN_IF_ERROR(session.prepare());
              const auto x = rows(kRows, static_cast<uint64_t>(item) + 100);
              std::copy(x.begin(), x.end(), session.input(0).as_mutable<float>());
              return Status::ok();
            }};
  }
};

}  // namespace pith::testing
