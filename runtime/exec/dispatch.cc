// Orders the backends for a node and asks them one after the other.
#include "runtime/exec/dispatch.h"

#include <algorithm>
#include <cstring>

#include "runtime/backends/pith/pith_backend.h"
#include "runtime/exec/cost_table.h"
#if PITH_WITH_XNNPACK
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#endif

namespace pith {
namespace {

struct Backend {
  const char* name;
  BackendChoice choice;
  Status (*prepare)(const NodeView&, PrepareContext&);  // null: not in this build, or the reference
};
// In order of preference where the table sees no difference. The reference is last: it is not asked, it takes what is left.
constexpr Backend kBackends[] = {
    {"pith", BackendChoice::pith, prepare_pith},
#if PITH_WITH_XNNPACK
    {"xnnpack", BackendChoice::xnnpack, prepare_xnnpack},
#else
    {"xnnpack", BackendChoice::xnnpack, nullptr},
#endif
    {"reference", BackendChoice::reference, nullptr},
};
constexpr size_t kCount = sizeof kBackends / sizeof kBackends[0];

struct Ranked {
  const Backend* backend;
  uint64_t expected_ns;
};

// Candidates in the order they are asked: measured quickest first, then as expected. A backend that was asked for stands
// alone before the reference.
size_t rank(const NodeView& node, const DispatchOptions& options, Cpu cpu, Ranked (&out)[kCount]) {
  const bool only = options.choice != BackendChoice::automatic;
  const Work work = work_of(node);
  size_t count = 0;
  for (const Backend& b : kBackends)
    if (!only || b.choice == options.choice || b.choice == BackendChoice::reference)
      out[count++] = {&b, expected_ns(b.choice, work, cpu)};
  if (only) return count;
  const auto key = [&](const Ranked& r) { return r.backend->choice == options.tuned ? 0 : r.expected_ns; };
  std::stable_sort(out, out + count, [&](const Ranked& a, const Ranked& b) { return key(a) < key(b); });
  return count;
}

Status use_reference(const OpDef& def, const NodeView& node, PrepareContext& context, Kernel* kernel) {
  if (context.state() != nullptr && context.state()->owner != nullptr) context.keep(nullptr);
  *kernel = Kernel{};
  kernel->run = def.run;
  kernel->name = def.name;
  return def.prepare == nullptr ? Status::ok() : def.prepare(node, context);
}

// Code::unsupported: it leaves the node to the next one.
Status ask(const Backend& backend, const OpDef& def, const NodeView& node, PrepareContext& context,
           Kernel* kernel) {
  if (backend.choice == BackendChoice::reference) return use_reference(def, node, context, kernel);
  if (backend.prepare == nullptr) return {Code::unsupported, "not in this build"};
  Status s = backend.prepare(node, context);
  if (s.is_ok()) kernel->backend = backend.name;
  if (s.code() == Code::unsupported) *kernel = Kernel{};
  return s;
}

// What a backend would do with the node, leaving no trace.
KernelCandidate try_out(const Ranked& r, const OpDef& def, const NodeView& node,
                        const PrepareContext& context) {
  KernelCandidate c{r.backend->choice, "", "", r.expected_ns};
  Kernel kernel;
  std::unique_ptr<NodeState> state;
  PrepareContext trial(&kernel, &state, context.pool(), context.cpu());
  if (const Status s = ask(*r.backend, def, node, trial, &kernel); s.is_ok())
    c.kernel = kernel.name;
  else
    c.reason = s.message();
  return c;
}

}  // namespace

Result<BackendChoice> parse_backend(const char* text) {
  if (text == nullptr || *text == '\0' || std::strcmp(text, "auto") == 0) return BackendChoice::automatic;
  for (const Backend& b : kBackends)
    if (std::strcmp(text, b.name) == 0) return b.choice;
  return Status(Code::bad_argument,
                format("unknown backend '%s': use auto, reference, pith or xnnpack", text));
}

const char* name_of(BackendChoice backend) {
  for (const Backend& b : kBackends)
    if (b.choice == backend) return b.name;
  return "auto";
}

Status choose_kernel(const OpDef& def, const NodeView& node, const DispatchOptions& options,
                     PrepareContext& context, Kernel* kernel, std::vector<KernelCandidate>* candidates) {
  Ranked ranked[kCount];
  const size_t count = rank(node, options, context.cpu(), ranked);
  size_t at = 0;
  Status s;
  for (; at < count; ++at) {
    s = ask(*ranked[at].backend, def, node, context, kernel);
    if (s.code() != Code::unsupported) break;
    if (candidates != nullptr)
      candidates->push_back({ranked[at].backend->choice, "", s.message(), ranked[at].expected_ns});
  }
  if (!s.is_ok() || candidates == nullptr) return s;
  candidates->insert(candidates->begin(),
                     {ranked[at].backend->choice, kernel->name, "", ranked[at].expected_ns});
  while (++at < count) candidates->push_back(try_out(ranked[at], def, node, context));
  return s;
}

}  // namespace pith
