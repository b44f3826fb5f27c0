// TensorProto -> bytes: raw data, typed fields, external files. Everything is checked against the declared
// shape first.
#include <onnx/onnx_pb.h>

#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "converter/import/onnx/onnx_importer.h"
#include "converter/ir/deferred.h"
#include "kernels/base/float16.h"
#include "runtime/base/checked.h"
#include "runtime/port/mapping.h"

namespace pith {

Result<DType> onnx_dtype(int data_type, const std::string& what) {
  switch (data_type) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 4:
      return DType::u16;
    case 5:
      return DType::i16;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    case 12:
      return DType::u32;
    case 13:
      return DType::u64;
    case 16:
      return DType::bf16;
    case 21:
      return DType::u4;
    case 22:
      return DType::i4;
    default:
      break;
  }
  static constexpr const char* kNames[] = {"undefined",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "string",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "complex64",
                                           "complex128",
                                           "",
                                           "float8e4m3fn",
                                           "float8e4m3fnuz",
                                           "float8e5m2",
                                           "float8e5m2fnuz",
                                           "",
                                           "",
                                           "float4e2m1",
                                           "float8e8m0",
                                           "uint2",
                                           "int2"};
  const bool named = data_type >= 0 && data_type < static_cast<int>(std::size(kNames));
  return Status(Code::unsupported, what + " has element type " +
                                       (named ? std::string(kNames[data_type]) : std::to_string(data_type)) +
                                       ", which Pith does not have");
}

namespace {

Status read_dims(const onnx::TensorProto& proto, Shape* shape) {
  PITH_REQUIRE(proto.dims_size() <= kMaxRank, "tensor '%s' has rank %d; at most %d is supported",
               proto.name().c_str(), proto.dims_size(), kMaxRank);
  for (int64_t d : proto.dims()) {
    PITH_REQUIRE(d >= 0, "tensor '%s' has a negative dim", proto.name().c_str());
    shape->push_back(d);
  }
  PITH_REQUIRE(shape->count() >= 0, "tensor '%s' of shape %s is too large", proto.name().c_str(),
               shape->text().c_str());
  return Status::ok();
}

// The path of an external file: inside the model's folder, also after following links.
Result<std::string> external_path(const std::string& folder, const std::string& location,
                                  const std::string& name) {
  const std::string what = "external data '" + location + "' of tensor '" + name + "'";
  if (folder.empty()) return Status(Code::unsupported, what + " cannot be read here");
  if (location.empty() || location[0] == '/' || location.find('\\') != std::string::npos)
    return Status(Code::bad_file, what + " must be a relative path inside the model's folder");
  char root[PATH_MAX], real[PATH_MAX];
  if (::realpath(folder.c_str(), root) == nullptr ||
      ::realpath((folder + "/" + location).c_str(), real) == nullptr)
    return Status(Code::io, what + " does not exist beside the model: copy it there");
  const std::string prefix = std::string(root) == "/" ? "/" : std::string(root) + "/";
  if (std::string(real).compare(0, prefix.size(), prefix) != 0)
    return Status(Code::bad_file, what + " leaves the model's folder");
  return std::string(real);
}

Result<uint64_t> parse_number(const std::string& text, const std::string& name) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  if (errno != 0 || text.empty() || *end != '\0' || text[0] == '-')
    return Status(Code::bad_file, "external data of tensor '" + name + "' has a bad number '" + text + "'");
  return static_cast<uint64_t>(value);
}

Result<ir::Bytes> read_external(const onnx::TensorProto& proto, const std::string& folder, uint64_t expected,
                                DataFiles& files) {
  std::string location;
  uint64_t offset = 0, length = expected;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") {
      PITH_ASSIGN(offset, parse_number(entry.value(), proto.name()));
    }
    if (entry.key() == "length") {
      PITH_ASSIGN(length, parse_number(entry.value(), proto.name()));
    }
  }
  PITH_ASSIGN(const std::string path, external_path(folder, location, proto.name()));
  PITH_REQUIRE(length == expected, "external data of tensor '%s' has %llu bytes; its shape needs %llu",
               proto.name().c_str(), static_cast<unsigned long long>(length),
               static_cast<unsigned long long>(expected));
  if (expected == 0) return ir::Bytes{};
  PITH_ASSIGN(const std::shared_ptr<const Mapping> mapping, files.open(path));
  PITH_REQUIRE(
      in_bounds(offset, length, mapping->size()),
      "external data of tensor '%s' ([%llu, +%llu)) leaves the file '%s', which has %llu bytes: it was cut "
      "short, or belongs to another model",
      proto.name().c_str(), static_cast<unsigned long long>(offset), static_cast<unsigned long long>(length),
      location.c_str(), static_cast<unsigned long long>(mapping->size()));
  const ir::Bytes view{mapping, mapping->data() + offset, static_cast<size_t>(length), true};
  if (reinterpret_cast<uintptr_t>(view.data) % 16 == 0) return view;
  constexpr uint64_t kCopiedAtOnce = uint64_t{64} << 10;
  const ir::Bytes aligned = ir::deferred_copy(view);
  if (length > kCopiedAtOnce) return aligned;
  uint8_t* copy = nullptr;
  ir::Bytes bytes = ir::new_bytes(aligned.size, &copy);
  PITH_RETURN_IF_ERROR(aligned.deferred->make(copy, nullptr, nullptr));
  return bytes;
}

