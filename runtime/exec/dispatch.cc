// Backends in order of preference.
#include "runtime/exec/dispatch.h"

#include <cstring>

#if PITH_WITH_XNNPACK
#include "runtime/backends/xnnpack/xnnpack_backend.h"
#endif

namespace pith {

Result<BackendChoice> parse_backend(const char* text) {
  if (text == nullptr || *text == '\0' || std::strcmp(text, "auto") == 0) return BackendChoice::automatic;
  if (std::strcmp(text, "reference") == 0) return BackendChoice::reference;
  if (std::strcmp(text, "xnnpack") == 0) return BackendChoice::xnnpack;
  return Status(Code::bad_argument, format("unknown backend '%s': use auto, reference or xnnpack", text));
}

Status choose_kernel(const OpDef& def, const NodeView& node, BackendChoice choice, PrepareContext& context,
                     Kernel* kernel, std::string* reason) {
#if PITH_WITH_XNNPACK
  if (choice != BackendChoice::reference) {
    Status s = prepare_xnnpack(node, context);
    if (s.is_ok()) {
      kernel->backend = "xnnpack";
      return s;
    }
    if (s.code() != Code::unsupported) return s;
    if (reason != nullptr) *reason = "xnnpack: " + s.message();
    *kernel = Kernel{};
  }
#else
  (void)choice;
  if (reason != nullptr) *reason = "xnnpack: not in this build";
#endif
  if (context.state() != nullptr && context.state()->owner != nullptr) context.keep(nullptr);
  kernel->run = def.run;
  kernel->name = def.name;
  if (def.prepare == nullptr) return Status::ok();
  return def.prepare(node, context);
}

}  // namespace pith
