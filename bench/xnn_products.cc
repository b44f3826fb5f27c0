// Weights and scales are harmless random numbers: denormal scales would slow XNNPACK down.
#include "bench/xnn_products.h"

#include <pthreadpool.h>
#include <xnnpack.h>

#include <cmath>
#include <random>

namespace pith::bench {
namespace {

struct Product {
  xnn_operator_t op = nullptr;
  pthreadpool_t pool = nullptr;
  std::vector<int8_t> x;
  std::vector<xnn_quantization_params> rows;
  std::vector<float> y;
  std::vector<int8_t> y8;
  ~Product() {
    if (op != nullptr) xnn_delete_operator(op);
    if (pool != nullptr) pthreadpool_destroy(pool);
  }
};

}  // namespace

std::function<void()> xnn_product(const std::string& kind, size_t m, size_t n, size_t k, size_t threads) {
  if (xnn_initialize(nullptr) != xnn_status_success) return {};
  auto p = std::make_shared<Product>();
  if (threads > 1) p->pool = pthreadpool_create(threads);
  std::mt19937 rng(5);
  std::vector<uint8_t> w(n * k);
  for (uint8_t& b : w) b = static_cast<uint8_t>(rng() % 254 + 130);
  if (kind.find("4w") != std::string::npos)
    for (uint8_t& b : w) b = static_cast<uint8_t>(rng());
  std::vector<float> scale(n, 0.01f), bias(n, 0.5f);
  std::vector<uint16_t> block_scale(n * (k / 32), 0x3c24);  // bf16 0.01
  const std::vector<int32_t> bias32(n, 3);
  // A row stride that is no power of two, in XNNPACK's favour.
  const size_t stride = k + 64;
  p->x.resize(m * stride + 64);
  for (int8_t& b : p->x) b = static_cast<int8_t>(rng());
  p->rows.assign(m + XNN_EXTRA_QUANTIZATION_PARAMS, {3, 0.02f});
  p->y.resize(m * n + 64);
  p->y8.resize(m * n + 64);
  const auto* codes = reinterpret_cast<const int8_t*>(w.data());
  xnn_status s = xnn_status_invalid_parameter;
  if (kind == "qd8-qb4w") {
    s = xnn_create_fully_connected_nc_qd8_f32_qb4w(k, n, stride, n, 32, 8, block_scale.data(), w.data(),
                                                   bias.data(), -INFINITY, INFINITY, 0, nullptr, nullptr,
                                                   &p->op);
    if (s == xnn_status_success) s = xnn_reshape_fully_connected_nc_qd8_f32_qb4w(p->op, m, p->pool);
    if (s == xnn_status_success)
      s = xnn_setup_fully_connected_nc_qd8_f32_qb4w(p->op, p->x.data(), p->y.data(), p->rows.data());
  } else if (kind == "qd8-qc4w") {
    s = xnn_create_fully_connected_nc_qd8_f32_qc4w(k, n, stride, n, 8, scale.data(), w.data(), bias.data(),
                                                   -INFINITY, INFINITY, 0, nullptr, nullptr, &p->op);
    if (s == xnn_status_success) s = xnn_reshape_fully_connected_nc_qd8_f32_qc4w(p->op, m, p->pool);
    if (s == xnn_status_success)
      s = xnn_setup_fully_connected_nc_qd8_f32_qc4w(p->op, p->x.data(), p->y.data(), p->rows.data());
  } else if (kind == "qd8-qc8w") {
    s = xnn_create_fully_connected_nc_qd8_f32_qc8w(k, n, stride, n, scale.data(), codes, bias.data(),
                                                   -INFINITY, INFINITY, 0, nullptr, nullptr, &p->op);
    if (s == xnn_status_success) s = xnn_reshape_fully_connected_nc_qd8_f32_qc8w(p->op, m, p->pool);
    if (s == xnn_status_success)
      s = xnn_setup_fully_connected_nc_qd8_f32_qc8w(p->op, p->x.data(), p->y.data(), p->rows.data());
  } else if (kind == "qs8-qc8w") {
    s = xnn_create_fully_connected_nc_qs8_qc8w(k, n, stride, n, 1, 0.02f, scale.data(), codes, bias32.data(),
                                               2, 5.0f, -128, 127, 0, nullptr, nullptr, &p->op);
    if (s == xnn_status_success) s = xnn_reshape_fully_connected_nc_qs8_qc8w(p->op, m, p->pool);
    if (s == xnn_status_success) s = xnn_setup_fully_connected_nc_qs8_qc8w(p->op, p->x.data(), p->y8.data());
  }
  if (s != xnn_status_success) return {};
  return [p] { (void)xnn_run_operator(p->op, p->pool); };
}

}  // namespace pith::bench
