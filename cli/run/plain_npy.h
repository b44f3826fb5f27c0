// Reading and writing .npy files on boards, without the converter. Version 1, C order, little endian.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "pith/pith.h"

namespace pith::board {

struct Array {
  pith_dtype dtype = PITH_F32;
  std::vector<int64_t> dims;
  std::vector<char> bytes;
};

// "" or what is wrong.
std::string read_npy(const std::string& path, Array* array);
// Writes beside the path and renames: the path holds all of it or its old content. "" or what is wrong.
std::string write_npy(const std::string& path, const pith_tensor& tensor);

}  // namespace pith::board
