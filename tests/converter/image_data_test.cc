// Decoding JPEG and PNG, resizing, cropping, and the preprocessing chain.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "converter/data/image_decode.h"
#include "converter/data/image_ops.h"
#include "converter/data/preprocess.h"
#include "tests/support/dataset_maker.h"
#include "tests/support/temp_folder.h"
// jpeglib.h needs FILE and size_t first.
#include <jpeglib.h>

using namespace pith;
using namespace pith::data;
using namespace pith::test;

namespace {

// A picture whose red grows with x, green with y, blue constant.
std::string gradient(int width, int height) {
  std::string rgb;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      rgb += {static_cast<char>(x * 255 / width), static_cast<char>(y * 255 / height), 60};
  return rgb;
}
std::string png_chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(crc));
}
// 8 bits a channel; colour type 0 grey, 2 RGB, 6 RGBA; `pixels` without the filter bytes.
std::string png_of(int width, int height, int colour_type, int channels, const std::string& pixels) {
  std::string rows;
  const auto row = static_cast<size_t>(width * channels);
  for (size_t y = 0; y < static_cast<size_t>(height); ++y)
    rows += std::string(1, 0) + pixels.substr(y * row, row);
  std::string packed(compressBound(rows.size()), 0);
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
           rows.size());
  packed.resize(size);
  const std::string head = big_endian(static_cast<uint32_t>(width)) +
                           big_endian(static_cast<uint32_t>(height)) +
                           std::string{8, static_cast<char>(colour_type), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", head) + png_chunk("IDAT", packed) + png_chunk("IEND", "");
}
std::string png_bytes(int width, int height) { return png_of(width, height, 2, 3, gradient(width, height)); }
std::string jpg_bytes(int width, int height, bool progressive = false) {
  std::string rgb = gradient(width, height);
  jpeg_error_mgr errors;
  jpeg_compress_struct codec;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &bytes, &size);
  codec.image_width = static_cast<JDIMENSION>(width);
  codec.image_height = static_cast<JDIMENSION>(height);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 95, TRUE);
  if (progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row =
        reinterpret_cast<JSAMPROW>(rgb.data()) + codec.next_scanline * static_cast<size_t>(width) * 3;
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  const std::string out(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&codec);
  std::free(bytes);
  return out;
}
Result<HostTensor> decode(const std::string& bytes, int channels = 3) {
  return decode_image(std::as_bytes(std::span(bytes)), channels, "picture");
}
int pixel(const HostTensor& image, int64_t y, int64_t x, int64_t c) {
  return std::to_integer<int>(
      image.bytes[static_cast<size_t>((y * image.shape[1] + x) * image.shape[2] + c)]);
}
std::vector<float> floats(const HostTensor& t) { return {t.as<float>().begin(), t.as<float>().end()}; }
SourceSpec spec_of(DType dtype, std::vector<int64_t> shape, Axes axes) {
  SourceSpec spec;
  spec.count = 1;
  spec.dtype = dtype;
  spec.shape = std::move(shape);
  spec.axes = axes;
  return spec;
}
HostTensor u8_tensor(std::vector<int64_t> shape, const std::vector<int>& values) {
  HostTensor t{DType::u8, std::move(shape), {}};
  for (int v : values) t.bytes.push_back(static_cast<std::byte>(v));
  return t;
}
std::string plan_error(const PreprocessConfig& config, const SourceSpec& spec) {
  const Result<Preprocess> plan = Preprocess::plan(config, spec);
  return plan.is_ok() ? "" : plan.status().message();
}

}  // namespace

TEST_CASE("images: PNG is exact, JPEG is near, grey is the luma") {
  const Result<HostTensor> png = decode(png_bytes(40, 30)), jpg = decode(jpg_bytes(40, 30)),
                           grey = decode(png_bytes(40, 30), 1);
  REQUIRE(png.is_ok());
  REQUIRE(jpg.is_ok());
  REQUIRE(grey.is_ok());
  CHECK(png.value().shape == std::vector<int64_t>{30, 40, 3});
  CHECK(grey.value().shape == std::vector<int64_t>{30, 40, 1});
  for (int y : {0, 15, 29})
    for (int x : {0, 20, 39}) {
      const int want[3] = {x * 255 / 40, y * 255 / 30, 60};
      for (int c = 0; c < 3; ++c) {
        CHECK(pixel(png.value(), y, x, c) == want[c]);
        CHECK(std::abs(pixel(jpg.value(), y, x, c) - want[c]) <=
              8);  // quality 95, 4:2:0 chroma of a gradient
      }
      const double luma = 0.299 * want[0] + 0.587 * want[1] + 0.114 * want[2];
      CHECK(std::abs(pixel(grey.value(), y, x, 0) - luma) <= 1.5);
    }
}

