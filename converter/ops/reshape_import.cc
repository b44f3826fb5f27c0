// Import of operators that see the same bytes with other dims, and of those that do nothing at inference.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status reshape(ImportContext& c) {
  schema::ReshapeOptionsT o;
  o.allow_zero = c.attr_int("allowzero", 0) != 0;
  ir::Value* shape = c.has(1) ? c.in(1) : c.const_i64(c.attr_ints("shape"));  // an attribute before opset 5
  c.set_out(0, c.emit(std::move(o), {c.in(0), shape}));
  return Status::ok();
}

// Squeeze and Unsqueeze: axes are an attribute before opset 13.
ir::Value* axes_of(ImportContext& c) {
  if (c.has(1)) return c.in(1);
  return c.has_attr("axes") ? c.const_i64(c.attr_ints("axes")) : nullptr;
}

Status squeeze(ImportContext& c) {
  ir::Value* axes = axes_of(c);
  std::vector<ir::Value*> inputs{c.in(0)};
  if (axes != nullptr) inputs.push_back(axes);
  c.set_out(0, c.emit(schema::SqueezeOptionsT{}, inputs));
  return Status::ok();
}

Status unsqueeze(ImportContext& c) {
  ir::Value* axes = axes_of(c);
  if (axes == nullptr) return c.malformed("axes are missing");
  c.set_out(0, c.emit(schema::UnsqueezeOptionsT{}, {c.in(0), axes}));
  return Status::ok();
}

Status flatten(ImportContext& c) {
  schema::FlattenOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 1));
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

Status identity(ImportContext& c) {
  c.set_out(0, c.in(0));
  return Status::ok();
}

// Inference: the input itself; the mask, when somebody wants it, is all true.
Status dropout(ImportContext& c) {
  const ir::Value* training = c.in(2);
  if (training != nullptr && (!training->is_constant() || training->elements<uint8_t>().empty() ||
                              training->elements<uint8_t>()[0] != 0))
    return c.unsupported("training mode is not supported", "export the model for inference");
  c.set_out(0, c.in(0));
  if (!c.wants_out(1)) return Status::ok();
  ir::Value* shape = c.emit(schema::ShapeOptionsT{}, {c.in(0)});
  const DType type = c.opset() >= 10 ? DType::boolean : c.in(0)->dtype;
  c.set_out(1, c.emit(schema::FillOptionsT{}, {shape, c.const_scalar(type, 1)}));
  return Status::ok();
}

Status shape(ImportContext& c) {
  schema::ShapeOptionsT o;
  o.start = static_cast<int>(c.attr_int("start", 0));
  if (c.has_attr("end")) o.end = static_cast<int>(c.attr_int("end", 0));
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

Status size(ImportContext& c) {
  schema::ShapeOptionsT o;
  o.element_count = true;
  c.set_out(0, c.emit(std::move(o), {c.in(0)}));
  return Status::ok();
}

constexpr int64_t kMaxBlock = 1 << 15, kMaxBlockedDim = int64_t{1} << 32;  // dim * block^2 stays below 2^63

// [N, C, H, W]: blocks of channels spread over space, or back. Both are a Reshape, a Transpose and a Reshape.
struct Blocks {
  int64_t n, c, h, w, b;
};

Status read_blocks(ImportContext& c, Blocks* out) {
  const Shape& x = c.in(0)->shape;
  if (x.rank() != 4) return c.malformed("takes a tensor of 4 dims");
  *out = {x[0], x[1], x[2], x[3], c.attr_int("blocksize", 0)};
  if (out->b < 1 || out->b > kMaxBlock) return c.malformed("blocksize must be 1 to 32768");
  for (int64_t dim : {out->c, out->h, out->w})
    if (dim > kMaxBlockedDim) return c.malformed("its dims are too large");
  // One dim may be unknown: it is derived. More need the model to be converted with --shape.
  const int unknown = (out->n < 0) + (out->h < 0) + (out->w < 0);
  if (out->c < 0 || unknown > 1)
    return c.unsupported("its dims are not known", "give the input's shape with --shape");
  return Status::ok();
}

int64_t times(int64_t a, int64_t b) { return a < 0 ? -1 : a * b; }
int64_t over(int64_t a, int64_t b) { return a < 0 ? -1 : a / b; }

Status depth_to_space(ImportContext& c) {
  Blocks s{};
  PITH_RETURN_IF_ERROR(read_blocks(c, &s));
  if (s.c % (s.b * s.b) != 0) return c.malformed("the channels are not a multiple of blocksize squared");
  const int64_t depth = s.c / (s.b * s.b);
  const bool crd = c.attr_string("mode", "DCR") == "CRD";
  ir::Value* y = crd ? c.reshape(c.in(0), {s.n, depth, s.b, s.b, s.h, s.w})
                     : c.reshape(c.in(0), {s.n, s.b, s.b, depth, s.h, s.w});
  y = crd ? c.transpose(y, {0, 1, 4, 2, 5, 3}) : c.transpose(y, {0, 3, 4, 1, 5, 2});
  c.set_out(0, c.reshape(y, {s.n, depth, times(s.h, s.b), times(s.w, s.b)}));
  return Status::ok();
}

Status space_to_depth(ImportContext& c) {
  Blocks s{};
  PITH_RETURN_IF_ERROR(read_blocks(c, &s));
  if ((s.h > 0 && s.h % s.b != 0) || (s.w > 0 && s.w % s.b != 0))
    return c.malformed("height and width are not multiples of blocksize");
  ir::Value* y = c.reshape(c.in(0), {s.n, s.c, over(s.h, s.b), s.b, over(s.w, s.b), s.b});
  y = c.transpose(y, {0, 3, 5, 1, 2, 4});
  c.set_out(0, c.reshape(y, {s.n, s.c * s.b * s.b, over(s.h, s.b), over(s.w, s.b)}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> reshape_imports() {
  static constexpr ImportRule kRules[] = {
      {"DepthToSpace", depth_to_space},
      {"Dropout", dropout},
      {"Flatten", flatten},
      {"Identity", identity},
      {"Reshape", reshape},
      {"Shape", shape},
      {"Size", size},
      {"SpaceToDepth", space_to_depth},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
  };
  return kRules;
}

}  // namespace pith
