// A node of a source model in neutral form: what an import rule reads. Knows containers' common ground, no
// operators.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

struct SourceGraph;  // of If: opaque to import rules

struct SourceTensor {
  DType dtype = DType::none;
  Shape shape;
  ir::Bytes bytes;
};

struct SourceAttribute {
  enum class Kind {
    none,
    integer,
    real,
    text,
    integers,
    reals,
    texts,
    tensor,
    graph,
    other
  } kind = Kind::none;
  int64_t integer = 0;
  float real = 0;
  std::string text;
  std::vector<int64_t> integers;
  std::vector<float> reals;
  std::vector<std::string> texts;
  SourceTensor tensor;
  std::shared_ptr<const SourceGraph> graph;
};

struct SourceNode {
  std::string name, type, domain;         // domain "" is the standard one
  int opset = 0;                          // of that domain
  std::vector<ir::Value*> inputs;         // null: omitted
  std::vector<std::string> output_names;  // "": omitted
  std::map<std::string, SourceAttribute> attributes;
};

}  // namespace pith
