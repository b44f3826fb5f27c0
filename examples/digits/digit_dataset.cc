// The npy files: written beside their final names, checked, then renamed.
#include "examples/digits/digit_dataset.h"

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "examples/digits/draw_digits.h"

namespace pith::examples {
namespace {

namespace fs = std::filesystem;

// A file that becomes `path` on commit() and leaves nothing behind otherwise.
class PendingFile {
 public:
  explicit PendingFile(fs::path path) : path_(std::move(path)), partial_(path_.string() + ".partial") {
    file_ = std::fopen(partial_.string().c_str(), "wb");
    opened_ = file_ != nullptr;
    if (!opened_) fail();
  }
  ~PendingFile() {
    if (file_) std::fclose(file_);
    std::error_code ignored;
    if (opened_ && !committed_) fs::remove(partial_, ignored);
  }
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  void write(const void* bytes, size_t size) {
    if (error_.empty() && std::fwrite(bytes, 1, size, file_) != size) fail();
  }
  void close() {
    if (!file_) return;
    if (std::fclose(file_) != 0 && error_.empty()) fail();  // a full disk may show only here
    file_ = nullptr;
  }
  void commit() {
    std::error_code problem;
    fs::rename(partial_, path_, problem);
    committed_ = !problem;
    if (problem) error_ = "cannot rename to " + path_.string() + ": " + problem.message();
  }
  const std::string& error() const { return error_; }

 private:
  void fail() { error_ = "cannot write " + partial_.string() + ": " + std::strerror(errno); }

  fs::path path_, partial_;
  std::FILE* file_ = nullptr;
  std::string error_;
  bool opened_ = false, committed_ = false;
};

// npy 1.0: magic, version, u16 length, a Python dictionary padded with blanks so that the data begin at 64
// bytes.
std::string npy_header(const char* dtype, const std::string& shape) {
  constexpr size_t kPrefix = 10;
  std::string text =
      std::string("{'descr': '") + dtype + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  text.append(63 - (kPrefix + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

template <class Bits>
void append_little_endian(std::vector<unsigned char>& out, Bits bits) {
  for (size_t i = 0; i < sizeof(Bits); ++i) out.push_back(static_cast<unsigned char>(bits >> (8 * i)));
}

void write_header(PendingFile& file, const std::string& header) { file.write(header.data(), header.size()); }

}  // namespace

std::string write_digit_dataset(const std::string& folder, uint64_t count, uint64_t seed) {
  if (count == 0 || count > kMaxDigitCount) return "the count must be 1 to " + std::to_string(kMaxDigitCount);
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) return "cannot make the folder " + folder + ": " + problem.message();
  const fs::path root(folder);
  PendingFile inputs(root / "inputs.npy"), labels(root / "labels.npy");
  const auto failed = [&] { return !inputs.error().empty() || !labels.error().empty(); };
  if (!failed()) {
    write_header(inputs, npy_header("<f4", std::to_string(count) + ", 1, 28, 28"));
    write_header(labels, npy_header("<i8", std::to_string(count) + ","));
  }
  std::vector<unsigned char> bytes;
  for (uint64_t i = 0; i < count && !failed(); ++i) {
    const DigitPicture picture = draw_digit(seed, i);
    bytes.clear();
    for (uint8_t p : picture.pixels)
      append_little_endian(bytes, std::bit_cast<uint32_t>(static_cast<float>(p) / 255.0f));
    inputs.write(bytes.data(), bytes.size());
    bytes.clear();
    append_little_endian(bytes, uint64_t{picture.label});
    labels.write(bytes.data(), bytes.size());
  }
  inputs.close();
  labels.close();
  if (failed()) return inputs.error().empty() ? labels.error() : inputs.error();
  fs::remove(root / "labels.npy",
             problem);  // so that an interruption never leaves new pictures with old labels
  inputs.commit();
  if (!failed()) labels.commit();
  return inputs.error().empty() ? labels.error() : inputs.error();
}

}  // namespace pith::examples
