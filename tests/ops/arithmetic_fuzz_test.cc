// Random options, types, shapes and values for the arithmetic operators, as a hostile file could hold them: check and infer
// refuse them with a message, or the kernel stays inside its tensors. Most telling under ASan and UBSan.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

namespace pith {
namespace {

using test::Random;

struct Fuzz {
  Random random;
  explicit Fuzz(uint64_t seed) : random(seed) {}

  bool coin(int one_in) { return random.integer(0, one_in - 1) == 0; }
  int small() { return static_cast<int>(coin(3) ? random.integer(-5, 5) : random.integer(-1, 1)); }
  float real() {
    static constexpr float kOdd[] = {0, -0.0f, 1, -1, 0.1f, 1e30f, -1e30f, 1e-40f, INFINITY, -INFINITY, NAN};
    return coin(2) ? random.real(-4, 4) : kOdd[random.integer(0, 10)];
  }
  template <class E>
  E kind(E last) {  // now and then one that does not exist
    return static_cast<E>(coin(30) ? 255 : random.integer(0, static_cast<int>(last)));
  }
  DType type() { return coin(2) ? DType::f32 : static_cast<DType>(random.integer(1, kDTypeCount - 1)); }

  TestTensor tensor_of(DType dtype, const Shape& shape) {
    TestTensor t;
    t.dtype = dtype;
    t.shape = shape;
    t.bytes.resize((static_cast<size_t>(shape.count()) * bits_of(dtype) + 7) / 8);
    if (dtype == DType::f32)
      for (size_t i = 0; i < t.bytes.size(); i += 4) {
        const float v = real();
        std::memcpy(&t.bytes[i], &v, 4);
      }
    else
      for (uint8_t& b : t.bytes)
        b = static_cast<uint8_t>(dtype == DType::boolean ? random.next() % 2 : random.next());
    if (coin(4))
      t = std::move(t).quantized(std::fabs(real()), static_cast<int32_t>(random.integer(-200, 200)));
    return t;
  }
  // A few small integers: axes, an axis, k.
  TestTensor numbers() {
    std::vector<int64_t> v(static_cast<size_t>(coin(4) ? random.integer(0, 3) : 1));
    for (int64_t& n : v) n = coin(3) ? small() : random.integer(0, 2);
    return tensor<int64_t>({static_cast<int64_t>(v.size())}, v);
  }
  Shape shaped_like(Shape shape) {
    for (int d = 0; d < shape.rank(); ++d)
      if (coin(6)) shape[d] = coin(2) ? 1 : random.integer(0, 4);
    if (coin(3) && shape.rank() > 0) shape = coin(3) ? Shape{} : Shape{shape[shape.rank() - 1]};
    return shape;
  }
  // n inputs, mostly of related shapes and of the types wanted (none: one type for all).
  std::vector<TestTensor> inputs(int n, bool second_is_numbers, const std::vector<DType>& types) {
    Shape like;
    for (int64_t rank = random.integer(0, 4), d = 0; d < rank; ++d)
      like.push_back(random.integer(coin(8) ? 0 : 1, 4));
    if (coin(10)) n = static_cast<int>(random.integer(0, 4));
    const DType common = type();
    const bool quantized = coin(4);
    std::vector<TestTensor> all;
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      const DType wanted = at < types.size() && types[at] != DType::none ? types[at] : common;
      if (i > 0 && coin(15))
        all.push_back(omitted());
      else if (i == 1 && second_is_numbers && !coin(10))
        all.push_back(numbers());
      else
        all.push_back(tensor_of(coin(8) ? type() : wanted, i == 0 ? like : shaped_like(like)));
      if (quantized && bits_of(all.back().dtype) == 8)
        all.back() = std::move(all.back()).quantized(0.5f, static_cast<int32_t>(random.integer(0, 3)));
    }
    return all;
  }

