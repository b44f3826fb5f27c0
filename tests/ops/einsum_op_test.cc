// Einsum: products, diagonals, traces, broadcasting, implicit outputs, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
OpResult einsum(const char* equation, const std::vector<TestTensor>& operands) {
  schema::EinsumOptionsT o;
  o.equation = equation;
  return run_op(o, operands);
}
const TestTensor kA = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}),
                 kB = tensor<float>({3, 2}, {1, 0, 0, 1, 1, 1});
const TestTensor kSquare = tensor<float>({2, 2}, {1, 2, 3, 4});
using Values = std::vector<float>;
}  // namespace

TEST_CASE("einsum: matrix product, with and without an arrow") {
  OpResult r = einsum("ij, jk -> ik", {kA, kB});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 2});
  CHECK(r.out[0].values<float>() == Values{4, 5, 10, 11});
  CHECK(einsum("ij,jk", {kA, kB}).out[0].values<float>() == Values{4, 5, 10, 11});
  CHECK(einsum("ba", {kA}).out[0].values<float>() == Values{1, 4, 2, 5, 3, 6});
}

TEST_CASE("einsum: diagonal, trace, sums, three operands") {
  CHECK(einsum("ii->i", {kSquare}).out[0].values<float>() == Values{1, 4});
  CHECK(einsum("ii", {kSquare}).out[0].values<float>() == Values{5});
  CHECK(einsum("ij->", {kA}).out[0].shape == Shape{});
  CHECK(einsum("ij->j", {kA}).out[0].values<float>() == Values{5, 7, 9});
  CHECK(einsum("i,i,i->",
               {tensor<int32_t>({2}, {1, 2}), tensor<int32_t>({2}, {3, 4}), tensor<int32_t>({2}, {5, 6})})
            .out[0]
            .values<int32_t>() == std::vector<int32_t>{63});
}

TEST_CASE("einsum: the ellipsis stands for dims that broadcast") {
  const OpResult r = einsum("...ij,...jk->...ik", {tensor<float>({2, 1, 2}, {1, 2, 3, 4}), kSquare});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 1, 2});
  CHECK(r.out[0].values<float>() == Values{7, 10, 15, 22});
  CHECK(einsum("...,...", {kSquare, tensor<float>({2}, {1, 10})}).out[0].values<float>() ==
        Values{1, 20, 3, 40});
  CHECK(einsum("i...->...", {kSquare}).out[0].values<float>() == Values{4, 6});
}

TEST_CASE("einsum: an empty sum is zero") {
  CHECK(einsum("ij->j", {tensor<float>({0, 2}, {})}).out[0].values<float>() == Values{0, 0});
}

TEST_CASE("einsum: equations that make no sense are refused") {
  CHECK(einsum("ij,jk->ik", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("ij,ij->", {kA, kB}).status.code() == Code::bad_file);
  CHECK(einsum("ijk->", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("ij->ijk", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("ij->ii", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("i1->i", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("ij->i->j", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("..ij", {kA}).status.code() == Code::bad_file);
  CHECK(einsum("", {kA}).status.code() == Code::bad_file);
}
