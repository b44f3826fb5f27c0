// One file per value, removed from its folder as soon as it is open.
#include "converter/quantize/spilled_values.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace pith::quantize {
namespace {

Status io_error(const std::string& folder, const char* what) {
  return Status(Code::io, format("activations between stages, in '%s': %s: %s", folder.c_str(), what,
                                 std::generic_category().message(errno).c_str()));
}

Result<int> nameless_file(const std::string& folder) {
  std::string name = folder + "/.pith-activations-XXXXXX";
  const int fd = mkstemp(name.data());
  if (fd < 0) return io_error(folder, "cannot make a file");
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  unlink(name.c_str());
  return fd;
}

}  // namespace

SpilledValues::~SpilledValues() {
  for (const auto& [value, file] : files_) close(file.fd);
}

Status SpilledValues::add(const ir::Value* value, const TensorView& tensor) {
  File& file = files_[value];
  if (file.fd < 0) {
    PITH_ASSIGN(file.fd, nameless_file(folder_));
    file.offsets.push_back(0);
  }
  const auto* from = static_cast<const uint8_t*>(tensor.data);
  const uint64_t begin = file.offsets.back(), size = tensor.byte_size();
  for (uint64_t at = 0; at < size;) {
    const ssize_t n =
        pwrite(file.fd, from + at, static_cast<size_t>(size - at), static_cast<off_t>(begin + at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error(folder_, "writing failed");
    at += static_cast<uint64_t>(n);
  }
  file.shapes.push_back(tensor.shape);
  file.offsets.push_back(begin + size);
  return Status::ok();
}

Shape SpilledValues::shape(const ir::Value* value, int64_t item) const {
  return files_.at(value).shapes[static_cast<size_t>(item)];
}

Status SpilledValues::read(const ir::Value* value, int64_t item, TensorView& to) const {
  const File& file = files_.at(value);
  const uint64_t begin = file.offsets[static_cast<size_t>(item)];
  const uint64_t size = file.offsets[static_cast<size_t>(item) + 1] - begin;
  if (size != to.byte_size())
    return Status(Code::internal, "a spilled value has another size than its reader expects");
  auto* out = static_cast<uint8_t*>(to.data);
  for (uint64_t at = 0; at < size;) {
    const ssize_t n =
        pread(file.fd, out + at, static_cast<size_t>(size - at), static_cast<off_t>(begin + at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error(folder_, "reading back failed");
    at += static_cast<uint64_t>(n);
  }
  return Status::ok();
}

void SpilledValues::release(const ir::Value* value) {
  const auto at = files_.find(value);
  if (at == files_.end()) return;
  close(at->second.fd);
  files_.erase(at);
}

}  // namespace pith::quantize