TEST_CASE("images: grey files become RGB, and transparency is dropped") {
  const Result<HostTensor> grey = decode(png_of(2, 1, 0, 1, "\x10\x80")),
                           rgba = decode(png_of(1, 1, 6, 4, "abc\x05"));
  REQUIRE_MESSAGE(grey.is_ok(), grey.status().message());
  REQUIRE_MESSAGE(rgba.is_ok(), rgba.status().message());
  CHECK(grey.value().shape == std::vector<int64_t>{1, 2, 3});
  CHECK(pixel(grey.value(), 0, 1, 2) == 0x80);
  CHECK(std::memcmp(rgba.value().bytes.data(), "abc", 3) == 0);
}

TEST_CASE("images: foreign formats, truncations and huge dimensions give errors that name the file") {
  CHECK(says(decode("").status().message(), "neither a JPEG nor a PNG"));
  CHECK(says(decode("GIF89a").status().message(), "neither a JPEG nor a PNG"));
  CHECK(says(decode("\xff\xd8\xff").status().message(), "JPEG"));
  const std::string png = png_bytes(40, 30), jpg = jpg_bytes(40, 30);
  for (const std::string& good : {png, jpg})
    for (size_t cut = 0; cut + 12 < good.size();
         cut += 3) {  // the last bytes are a PNG's empty IEND, a JPEG's EOI
      CAPTURE(cut);
      const Result<HostTensor> image = decode(good.substr(0, cut));
      CHECK_FALSE(image.is_ok());
      if (!image.is_ok()) CHECK(says(image.status().message(), "'picture'"));
    }
  const auto sized = [](uint32_t width, uint32_t height) {
    return "\x89PNG\r\n\x1a\n" +
           png_chunk("IHDR", big_endian(width) + big_endian(height) + std::string{8, 2, 0, 0, 0}) +
           png_chunk("IDAT", "x") + png_chunk("IEND", "");
  };
  CHECK(says(decode(sized(16000, 16000)).status().message(), "at most"));
  CHECK(says(decode(sized(0x7fffffff, 1)).status().message(), "IHDR"));
  CHECK(says(decode(sized(0, 1)).status().message(), "IHDR"));
  std::string wide = jpg;  // SOF0: marker, u16 length, u8 precision, u16 height, u16 width
  const size_t frame = wide.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  wide.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  CHECK(says(decode(wide).status().message(), "at most"));
}

TEST_CASE("images: a byte changed anywhere ends in an image or an error, never in a crash") {
  for (const std::string& good : {png_bytes(24, 16), jpg_bytes(24, 16), jpg_bytes(24, 16, true)}) {
    int refused = 0;
    for (size_t at = 0; at < good.size(); ++at)
      for (int change : {0x01, 0x80, 0xff}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ change);
        const Result<HostTensor> image = decode(bad);
        refused += image.is_ok() ? 0 : 1;
        if (image.is_ok()) CHECK(image.value().shape[2] == 3);
      }
    CHECK(refused > 0);
  }
}

TEST_CASE("resize: growing by two interpolates at half-integer centres, edges repeat") {
  const Pixels in{1, 2, 1, {0, 100}};
  const Pixels out = resize(in, 1, 4, Filter::bilinear, true, Rounding::none);
  REQUIRE(out.values.size() == 4);
  CHECK(out.values[0] == doctest::Approx(0));
  CHECK(out.values[1] == doctest::Approx(25));
  CHECK(out.values[2] == doctest::Approx(75));
  CHECK(out.values[3] == doctest::Approx(100));
}

