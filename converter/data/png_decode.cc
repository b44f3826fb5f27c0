// PNG through libpng: palette, grey, 16-bit, transparent and interlaced files all become 8-bit RGB or grey.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "converter/data/image_decode.h"

namespace pith::data {
namespace {

constexpr png_alloc_size_t kMaxChunkBytes = png_alloc_size_t{8}
                                            << 20;  // for ancillary chunks, which we do not want

struct PngReader {
  ImageJob* job;
  size_t at = 0;
  png_bytep* rows = nullptr;  // from malloc
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader->job->problem, sizeof(reader->job->problem), "%s", text);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}  // about ancillary chunks

void on_read(png_structp png, png_bytep out, png_size_t size) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (size > reader->job->size - reader->at) png_error(png, "the file ends too early");
  std::memcpy(out, reader->job->data + reader->at, size);
  reader->at += size;
}

// Makes every row width x (1 or 3) bytes.
void normalize(png_structp png, png_infop info, bool grey) {
  png_set_expand(png);  // palette to RGB, 1, 2 and 4 bits to 8, transparent colour to alpha
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  const bool coloured = (png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR) != 0;
  if (!coloured && !grey) png_set_gray_to_rgb(png);
  if (coloured && grey)
    png_set_rgb_to_gray_fixed(png, PNG_ERROR_ACTION_NONE, 29900, 58700);  // BT.601, x 100,000
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

bool decode(png_structp png, png_infop info, PngReader* reader) {
  ImageJob* job = reader->job;
  png_set_read_fn(png, reader, on_read);
  png_set_user_limits(png, kMaxImageSide, kMaxImageSide);
  png_set_chunk_malloc_max(png, kMaxChunkBytes);
  png_read_info(png, info);
  job->width = png_get_image_width(png, info);
  job->height = png_get_image_height(png, info);
  if (!allocate_pixels(job)) return false;
  normalize(png, info, job->grey);
  const size_t row_bytes = static_cast<size_t>(job->width) * (job->grey ? 1 : 3);
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "an unexpected row size");
  const auto height = static_cast<size_t>(job->height);
  reader->rows = static_cast<png_bytep*>(std::malloc(height * sizeof(png_bytep)));
  if (reader->rows == nullptr) png_error(png, "out of memory");
  for (size_t y = 0; y < height; ++y) reader->rows[y] = job->pixels + y * row_bytes;
  png_read_image(png, reader->rows);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

bool decode_png(ImageJob* job) {
  PngReader reader{job, 0, nullptr};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    std::snprintf(job->problem, sizeof(job->problem), "out of memory");
    return false;
  }
  bool good = false;
  if (setjmp(png_jmpbuf(png)) == 0) good = decode(png, info, &reader);
  std::free(reader.rows);
  png_destroy_read_struct(&png, &info, nullptr);
  return good;
}

}  // namespace pith::data