  int accepted = 0;
  template <class OptionsT>
  void run(const OptionsT& options, int n, size_t outputs = 1, bool second_is_numbers = false,
           const std::vector<DType>& types = {}) {
    const std::vector<TestTensor> given = inputs(n, second_is_numbers, types);
    OpRunSettings settings;
    settings.outputs = coin(10) ? static_cast<size_t>(random.integer(1, 3)) : outputs;
    settings.declared.resize(settings.outputs);
    for (TestTensor& t : settings.declared) {
      t.dtype = type();
      if (coin(20) || (!given.empty() && !given[0].scales.empty() && !coin(4)))
        t = std::move(t).quantized(0.25f, static_cast<int32_t>(random.integer(0, 3)));
    }
    const OpResult r = run_op(options, given, settings);
    CHECK_FALSE(r.overrun);
    CHECK((r.status.is_ok() || !r.status.message().empty()));
    CHECK(r.status.code() != Code::internal);
    accepted += r.status.is_ok() ? 1 : 0;
  }
};

void elementwise(Fuzz& f) {
  schema::UnaryOptionsT unary;
  unary.kind = f.kind(schema::UnaryKind::MAX);
  unary.alpha = f.real();
  unary.beta = f.real();
  f.run(unary, 1);
  schema::BinaryOptionsT binary;
  binary.kind = f.kind(schema::BinaryKind::MAX);
  if (f.coin(4)) binary.clamp_min = f.real();
  if (f.coin(4)) binary.clamp_max = f.real();
  f.run(binary, 2);
  f.run(schema::WhereOptionsT(), 3, 1, false, {DType::boolean});
  schema::CastOptionsT cast;
  cast.to = static_cast<uint8_t>(f.type());
  cast.rounding = f.kind(schema::CastRounding::MAX);
  f.run(cast, 1);
}

void reductions(Fuzz& f) {
  schema::SoftmaxOptionsT softmax;
  softmax.kind = f.kind(schema::SoftmaxKind::MAX);
  softmax.axis = f.small();
  f.run(softmax, 1);
  schema::ReduceOptionsT reduce;
  reduce.kind = f.kind(schema::ReduceKind::MAX);
  reduce.keepdims = f.coin(2);
  reduce.noop_with_empty_axes = f.coin(2);
  f.run(reduce, 2, 1, true);
  schema::ArgReduceOptionsT arg;
  arg.axis = f.small();
  arg.largest = f.coin(2);
  arg.select_last_index = f.coin(2);
  f.run(arg, 1);
  schema::CumSumOptionsT sum;
  sum.exclusive = f.coin(2);
  sum.reverse = f.coin(2);
  f.run(sum, 2, 1, true);
  schema::TopKOptionsT top;
  top.axis = f.small();
  top.largest = f.coin(2);
  f.run(top, 2, 2, true);
}

void norms(Fuzz& f) {
  schema::LayerNormOptionsT layer;
  layer.axis = f.small();
  layer.epsilon = f.real();
  f.run(layer, 3, 3, false, {DType::f32, DType::f32, DType::f32});
  schema::RmsNormOptionsT rms;
  rms.axis = f.small();
  f.run(rms, 2);
  schema::InstanceNormOptionsT instance;
  instance.channel_axis = f.small();
  f.run(instance, 3, 1, false, {DType::f32, DType::f32, DType::f32});
  schema::LpNormOptionsT lp;
  lp.axis = f.small();
  lp.p = f.small();
  f.run(lp, 1);
  schema::LocalResponseNormOptionsT local;
  local.channel_axis = f.small();
  local.size = f.coin(3) ? UINT32_MAX : static_cast<uint32_t>(f.random.integer(0, 6));
  local.beta = f.real();
  f.run(local, 1);
}

void codes(Fuzz& f) {
  schema::QuantizeOptionsT quantize;
  quantize.axis = f.small();
  quantize.block = f.coin(2) ? 0 : f.coin(4) ? UINT32_MAX : static_cast<uint32_t>(f.random.integer(1, 3));
  quantize.to = f.coin(2) ? 0 : static_cast<uint8_t>(f.type());
  f.run(quantize, static_cast<int>(f.random.integer(1, 3)), 1, false, {DType::f32, DType::f32, DType::u8});
  schema::DequantizeOptionsT dequantize;
  dequantize.axis = quantize.axis;
  dequantize.block = quantize.block;
  f.run(dequantize, static_cast<int>(f.random.integer(1, 3)), 1, false, {DType::i8, DType::f32, DType::i8});
  f.run(schema::DynamicQuantizeOptionsT(), 1, 3);
  schema::RequantizeOptionsT requantize;
  requantize.axis = f.small();
  f.run(requantize, 4, 1, false, {DType::i32, DType::f32, DType::f32, DType::u8});
}

}  // namespace

TEST_CASE("arithmetic operators survive random options, types, shapes and values") {
  Fuzz fuzz(20261123);
  for (int round = 0; round < 4000; ++round) {
    CAPTURE(round);
    elementwise(fuzz);
    reductions(fuzz);
    norms(fuzz);
    codes(fuzz);
  }
  CHECK(fuzz.accepted > 10000);  // the test would be idle if nearly everything were refused
}

}  // namespace pith