TEST_CASE("resize: shrinking averages with antialias and picks neighbours without") {
  const Pixels in{1, 4, 1, {0, 0, 100, 100}};
  // Triangle of half width 2 around 0.5: weights 0.75 0.75 0.25 (0 at 2.5) over pixels 0 1 2, normalized
  // by 1.75.
  const Pixels smooth = resize(in, 1, 2, Filter::bilinear, true, Rounding::none);
  CHECK(smooth.values[0] == doctest::Approx(100 * 0.25 / 1.75));
  CHECK(smooth.values[1] == doctest::Approx(100 - 100 * 0.25 / 1.75));
  const Pixels sharp = resize(in, 1, 2, Filter::bilinear, false, Rounding::none);
  CHECK(sharp.values[0] == doctest::Approx(0));
  CHECK(sharp.values[1] == doctest::Approx(100));
  const Pixels rounded = resize(in, 1, 2, Filter::bilinear, true, Rounding::byte);
  CHECK(rounded.values[0] == 14);
  CHECK(rounded.values[1] == 86);
}

TEST_CASE("resize: bilinear, bicubic and lanczos give the bytes of Pillow 12, growing and shrinking") {
  const Pixels in{1, 8, 1, {10, 200, 30, 250, 90, 0, 120, 60}};
  const struct {
    Filter filter;
    std::vector<double> wanted;
  } cases[] = {{Filter::bilinear, {10, 105, 172, 58, 140, 223, 117, 45, 20, 100, 90, 60}},
               {Filter::bicubic, {0, 109, 188, 40, 139, 245, 117, 28, 10, 108, 95, 56}},
               {Filter::lanczos, {0, 117, 189, 38, 132, 255, 130, 7, 14, 108, 101, 51}},
               {Filter::bilinear, {109, 118, 72}},
               {Filter::bicubic, {104, 123, 66}},
               {Filter::lanczos, {107, 125, 61}}};
  for (const auto& c : cases) {
    CAPTURE(static_cast<int>(c.filter));
    const auto width = static_cast<int64_t>(c.wanted.size());
    CHECK(resize(in, 1, width, c.filter, true, Rounding::byte).values == c.wanted);
  }
}

TEST_CASE("mirror_pad: rows and columns are mirrored at the outermost pixels, which are not repeated") {
  const Pixels out = mirror_pad({2, 3, 1, {1, 2, 3, 4, 5, 6}}, 1);
  CHECK(out.height == 4);
  CHECK(out.width == 5);
  CHECK(out.values == std::vector<double>{5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2});
  PreprocessConfig config;
  config.mirror_pad = 3;
  const SourceSpec fixed = spec_of(DType::u8, {4, 4, 3}, Axes::hwc),
                   open = spec_of(DType::u8, {-1, -1, 3}, Axes::hwc);
  CHECK(Preprocess::plan(config, fixed).value().shape() == std::vector<int64_t>{10, 10, 3});
  config.mirror_pad = 4;
  CHECK(says(plan_error(config, fixed), "mirror_pad of 4 does not fit"));
  const Result<Preprocess> late = Preprocess::plan(config, open);
  REQUIRE(late.is_ok());
  CHECK(says(late.value().apply(u8_tensor({4, 5, 3}, std::vector<int>(60, 5))).status().message(),
             "mirror_pad"));
}

TEST_CASE(
    "preprocess: resize, crop, BGR, arithmetic, layout, reshape and dtype apply in the documented order") {
  PreprocessConfig config;
  config.center_crop = {1, 2};
  config.channel_order = ChannelOrder::swapped;
  config.scale = 2;
  config.zero_point = 1;
  config.mean = {1, 2, 3};
  config.std = {1, 2, 4};
  config.has_arithmetic = true;
  config.layout = Axes::chw;
  const Result<Preprocess> plan = Preprocess::plan(config, spec_of(DType::u8, {3, 4, 3}, Axes::hwc));
  REQUIRE_MESSAGE(plan.is_ok(), plan.status().message());
  CHECK(plan.value().shape() == std::vector<int64_t>{3, 1, 2});
  CHECK(plan.value().dtype() == DType::f32);
  std::vector<int> pixels(36);
  for (int i = 0; i < 36; ++i) pixels[static_cast<size_t>(i)] = i;
  const Result<HostTensor> out = plan.value().apply(u8_tensor({3, 4, 3}, pixels));
  REQUIRE(out.is_ok());
  // Row 1, columns 1 and 2 hold RGB (15,16,17) and (18,19,20); B first: ((17-1)*2-1)/1 = 31, ((20-1)*2-1)/1 =
  // 37, ...
  CHECK(floats(out.value()) == std::vector<float>{31, 37, 14, 17, 6.25f, 7.75f});
  config.reshape = {-1, 2};
  config.dtype = DType::i8;
  const Result<Preprocess> second = Preprocess::plan(config, spec_of(DType::u8, {3, 4, 3}, Axes::hwc));
  REQUIRE(second.is_ok());
  CHECK(second.value().shape() == std::vector<int64_t>{3, 2});
  const Result<HostTensor> coded = second.value().apply(u8_tensor({3, 4, 3}, pixels));
  REQUIRE(coded.is_ok());
  const int8_t want[6] = {31, 37, 14, 17, 6, 8};
  CHECK(std::memcmp(coded.value().bytes.data(), want, 6) == 0);
}

