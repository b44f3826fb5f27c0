// What `pith tune` measured: for one model, processor and number of threads, how long every node took on every backend. A text
// file; sessions read it and ask the quickest backend first.
//
//   pith-tune 1
//   pith 0.1.0
//   model 9c5b7d3e10f2a846        content hash
//   cpu AMD EPYC 9R14 x 2, features 1f
//   threads 2
//   node 4 pith 5120 xnnpack 6100     operator index; nanoseconds; the first is used
//   end 1                             number of nodes
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/backend_choice.h"
#include "runtime/model/model.h"

namespace pith {

// What a measurement holds for. Another pith has other kernels.
struct TuneKey {
  uint64_t model = 0;
  std::string cpu;
  size_t threads = 1;
};
TuneKey tune_key(const Model& model, Cpu cpu, size_t threads);

struct NodeTiming {
  BackendChoice backend = BackendChoice::automatic;
  uint64_t ns = 0;
};

struct Tuning {
  TuneKey key;
  std::vector<std::vector<NodeTiming>> nodes;  // by operator, the one to use first; empty: not measured
  std::string text() const;
};

// Strict: the text may be hostile. A measurement of something else than `key` is refused (unsupported), a malformed text too
// (bad_file, with the line). operators: how many the model has.
Result<Tuning> parse_tuning(std::string_view text, const TuneKey& key, size_t operators);
// From a file, with its name in the message of every error.
Result<Tuning> read_tuning(const std::string& path, const TuneKey& key, size_t operators);

// Where tuning of `key` is kept: XDG_CACHE_HOME/pith/tune/, else HOME/.cache/pith/tune/. Empty: neither is set.
std::string tuning_path(const TuneKey& key);

}  // namespace pith
