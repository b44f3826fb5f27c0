// JPEG and PNG to pixels.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "converter/data/host_tensor.h"
#include "runtime/base/status.h"

namespace pith::data {

inline constexpr uint64_t kMaxImageFileBytes = uint64_t{256} << 20;
inline constexpr int64_t kMaxImageSide = 16384;
inline constexpr int64_t kMaxImagePixels = int64_t{48} << 20;  // a decoder needs up to 15 bytes for each

// u8, [height, width, channels]; channels is 3 (RGB) or 1 (grey, BT.601 luma of a coloured image).
// Transparency is dropped, 16-bit PNG loses its low byte, colour profiles and gamma are ignored: the pixels
// are those of Pillow's convert("RGB"). Anything but JPEG and PNG, a damaged or truncated file, or an image
// beyond the limits above is refused; `name` begins the message.
Result<HostTensor> decode_image(std::span<const std::byte> bytes, int channels, const std::string& name);

// One image on its way through a C library that reports errors by longjmp: everything that must survive the
// jump.
struct ImageJob {
  const unsigned char* data = nullptr;
  size_t size = 0;
  bool grey = false;
  int64_t width = 0, height = 0;
  unsigned char* pixels = nullptr;  // from malloc; freed by decode_image
  char problem[256] = "";
};
// Fill width, height and pixels, or problem; true on success. jpeg_decode.cc and png_decode.cc.
bool decode_jpeg(ImageJob* job);
bool decode_png(ImageJob* job);
// Allocates job->pixels for job->width x job->height, or says in job->problem why not.
bool allocate_pixels(ImageJob* job);

}  // namespace pith::data