TEST_CASE("preprocess: the shorter side is resized to n and the longer one truncated, whatever the image") {
  PreprocessConfig config;
  config.resize = {4};
  config.layout = Axes::hwc;
  SourceSpec spec = spec_of(DType::u8, {-1, -1, 3}, Axes::hwc);
  const Result<Preprocess> plan = Preprocess::plan(config, spec);
  REQUIRE(plan.is_ok());
  CHECK(plan.value().shape() == std::vector<int64_t>{-1, -1, 3});
  CHECK(plan.value().apply(u8_tensor({2, 3, 3}, std::vector<int>(18, 5))).value().shape ==
        std::vector<int64_t>{4, 6, 3});
  CHECK(plan.value().apply(u8_tensor({5, 3, 3}, std::vector<int>(45, 5))).value().shape ==
        std::vector<int64_t>{6, 4, 3});
  config.center_crop = {8};
  const Result<Preprocess> crop = Preprocess::plan(config, spec);
  REQUIRE(crop.is_ok());
  CHECK(crop.value().shape() == std::vector<int64_t>{8, 8, 3});
  CHECK(says(crop.value().apply(u8_tensor({2, 3, 3}, std::vector<int>(18, 5))).status().message(),
             "does not fit"));
}

TEST_CASE(
    "preprocess: without a wish an item keeps its bytes, and big integers are never rounded in silence") {
  SourceSpec spec = spec_of(DType::i64, {2}, Axes::plain);
  spec.default_dtype = DType::i64;
  HostTensor ids{DType::i64, {2}, std::vector<std::byte>(16)};
  ids.as<int64_t>()[0] = INT64_MAX;
  const Result<Preprocess> keep = Preprocess::plan({}, spec);
  REQUIRE(keep.is_ok());
  CHECK(keep.value().apply(ids).value().bytes == ids.bytes);
  PreprocessConfig convert;
  convert.dtype = DType::i32;
  const Result<Preprocess> narrow = Preprocess::plan(convert, spec);
  REQUIRE(narrow.is_ok());
  CHECK(says(narrow.value().apply(ids).status().message(), "too large"));
  ids.as<int64_t>()[0] = 7;
  CHECK(narrow.value().apply(ids).value().as<int32_t>()[0] == 7);
}

TEST_CASE("preprocess: impossible configurations are refused before any item is read") {
  const SourceSpec image = spec_of(DType::u8, {8, 8, 3}, Axes::hwc),
                   plain = spec_of(DType::f32, {10}, Axes::plain);
  const SourceSpec grey = spec_of(DType::u8, {8, 8}, Axes::hw);
  PreprocessConfig c;
  c.resize = {4};
  CHECK(says(plan_error(c, plain), "\"axes\""));
  CHECK(plan_error(c, image).empty());
  c = {};
  c.center_crop = {9};
  CHECK(says(plan_error(c, image), "does not fit"));
  c = {};
  c.channel_order = ChannelOrder::swapped;
  CHECK(says(plan_error(c, grey), "3 channels"));
  c = {};
  c.mean = {1, 2};
  CHECK(says(plan_error(c, image), "2 values"));
  CHECK(says(plan_error(c, plain), "axes are not known"));
  c = {};
  c.std = {0};
  CHECK(says(plan_error(c, image), "not 0"));
  c = {};
  c.scale = 0;
  CHECK(says(plan_error(c, image), "scale"));
  c = {};
  c.reshape = {5, -1};
  CHECK(says(plan_error(c, image), "reshape"));
  c.reshape = {-1, -1};
  CHECK(says(plan_error(c, image), "reshape"));
  c.reshape = {INT64_MAX, INT64_MAX};
  CHECK(says(plan_error(c, image), "reshape"));
  c = {};
  c.resize = {16384, 16384};
  CHECK(says(plan_error(c, image), "1 GiB"));
  CHECK(says(plan_error({}, spec_of(DType::u8, {8, 8}, Axes::chw)), "\"axes\" does not fit"));
}
