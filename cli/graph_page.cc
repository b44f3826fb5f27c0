// The data of the page as JSON, between the two halves of its text.
#include "cli/graph_page.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/graph_page_text.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

// Tensors of a session, numbered as they appear.
class TensorTable {
 public:
  size_t number(const TensorView* t) {
    const auto [at, fresh] = numbers_.try_emplace(t, rows_.size());
    if (fresh) {
      Json row{{"name", t->name}, {"dtype", name_of(t->dtype)}, {"shape", t->shape.text()}};
      row["bytes"] = t->shape.is_known() ? t->byte_size() : 0;
      row["constant"] = t->is_constant || t->has_value;
      if (t->quant.per_tensor()) row["scale"] = t->quant.scales[0];
      if (!t->quant.empty() && !t->quant.per_tensor()) row["scales"] = t->quant.scales.size();
      rows_.push_back(std::move(row));
    }
    return at->second;
  }
  std::vector<size_t> numbers(std::span<TensorView* const> tensors) {
    std::vector<size_t> out;
    for (const TensorView* t : tensors)
      if (t != nullptr) out.push_back(number(t));
    return out;
  }
  // Where activations lie: offset from the lowest of their stage, first and last step that touches them.
  void touch(const TensorView* t, size_t stage, size_t step) {
    if (t == nullptr || t->is_constant || t->has_value || t->data == nullptr) return;
    const auto [at, fresh] = lives_.try_emplace(t, Life{stage, step, step});
    if (!fresh) at->second.last = step;
  }
  Json rows() {
    std::map<size_t, uintptr_t> lowest;
    for (const auto& [t, life] : lives_) {
      const auto [at, fresh] = lowest.try_emplace(life.stage, address(t));
      if (!fresh) at->second = std::min(at->second, address(t));
    }
    for (const auto& [t, life] : lives_)
      rows_[number(t)]["life"] = {life.stage, life.first, life.last, address(t) - lowest[life.stage]};
    return rows_;
  }

 private:
  struct Life {
    size_t stage, first, last;
  };
  static uintptr_t address(const TensorView* t) { return reinterpret_cast<uintptr_t>(t->data); }
  std::map<const TensorView*, size_t> numbers_;
  std::map<const TensorView*, Life> lives_;
  std::vector<Json> rows_;
};

Json graph_json(const Session& session) {
  TensorTable tensors;
  Json nodes = Json::array(), inputs = Json::array(), outputs = Json::array();
  // Who wrote last where a step reads, also through views (a reshape is no step), whose tensors no step makes.
  std::map<const void*, size_t> writer;
  for (size_t i = 0; i < session.input_count(); ++i) {
    inputs.push_back(tensors.number(&session.input(i)));
    tensors.touch(&session.input(i), 0, 0);
  }
  for (size_t stage = 0; stage < session.stage_count(); ++stage)
    for (const Session::Step& step : session.steps(stage)) {
      const NodeView& node = session.node(step.op);
      for (const TensorView* t : node.inputs) tensors.touch(t, stage, nodes.size());
      for (const TensorView* t : node.outputs) tensors.touch(t, stage, nodes.size());
      std::set<size_t> after;
      for (const TensorView* t : node.inputs)
        if (t != nullptr && !t->is_constant && !t->has_value)
          if (const auto at = writer.find(t->data); at != writer.end()) after.insert(at->second);
      for (const TensorView* t : node.outputs)
        if (t != nullptr) writer[t->data] = nodes.size();
      nodes.push_back(
          {{"in", tensors.numbers(node.inputs)}, {"out", tensors.numbers(node.outputs)}, {"after", after}});
    }
  for (size_t i = 0; i < session.output_count(); ++i) {
    outputs.push_back(tensors.number(&session.output(i)));
    tensors.touch(&session.output(i), session.stage_count() - 1, nodes.empty() ? 0 : nodes.size() - 1);
  }
  return {{"edges", nodes}, {"inputs", inputs}, {"outputs", outputs}, {"tensors", tensors.rows()}};
}

// Names come from the file: nothing in them may end the script element or begin another.
std::string for_script(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace), safe;
  for (const char c : text)
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  return safe;
}

}  // namespace

std::string graph_page(const std::string& title, const nlohmann::ordered_json& summary,
                       const Session& session) {
  Json data = summary;
  data["title"] = title;
  data["graph"] = graph_json(session);
  return std::string(kPageHead) + for_script(data) + kPageTail;
}

}  // namespace pith::cli
