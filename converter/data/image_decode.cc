// Chooses the decoder by the first bytes and keeps the limits.
#include "converter/data/image_decode.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pith::data {

static bool begins_with(std::span<const std::byte> bytes, const char* magic, size_t size) {
  return bytes.size() >= size && std::memcmp(bytes.data(), magic, size) == 0;
}

bool allocate_pixels(ImageJob* job) {
  if (job->width < 1 || job->height < 1 || job->width > kMaxImageSide || job->height > kMaxImageSide ||
      job->width * job->height > kMaxImagePixels) {
    std::snprintf(job->problem, sizeof(job->problem),
                  "%lld x %lld pixels; at most %lld a side and %lld in all are accepted",
                  static_cast<long long>(job->width), static_cast<long long>(job->height),
                  static_cast<long long>(kMaxImageSide), static_cast<long long>(kMaxImagePixels));
    return false;
  }
  job->pixels = static_cast<unsigned char*>(
      std::calloc(static_cast<size_t>(job->width * job->height), job->grey ? 1 : 3));
  if (job->pixels == nullptr) std::snprintf(job->problem, sizeof(job->problem), "out of memory");
  return job->pixels != nullptr;
}

Result<HostTensor> decode_image(std::span<const std::byte> bytes, int channels, const std::string& name) {
  PITH_REQUIRE(bytes.size() <= kMaxImageFileBytes, "'%s': more than %llu bytes", name.c_str(),
               static_cast<unsigned long long>(kMaxImageFileBytes));
  const bool jpeg = begins_with(bytes, "\xff\xd8\xff", 3);
  PITH_REQUIRE(jpeg || begins_with(bytes, "\x89PNG\r\n\x1a\n", 8),
               "'%s': neither a JPEG nor a PNG file; convert it to one of them", name.c_str());
  ImageJob job;
  job.data = reinterpret_cast<const unsigned char*>(bytes.data());
  job.size = bytes.size();
  job.grey = channels == 1;
  const bool good = jpeg ? decode_jpeg(&job) : decode_png(&job);
  HostTensor image{DType::u8, {job.height, job.width, channels}, {}};
  if (good) {
    image.bytes.resize(static_cast<size_t>(job.height * job.width * channels));
    std::memcpy(image.bytes.data(), job.pixels, image.bytes.size());
  }
  std::free(job.pixels);
  PITH_REQUIRE(good, "'%s': a damaged, truncated or unusual %s file: %s", name.c_str(), jpeg ? "JPEG" : "PNG",
               job.problem);
  return image;
}

}  // namespace pith::data
