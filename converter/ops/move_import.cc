// Import of operators that move elements: Concat, Split, Slice, Pad, Expand, Tile, Trilu, ReverseSequence.
#include "converter/ops/import.h"

namespace pith {
namespace {

std::vector<ir::Value*> given_inputs(ImportContext& c) {
  std::vector<ir::Value*> inputs;
  for (size_t i = 0; i < c.in_count(); ++i) inputs.push_back(c.in(i));
  return inputs;
}

Status concat(ImportContext& c) {
  for (size_t i = 0; i < c.in_count(); ++i)
    if (!c.has(i)) return c.malformed("an input is missing");
  if (c.in_count() == 1) {
    c.set_out(0, c.in(0));
    return Status::ok();
  }
  schema::ConcatOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", c.opset() < 4 ? 1 : 0));
  c.set_out(0, c.emit(std::move(o), given_inputs(c)));
  return Status::ok();
}

Status split(ImportContext& c) {
  schema::SplitOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 0));
  ir::Value* sizes = c.has(1) ? c.in(1) : c.has_attr("split") ? c.const_i64(c.attr_ints("split")) : nullptr;
  if (c.has_attr("num_outputs") && c.attr_int("num_outputs", 0) != static_cast<int64_t>(c.out_count()))
    return c.malformed("num_outputs and the number of outputs differ");
  std::vector<ir::Value*> inputs{c.in(0)};
  if (sizes != nullptr) inputs.push_back(sizes);
  const std::vector<ir::Value*> outs = c.emit_n(std::move(o), inputs, c.out_count());
  for (size_t i = 0; i < outs.size(); ++i) c.set_out(i, outs[i]);
  return Status::ok();
}

Status slice(ImportContext& c) {
  std::vector<ir::Value*> inputs = given_inputs(c);
  if (c.opset() < 10) {
    inputs = {c.in(0), c.const_i64(c.attr_ints("starts")), c.const_i64(c.attr_ints("ends"))};
    if (c.has_attr("axes")) inputs.push_back(c.const_i64(c.attr_ints("axes")));
  }
  if (inputs.size() < 3) return c.malformed("takes a tensor, starts and ends");
  c.set_out(0, c.emit(schema::SliceOptionsT{}, inputs));
  return Status::ok();
}

Status pad(ImportContext& c) {
  schema::PadOptionsT o;
  const std::string mode = c.attr_string("mode", "constant");
  if (mode == "constant")
    o.mode = schema::PadMode::constant;
  else if (mode == "reflect")
    o.mode = schema::PadMode::reflect;
  else if (mode == "edge")
    o.mode = schema::PadMode::edge;
  else if (mode == "wrap")
    o.mode = schema::PadMode::wrap;
  else
    return c.malformed("unknown mode '" + mode + "'");
  std::vector<ir::Value*> inputs = given_inputs(c);
  if (c.opset() < 11) {
    inputs = {c.in(0), c.const_i64(c.has_attr("pads") ? c.attr_ints("pads") : c.attr_ints("paddings"))};
    const float value = c.attr_float("value", 0);
    if (o.mode == schema::PadMode::constant && value != 0)
      inputs.push_back(c.const_scalar(c.in(0)->dtype, static_cast<double>(value)));
  }
  c.set_out(0, c.emit(std::move(o), inputs));
  return Status::ok();
}

Status expand(ImportContext& c) {
  c.set_out(0, c.emit(schema::ExpandOptionsT{}, {c.in(0), c.in(1)}));
  return Status::ok();
}

Status tile(ImportContext& c) {
  if (c.opset() < 6)
    return c.unsupported("Tile before opset 6 is not supported", "export with opset 6 or newer");
  c.set_out(0, c.emit(schema::TileOptionsT{}, {c.in(0), c.in(1)}));
  return Status::ok();
}

Status trilu(ImportContext& c) {
  schema::TriluOptionsT o;
  o.upper = c.attr_int("upper", 1) != 0;
  c.set_out(0, c.emit(std::move(o), given_inputs(c)));
  return Status::ok();
}

Status reverse_sequence(ImportContext& c) {
  schema::ReverseSequenceOptionsT o;
  o.batch_axis = static_cast<int>(c.attr_int("batch_axis", 1));
  o.time_axis = static_cast<int>(c.attr_int("time_axis", 0));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1)}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> move_imports() {
  static constexpr ImportRule kRules[] = {
      {"Concat", concat}, {"Expand", expand, 2}, {"Pad", pad},      {"ReverseSequence", reverse_sequence, 2},
      {"Slice", slice},   {"Split", split},      {"Tile", tile, 2}, {"Trilu", trilu},
  };
  return kRules;
}

}  // namespace pith
