// Prepares the source as convert does, then makes only the weights that were drawn.
#include "converter/compile/verify_model.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "converter/compile/convert.h"
#include "converter/emit/program_builder.h"
#include "converter/ir/deferred.h"
#include "runtime/model/model.h"
#include "runtime/threads/parallel.h"

namespace pith {
namespace {

std::string metadata_of(const Model& model, const char* key) {
  const auto* pairs = model.program().metadata();
  if (pairs == nullptr) return {};
  for (const auto* pair : *pairs)
    if (pair->key() != nullptr && pair->value() != nullptr && pair->key()->string_view() == key)
      return pair->value()->str();
  return {};
}

struct Stored {
  const uint8_t* data = nullptr;
  uint64_t size = 0;
};

// Packed weights of the file by name and size.
std::multimap<std::string, Stored> packed_of(const Model& model) {
  std::multimap<std::string, Stored> out;
  const auto* tensors = model.program().tensors();
  for (uint32_t i = 0; tensors != nullptr && i < tensors->size(); ++i) {
    const TensorView& view = model.tensors()[i];
    if (!view.is_constant || view.layout == Layout::row_major) continue;
    out.emplace(view.name, Stored{static_cast<const uint8_t*>(view.data), tensors->Get(i)->data()->length()});
  }
  return out;
}

uint64_t next_random(uint64_t* state) {  // splitmix64
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// `count` of `all`, in order.
std::vector<const ir::Value*> drawn(std::vector<const ir::Value*> all, size_t count, uint64_t seed) {
  std::vector<size_t> order(all.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const size_t used = std::min(count, order.size());
  for (size_t i = 0; i < used; ++i)
    std::swap(order[i], order[i + static_cast<size_t>(next_random(&seed) % (order.size() - i))]);
  order.resize(used);
  std::sort(order.begin(), order.end());
  std::vector<const ir::Value*> out;
  for (const size_t i : order) out.push_back(all[i]);
  return out;
}

Result<ConvertOptions> options_of(const Model& model, const VerifyOptions& options) {
  const std::string recipe = metadata_of(model, kRecipeKey);
  if (recipe.empty())
    return Status(
        Code::unsupported,
        "'" + options.model +
            "' holds no recipe: `pith compress` or an older Pith made it. Run `pith compress --recipe` "
            "with the recipe beside its report, then `pith diff` of both files");
  PITH_ASSIGN(ConvertOptions convert, parse_recipe_text(recipe));
  const bool data = convert.precision == Precision::int8 || quantize::needs_data(convert.weight_method);
  if (data && options.calibration.empty())
    return Status(
        Code::bad_argument,
        "'" + options.model + "' was made with calibration data: give the same by --calibrate DATA");
  convert.source = options.source;
  convert.output = options.model;  // files between stages go beside it
  if (data) convert.calibration = options.calibration;
  convert.threads = options.threads;
  convert.accepted_faults = {CalibrationFault::small, CalibrationFault::constant, CalibrationFault::leak};
  return convert;
}

Status compare(const ir::Value& v, const std::multimap<std::string, Stored>& stored, ThreadPool* pool,
               VerifiedTensor* out) {
  const ir::Bytes& bytes = *v.constant;
  out->name = v.name;
  out->bytes = bytes.size;
  std::vector<Stored> candidates;
  for (auto [at, end] = stored.equal_range(v.name); at != end; ++at)
    if (at->second.size == bytes.size) candidates.push_back(at->second);
  if (candidates.empty()) {
    out->difference = format("the file has no such tensor of %zu bytes", bytes.size);
    return Status::ok();
  }
  ir::Bytes made = bytes;
  if (bytes.deferred != nullptr) {
    uint8_t* to = nullptr;
    made = ir::new_bytes(bytes.size, &to);
    PITH_RETURN_IF_ERROR(bytes.deferred->make(to, pool, nullptr));
    ir::drop_sources(bytes);
  }
  for (const Stored& s : candidates) {
    const auto at = std::mismatch(made.data, made.data + made.size, s.data);
    if (at.first == made.data + made.size) {
      out->difference.clear();
      return Status::ok();
    }
    out->difference =
        format("byte %td is 0x%02x, the source gives 0x%02x", at.second - s.data, *at.second, *at.first);
  }
  return Status::ok();
}

}  // namespace

Status verify_model(const VerifyOptions& options, VerifyReport* report) {
  *report = {};
  // The segment's hash is not looked at: a flipped bit shall be found in the tensor that holds it.
  PITH_ASSIGN(const auto model, Model::open(options.model.c_str(), {HashCheck::never}));
  PITH_ASSIGN(const ConvertOptions convert, options_of(*model, options));
  ConvertReport prepared;
  PITH_ASSIGN(const PreparedModel made, prepare_model(convert, &prepared));
  for (const auto& [key, value] : made.metadata)
    if (key == kCalibrationDataKey && value != metadata_of(*model, kCalibrationDataKey))
      return Status(Code::bad_argument, "'" + options.calibration + "' is not the data that '" +
                                            options.model + "' was calibrated with");
  ProgramBuilder program(*made.graph);
  PITH_RETURN_IF_ERROR(program.build({}));
  std::vector<const ir::Value*> packed;
  for (const PlacedConstant& c : program.constants())
    if (c.value->layout != Layout::row_major) packed.push_back(c.value);
  const auto stored = packed_of(*model);
  report->packed = packed.size();
  if (packed.empty())
    return Status(Code::unsupported,
                  "'" + options.model + "' has no packed weights: nothing was quantized in it");
  const auto sample = drawn(std::move(packed), options.sample, options.seed);
  const auto pool = ThreadPool::create(options.threads);
  for (const ir::Value* v : sample) {
    PITH_RETURN_IF_ERROR(compare(*v, stored, pool.get(), &report->tensors.emplace_back()));
    report->different += !report->tensors.back().difference.empty();
    if (options.progress)
      options.progress(static_cast<int64_t>(report->tensors.size()), static_cast<int64_t>(sample.size()));
  }
  return Status::ok();
}

}  // namespace pith