template <class To, class Field>
Status copy_field(const Field& field, int64_t count, const std::string& name, uint8_t* out) {
  PITH_REQUIRE(field.size() == count, "tensor '%s' declares %lld elements and holds %d", name.c_str(),
               static_cast<long long>(count), field.size());
  for (int i = 0; i < field.size(); ++i) {
    const To value = static_cast<To>(field.Get(i));
    std::memcpy(out + static_cast<size_t>(i) * sizeof(To), &value, sizeof(To));
  }
  return Status::ok();
}

Status copy_fields(const onnx::TensorProto& p, DType dtype, int64_t count, uint8_t* out) {
  switch (dtype) {
    case DType::f32:
      return copy_field<float>(p.float_data(), count, p.name(), out);
    case DType::f64:
      return copy_field<double>(p.double_data(), count, p.name(), out);
    case DType::i64:
      return copy_field<int64_t>(p.int64_data(), count, p.name(), out);
    case DType::u64:
      return copy_field<uint64_t>(p.uint64_data(), count, p.name(), out);
    case DType::u32:
      return copy_field<uint32_t>(p.uint64_data(), count, p.name(), out);
    case DType::i32:
      return copy_field<int32_t>(p.int32_data(), count, p.name(), out);
    case DType::i16:
      return copy_field<int16_t>(p.int32_data(), count, p.name(), out);
    case DType::u16:
    case DType::f16:
    case DType::bf16:
      return copy_field<uint16_t>(p.int32_data(), count, p.name(), out);
    case DType::i8:
      return copy_field<int8_t>(p.int32_data(), count, p.name(), out);
    case DType::u8:
    case DType::boolean:
      return copy_field<uint8_t>(p.int32_data(), count, p.name(), out);
    case DType::i4:
    case DType::u4:
      return copy_field<uint8_t>(p.int32_data(), (count + 1) / 2, p.name(), out);
    case DType::none:
      break;
  }
  return Status(Code::internal, "no such element type");
}

}  // namespace

Result<std::shared_ptr<const Mapping>> DataFiles::open(const std::string& path) {
  std::shared_ptr<const Mapping>& file = files_[path];
  if (file == nullptr) {
    PITH_ASSIGN(file, Mapping::open(path.c_str()));
  }
  return file;
}

Result<SourceTensor> read_onnx_tensor(const onnx::TensorProto& proto, const std::string& folder,
                                      DataFiles& files) {
  SourceTensor t;
  PITH_ASSIGN(t.dtype, onnx_dtype(proto.data_type(), "tensor '" + proto.name() + "'"));
  PITH_REQUIRE(!proto.has_segment(), "tensor '%s' is split into segments", proto.name().c_str());
  PITH_RETURN_IF_ERROR(read_dims(proto, &t.shape));
  const int64_t count = t.shape.count();
  uint64_t bits = 0;
  PITH_REQUIRE(checked_mul<uint64_t>(static_cast<uint64_t>(count), bits_of(t.dtype), &bits),
               "tensor '%s' is too large", proto.name().c_str());
  const uint64_t bytes = bits / 8 + (bits % 8 != 0);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    PITH_ASSIGN(t.bytes, read_external(proto, folder, bytes, files));
    return t;
  }
  if (proto.has_raw_data()) {
    PITH_REQUIRE(proto.raw_data().size() == bytes, "tensor '%s' of %s %s needs %llu bytes and holds %zu",
                 proto.name().c_str(), name_of(t.dtype), t.shape.text().c_str(),
                 static_cast<unsigned long long>(bytes), proto.raw_data().size());
    uint8_t* p = nullptr;
    t.bytes = ir::new_bytes(static_cast<size_t>(bytes), &p);
    if (bytes > 0) std::memcpy(p, proto.raw_data().data(), static_cast<size_t>(bytes));
  } else {
    // The fields must hold the elements before anything of the declared size is allocated.
    const int64_t held = proto.float_data_size() + proto.double_data_size() + proto.int64_data_size() +
                         proto.uint64_data_size() + proto.int32_data_size();
    PITH_REQUIRE(held >= count / 2, "tensor '%s' declares %lld elements and holds %lld", proto.name().c_str(),
                 static_cast<long long>(count), static_cast<long long>(held));
    uint8_t* p = nullptr;
    t.bytes = ir::new_bytes(static_cast<size_t>(bytes), &p);
    PITH_RETURN_IF_ERROR(copy_fields(proto, t.dtype, count, p));
  }
  if (t.dtype == DType::boolean)  // any non-zero byte means true; kernels rely on 0 and 1
    for (size_t i = 0; i < t.bytes.size; ++i) {
      auto* p = const_cast<uint8_t*>(t.bytes.data) + i;
      *p = *p != 0;
    }
  return t;
}

Result<SourceTensor> read_onnx_tensor_file(const std::string& path) {
  PITH_ASSIGN(std::unique_ptr<Mapping> mapping, Mapping::open(path.c_str()));
  onnx::TensorProto proto;
  if (mapping->size() > INT_MAX || !proto.ParseFromArray(mapping->data(), static_cast<int>(mapping->size())))
    return Status(Code::bad_file, "'" + path + "' is not an ONNX TensorProto");
  DataFiles none;
  return read_onnx_tensor(proto, "", none);
}

}  // namespace pith
