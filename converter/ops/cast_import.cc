// Import of Cast and CastLike.
#include "converter/import/onnx/onnx_importer.h"
#include "converter/ops/import.h"

namespace pith {
namespace {

Status cast_to(ImportContext& c, DType to) {
  if (to == DType::i4 || to == DType::u4) return c.unsupported("results of 4 bits are not supported");
  c.set_out(0, c.cast(c.in(0), to));
  return Status::ok();
}

Status cast(ImportContext& c) {
  if (!c.has(0)) return c.malformed("takes one input");
  PITH_ASSIGN(const DType to, onnx_dtype(static_cast<int>(c.attr_int("to", 0)), "the wanted result"));
  return cast_to(c, to);
}

Status cast_like(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("takes two inputs");
  return cast_to(c, c.in(1)->dtype);
}

}  // namespace

std::span<const ImportRule> cast_imports() {
  static constexpr ImportRule kRules[] = {{"Cast", cast}, {"CastLike", cast_like, 2}};
  return kRules;
}

}  // namespace pith
