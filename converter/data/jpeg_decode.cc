// JPEG through libjpeg. Data that libjpeg would only warn about and replace by grey are an error here: a
// calibration or evaluation on half a picture is worse than none.
#include <csetjmp>
#include <cstdio>

#include "converter/data/image_decode.h"
// jpeglib.h needs FILE and size_t first.
#include <jpeglib.h>
// jerror.h needs jpeglib.h first.
#include <jerror.h>

namespace pith::data {
namespace {

constexpr long kMaxDecoderBytes = 768L << 20;
constexpr int kMaxScans =
    500;  // a progressive file of a few kB can ask for thousands of passes over the image

struct ErrorTrap {
  jpeg_error_mgr base;  // first: libjpeg hands back a pointer to it
  jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr codec) {
  auto* trap = reinterpret_cast<ErrorTrap*>(codec->err);
  trap->base.format_message(codec, trap->text);
  std::longjmp(trap->back, 1);
}

void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;  // level < 0: corrupt data
  const int code = codec->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
      code == JWRN_MUST_RESYNC || code == JWRN_ARITH_BAD_CODE)
    on_error(codec);
}

void on_progress(j_common_ptr codec) {
  if (codec->is_decompressor == FALSE ||
      reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans)
    return;
  auto* trap = reinterpret_cast<ErrorTrap*>(codec->err);
  std::snprintf(trap->text, sizeof(trap->text), "more than %d passes over the image", kMaxScans);
  std::longjmp(trap->back, 1);
}

bool decode(jpeg_decompress_struct* codec, ImageJob* job) {
  jpeg_mem_src(codec, job->data, static_cast<unsigned long>(job->size));
  jpeg_read_header(codec, TRUE);
  job->width = codec->image_width;
  job->height = codec->image_height;
  if (!allocate_pixels(job)) return false;
  codec->out_color_space = job->grey ? JCS_GRAYSCALE : JCS_RGB;  // CMYK has no conversion: libjpeg refuses it
  jpeg_start_decompress(codec);
  const size_t row_bytes = static_cast<size_t>(job->width) * (job->grey ? 1 : 3);
  while (codec->output_scanline < codec->output_height) {
    JSAMPROW row = job->pixels + codec->output_scanline * row_bytes;
    jpeg_read_scanlines(codec, &row, 1);
  }
  jpeg_finish_decompress(codec);
  return true;
}

}  // namespace

bool decode_jpeg(ImageJob* job) {
  ErrorTrap trap;
  jpeg_decompress_struct codec;
  jpeg_progress_mgr progress{};
  codec.err = jpeg_std_error(&trap.base);
  trap.base.error_exit = on_error;
  trap.base.emit_message = on_message;
  trap.text[0] = '\0';
  progress.progress_monitor = on_progress;
  if (setjmp(trap.back) != 0) {
    std::snprintf(job->problem, sizeof(job->problem), "%s", trap.text);
    jpeg_destroy_decompress(&codec);
    return false;
  }
  jpeg_create_decompress(&codec);
  codec.mem->max_memory_to_use = kMaxDecoderBytes;
  codec.progress = &progress;
  const bool good = decode(&codec, job);
  jpeg_destroy_decompress(&codec);
  return good;
}

}  // namespace pith::data
