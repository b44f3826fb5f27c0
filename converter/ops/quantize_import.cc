// Import of QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear.
#include "converter/import/onnx/onnx_importer.h"
#include "converter/ops/import.h"

namespace pith {
namespace {

std::vector<ir::Value*> operands(ImportContext& c) {
  std::vector<ir::Value*> inputs = {c.in(0), c.in(1)};
  if (c.has(2)) inputs.push_back(c.in(2));
  return inputs;
}

Result<uint32_t> block_size(ImportContext& c) {
  const int64_t block = c.attr_int("block_size", 0);
  if (block < 0 || block > INT32_MAX) return c.malformed("block_size is out of range");
  return static_cast<uint32_t>(block);
}

Status quantize(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("the input or the scale is missing");
  schema::QuantizeOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 1));
  PITH_ASSIGN(o.block, block_size(c));
  DType to = c.has(2) ? c.in(2)->dtype : DType::u8;
  if (const auto type = static_cast<int>(c.attr_int("output_dtype", 0)); type != 0) {
    PITH_ASSIGN(to, onnx_dtype(type, "the result"));
  }
  o.to = static_cast<uint8_t>(to);
  c.set_out(0, c.emit(std::move(o), operands(c)));
  return Status::ok();
}

Status dequantize(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("the input or the scale is missing");
  schema::DequantizeOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 1));
  PITH_ASSIGN(o.block, block_size(c));
  ir::Value* y = c.emit(std::move(o), operands(c));
  if (const auto type = static_cast<int>(c.attr_int("output_dtype", 0)); type != 0) {
    PITH_ASSIGN(const DType to, onnx_dtype(type, "the result"));
    y = c.cast(y, to);
  }
  c.set_out(0, y);
  return Status::ok();
}

Status dynamic(ImportContext& c) {
  const std::vector<ir::Value*> outs = c.emit_n(schema::DynamicQuantizeOptionsT{}, {c.in(0)}, 3);
  for (size_t i = 0; i < 3; ++i) c.set_out(i, outs[i]);
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"QuantizeLinear", quantize, 2}, {"DequantizeLinear", dequantize, 2}, {"DynamicQuantizeLinear", dynamic}};

}  // namespace

std::span<const ImportRule> quantize_imports() { return kRules; }

}  // namespace pith
