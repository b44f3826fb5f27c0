// Our own convolutions in groups and transposed convolutions of 8-bit codes, as nodes: the bytes of the reference at every
// instruction set this machine has, with one thread and with two.
#include "runtime/backends/pith/pith_backend.h"
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

struct Layer {
  Shape x, w;
  DType codes = DType::i8;
  bool per_channel = true, bias = true;
};

TestTensor scaled(TestTensor w, size_t scales) {
  for (size_t i = 0; i < scales; ++i) w.scales.push_back(0.002f + 0.0005f * static_cast<float>(i % 7));
  w.zero_points.assign(scales, 0);
  w.quant_axis = 0;
  return constant(std::move(w));
}

template <class OptionsT>
void check(const OptionsT& o, const Layer& l, RandomTensors& random, const char* kernel) {
  const bool is_signed = l.codes == DType::i8;
  TestTensor x = is_signed ? random.integers<int8_t>(l.x, -128, 127) : random.integers<uint8_t>(l.x, 0, 255);
  x = std::move(x).quantized(0.05f, is_signed ? -11 : 117);
  const auto outputs = static_cast<size_t>(l.w[0]);
  std::vector<TestTensor> inputs{
      x, scaled(random.integers<int8_t>(l.w, -127, 127), l.per_channel ? outputs : 1)};
  if (l.bias) inputs.push_back(constant(random.integers<int32_t>({l.w[0]}, -2000, 2000)));
  OpRunSettings settings;
  settings.declared = {TestTensor{}};
  settings.declared[0].dtype = l.codes;
  settings.declared[0] = std::move(settings.declared[0]).quantized(0.07f, is_signed ? 5 : 130);
  const OpResult expected = run_op(o, inputs, settings);
  REQUIRE(expected.status.is_ok());
  settings.prepare = prepare_pith;
  for (int level = 0; level <= static_cast<int>(best_isa(detect_cpu())); ++level)
    for (size_t threads : {1, 2}) {
      settings.cpu = cap_cpu(detect_cpu(), static_cast<Isa>(level));
      settings.cpu.capped = true;
      settings.threads = threads;
      const OpResult found = run_op(o, inputs, settings);
      INFO(found.status.message() << ", level " << name_of(static_cast<Isa>(level)) << ", x " << l.x.text()
                                  << ", w " << l.w.text());
      REQUIRE(found.status.is_ok());
      CHECK(found.kernel == kernel);
      CHECK_FALSE(found.overrun);
      CHECK(found.out[0].bytes == expected.out[0].bytes);
    }
}

template <class OptionsT>
OptionsT window(uint32_t stride, uint32_t pad, uint32_t dilation, uint32_t groups) {
  OptionsT o;
  o.strides = {stride, stride}, o.dilations = {dilation, dilation}, o.pads = {pad, pad, pad, pad};
  o.groups = groups, o.clamp_min = -4, o.clamp_max = 3.5f;
  return o;
}

}  // namespace

TEST_CASE("our convolutions in groups give the bytes of the reference at every level") {
  RandomTensors random(41);
  for (uint32_t groups : {2, 3, 8})
    for (DType codes : {DType::i8, DType::u8})
      for (int64_t each : {1, 4, 5}) {
        const int64_t c = each * groups, o = 3 * groups;
        check(window<schema::ConvOptionsT>(1, 1, 1, groups), {{2, 9, 7, c}, {o, 3, 3, each}, codes}, random,
              "grouped_conv_i8");
        check(window<schema::ConvOptionsT>(2, 0, 1, groups),
              {{1, 8, 8, c}, {o, 1, 1, each}, codes, false, false}, random, "grouped_conv_i8");
      }
  check(window<schema::ConvOptionsT>(1, 1, 1, 2), {{1, 40, 40, 64}, {128, 3, 3, 32}}, random,
        "grouped_conv_i8");
  schema::ConvOptionsT line;
  line.strides = {1}, line.dilations = {1}, line.pads = {1, 1}, line.groups = 4;
  check(line, {{2, 31, 16}, {20, 3, 4}}, random, "grouped_conv_i8");
}

TEST_CASE("our transposed convolutions give the bytes of the reference at every level") {
  RandomTensors random(42);
  for (DType codes : {DType::i8, DType::u8})
    for (uint32_t stride : {1, 2, 3})
      for (int64_t kernel : {1, 2, 3, 4}) {
        auto o = window<schema::ConvTransposeOptionsT>(stride, kernel > 2 ? 1 : 0, 1, 1);
        check(o, {{2, 5, 6, 8}, {13, kernel, kernel, 8}, codes}, random, "conv_transpose_i8");
        o.groups = 2, o.output_pads = {stride - 1, stride - 1};
        check(o, {{1, 5, 6, 8}, {10, kernel, kernel, 4}, codes, false, false}, random, "conv_transpose_i8");
      }
  check(window<schema::ConvTransposeOptionsT>(2, 1, 1, 1), {{1, 24, 24, 48}, {40, 4, 4, 48}}, random,
        "conv_transpose_i8");
}

}  // namespace pith
