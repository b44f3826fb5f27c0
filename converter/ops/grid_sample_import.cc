// Import of GridSample; opset 16 has longer names for its modes.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status import_grid_sample(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("needs an image and a grid");
  schema::GridSampleOptionsT o;
  const std::string mode = c.attr_string("mode", c.opset() < 20 ? "bilinear" : "linear");
  const std::string padding = c.attr_string("padding_mode", "zeros");
  if (mode == "linear" || mode == "bilinear")
    o.mode = schema::ResizeMode::linear;
  else if (mode == "cubic" || mode == "bicubic")
    o.mode = schema::ResizeMode::cubic;
  else if (mode != "nearest")
    return c.unsupported("mode '" + mode + "' is unknown");
  if (padding == "border")
    o.padding = schema::GridPadding::border;
  else if (padding == "reflection")
    o.padding = schema::GridPadding::reflection;
  else if (padding != "zeros")
    return c.unsupported("padding_mode '" + padding + "' is unknown");
  o.align_corners = c.attr_int("align_corners", 0) != 0;
  c.set_out(0, c.emit(o, {c.in(0), c.in(1)}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> grid_sample_imports() {
  static constexpr ImportRule kRules[] = {{"GridSample", import_grid_sample, 2}};
  return kRules;
}

}  // namespace pith
