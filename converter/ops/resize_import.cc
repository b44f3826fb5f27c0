// Import of Resize (opset 10: asymmetric, rounding down; 11 and later: as its attributes say) and Upsample.
#include "converter/ops/import.h"

namespace pith {
namespace {

// Position of a word in a list of enum names, or -1.
int find_name(const char* const* names, const std::string& word) {
  for (int i = 0; names[i] != nullptr; ++i)
    if (word == names[i]) return i;
  return -1;
}

template <class Enum>
Status read_enum(ImportContext& c, const char* attribute, const char* fallback, const char* const* names,
                 Enum* out) {
  const std::string word = c.attr_string(attribute, fallback);
  const int at = find_name(names, word);
  if (at < 0) return c.unsupported(std::string(attribute) + " '" + word + "' is not supported");
  *out = static_cast<Enum>(at);
  return Status::ok();
}

// Optional inputs may be present but empty: then they count as omitted.
ir::Value* filled(ImportContext& c, size_t i) {
  ir::Value* v = c.in(i);
  return v == nullptr || (v->shape.is_known() && v->shape.count() == 0) ? nullptr : v;
}

Status import_resize(ImportContext& c) {
  if (!c.has(0)) return c.malformed("needs an input");
  schema::ResizeOptionsT o;
  PITH_RETURN_IF_ERROR(read_enum(c, "mode", "nearest", schema::EnumNamesResizeMode(), &o.mode));
  if (c.opset() < 11) {
    if (!c.has(1)) return c.malformed("needs scales");
    o.coordinates = schema::ResizeCoordinates::asymmetric;
    o.nearest = schema::ResizeNearest::floor;
    c.set_out(0, c.emit(o, {c.in(0), nullptr, c.in(1)}));
    return Status::ok();
  }
  PITH_RETURN_IF_ERROR(read_enum(c, "coordinate_transformation_mode", "half_pixel",
                                 schema::EnumNamesResizeCoordinates(), &o.coordinates));
  PITH_RETURN_IF_ERROR(
      read_enum(c, "nearest_mode", "round_prefer_floor", schema::EnumNamesResizeNearest(), &o.nearest));
  PITH_RETURN_IF_ERROR(
      read_enum(c, "keep_aspect_ratio_policy", "stretch", schema::EnumNamesResizeAspect(), &o.aspect));
  o.antialias = c.attr_int("antialias", 0) != 0;
  o.cubic_coeff = c.attr_float("cubic_coeff_a", -0.75f);
  o.exclude_outside = c.attr_int("exclude_outside", 0) != 0;
  o.extrapolation = c.attr_float("extrapolation_value", 0);
  for (int64_t axis : c.attr_ints("axes")) {
    if (axis < -kMaxRank || axis >= kMaxRank) return c.malformed("axes has an entry outside the rank");
    o.axes.push_back(static_cast<int>(axis));
  }
  ir::Value* roi = o.coordinates == schema::ResizeCoordinates::tf_crop_and_resize ? filled(c, 1) : nullptr;
  ir::Value* sizes = filled(c, 3);
  ir::Value* scales = sizes == nullptr ? filled(c, 2) : nullptr;
  if (sizes == nullptr && scales == nullptr) return c.malformed("needs scales or sizes");
  std::vector<ir::Value*> inputs{c.in(0), roi, scales};
  if (sizes != nullptr) inputs.push_back(sizes);
  c.set_out(0, c.emit(o, inputs));
  return Status::ok();
}

Status import_upsample(ImportContext& c) {
  if (!c.has(0)) return c.malformed("needs an input");
  schema::ResizeOptionsT o;
  o.coordinates = schema::ResizeCoordinates::asymmetric;
  o.nearest = schema::ResizeNearest::floor;
  const std::string mode = c.attr_string("mode", "nearest");
  if (mode == "linear" || mode == "bilinear")
    o.mode = schema::ResizeMode::linear;
  else if (mode != "nearest")
    return c.unsupported("mode '" + mode + "' is unknown");
  ir::Value* scales = c.in(1);
  if (scales == nullptr && c.has_attr("scales")) {
    const std::vector<float> values = c.attr_floats("scales");
    scales = c.const_f32(Shape{static_cast<int64_t>(values.size())}, values);
  }
  if (scales == nullptr) return c.malformed("needs scales");
  c.set_out(0, c.emit(o, {c.in(0), nullptr, scales}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> resize_imports() {
  static constexpr ImportRule kRules[] = {{"Resize", import_resize}, {"Upsample", import_upsample}};
  return kRules;
}

}  // namespace pith
