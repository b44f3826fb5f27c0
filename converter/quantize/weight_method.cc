// Names, and the call that each stands for.
#include "converter/quantize/weight_method.h"

#include "converter/quantize/gptq.h"

namespace pith::quantize {
namespace {

constexpr std::pair<WeightMethod, const char*> kMethods[] = {
    {WeightMethod::plain, "plain"},       {WeightMethod::search, "search"}, {WeightMethod::hqq, "hqq"},
    {WeightMethod::weighted, "weighted"}, {WeightMethod::gptq, "gptq"},
};

}  // namespace

GroupMethod group_method(WeightMethod m) {
  if (m == WeightMethod::plain) return GroupMethod::plain;
  return m == WeightMethod::hqq ? GroupMethod::hqq : GroupMethod::search;
}

const char* name_of(WeightMethod method) {
  if (method == WeightMethod::adaround) return "adaround";
  for (const auto& [m, name] : kMethods)
    if (m == method) return name;
  return "?";
}

Result<WeightMethod> parse_weight_method(const std::string& text) {
  for (const auto& [m, name] : kMethods)
    if (text == name) return m;
  return Status(Code::bad_argument,
                "unknown weight method '" + text + "': use plain, search, hqq, weighted or gptq");
}

bool needs_data(WeightMethod m) { return m == WeightMethod::weighted || m == WeightMethod::gptq; }

Result<GroupedWeights> quantize_by(WeightMethod method, std::span<const float> w, size_t n, size_t k,
                                   GroupOptions options, const Moments* fit, std::string* note) {
  if (needs_data(method) && fit == nullptr)
    return Status(Code::bad_argument,
                  std::string(name_of(method)) + " needs representative data: give --calibrate DATA");
  options.method = group_method(method);
  if (method == WeightMethod::gptq) {
    PITH_ASSIGN(GptqWeights q, quantize_gptq(w, n, k, options, *fit));
    if (note != nullptr) *note = summary(q.report);
    return std::move(q.weights);
  }
  std::vector<double> importance;
  if (method == WeightMethod::weighted) importance = fit->mean_squares();
  options.importance = importance;
  return quantize_groups(w, n, k, options);
}

}  // namespace pith::quantize
