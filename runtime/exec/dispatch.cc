// Backends in order of preference.
#include "runtime/exec/dispatch.h"

#include <cstring>

#include "runtime/backends/pith/pith_backend.h"
#if PITH_WITH_XNNPACK
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#endif

namespace pith {
namespace {

struct Backend {
  const char* name;
  BackendChoice choice;
  Status (*prepare)(const NodeView&, PrepareContext&);  // null: not in this build
};
constexpr Backend kBackends[] = {
    {"pith", BackendChoice::pith, prepare_pith},
#if PITH_WITH_XNNPACK
    {"xnnpack", BackendChoice::xnnpack, prepare_xnnpack},
#else
    {"xnnpack", BackendChoice::xnnpack, nullptr},
#endif
};

// Code::unsupported: the node is left to the next one.
Status try_backend(const Backend& backend, const NodeView& node, PrepareContext& context, Kernel* kernel,
                   std::string* reason) {
  Status s = backend.prepare != nullptr ? backend.prepare(node, context)
                                        : Status(Code::unsupported, "not in this build");
  if (s.is_ok()) {
    kernel->backend = backend.name;
    return s;
  }
  if (s.code() != Code::unsupported) return s;
  if (reason != nullptr) {
    if (!reason->empty()) *reason += "; ";
    *reason += std::string(backend.name) + ": " + s.message();
  }
  *kernel = Kernel{};
  return s;
}

}  // namespace

Result<BackendChoice> parse_backend(const char* text) {
  if (text == nullptr || *text == '\0' || std::strcmp(text, "auto") == 0) return BackendChoice::automatic;
  if (std::strcmp(text, "reference") == 0) return BackendChoice::reference;
  for (const Backend& b : kBackends)
    if (std::strcmp(text, b.name) == 0) return b.choice;
  return Status(Code::bad_argument,
                format("unknown backend '%s': use auto, reference, pith or xnnpack", text));
}

Status choose_kernel(const OpDef& def, const NodeView& node, BackendChoice choice, PrepareContext& context,
                     Kernel* kernel, std::string* reason) {
  for (const Backend& backend : kBackends) {
    if (choice != BackendChoice::automatic && choice != backend.choice) continue;
    Status s = try_backend(backend, node, context, kernel, reason);
    if (s.code() != Code::unsupported) return s;
  }
  if (context.state() != nullptr && context.state()->owner != nullptr) context.keep(nullptr);
  kernel->run = def.run;
  kernel->name = def.name;
  if (def.prepare == nullptr) return Status::ok();
  return def.prepare(node, context);
}

}  // namespace pith
