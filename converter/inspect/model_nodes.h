// The operators of a model file by name, so that two files, or a file and its source, can be laid side by side.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "runtime/model/model.h"

namespace pith::inspect {

struct ModelNode {
  std::string name;  // its own: nodes of one name, or none, get the names that `pith compress` gives them
  std::string op;    // "Conv"
  const schema::Operator* stored = nullptr;
  std::vector<const TensorView*> inputs, outputs;  // null: omitted

  // Inputs that hold weights: constants of numbers, rank 2 or more.
  std::vector<size_t> weights() const;
};

// Of all blocks, in the order of the file. Points into the model.
std::vector<ModelNode> nodes_of(const Model& model);

const ModelNode* find_node(const std::vector<ModelNode>& nodes, const std::string& name);

// What of the nodes' kind and options is stored, as bytes that are equal when they mean the same.
std::string options_bytes(const schema::Operator& op);

// "int8", "int4 g32", "fp16": how `pith compress` calls the form of a node's weights; its element type otherwise.
std::string precision_of(const ModelNode& node);

std::map<std::string, std::string> metadata_of(const Model& model);

}  // namespace pith::inspect
