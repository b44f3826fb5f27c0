// pith.h on the C++ core. Argument checks live here; everything else is forwarded.
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "pith/pith.h"
#include "runtime/exec/session.h"
#include "runtime/model/model.h"
#include "runtime/port/processors.h"

struct pith_model {
  std::shared_ptr<const pith::Model> model;
};

namespace {

// Forwards steps of a run to the C callback.
class CallbackSink : public pith::TraceSink {
 public:
  void on_step(const pith::StepTrace& step) override {
    if (fn != nullptr)
      fn(user, step.node->name, step.kernel->backend, step.kernel->name, step.begin_ns, step.end_ns);
  }
  pith_trace_fn fn = nullptr;
  void* user = nullptr;
};

}  // namespace

struct pith_thread_pool {
  std::shared_ptr<pith::ThreadPool> pool;
};

struct pith_session {
  std::unique_ptr<pith::Session> session;
  CallbackSink sink;
};

namespace {

using pith::Code;
using pith::Status;

std::string& error_text() {
  thread_local std::string text;
  return text;
}

pith_status code_of(Code code) {
  switch (code) {
    case Code::ok:
      return PITH_OK;
    case Code::bad_argument:
      return PITH_BAD_ARGUMENT;
    case Code::bad_file:
      return PITH_BAD_FILE;
    case Code::unsupported:
      return PITH_UNSUPPORTED;
    case Code::no_memory:
      return PITH_NO_MEMORY;
    case Code::io:
      return PITH_IO;
    case Code::internal:
    case Code::needs_value:
      return PITH_INTERNAL;
  }
  return PITH_INTERNAL;
}

pith_status answer(const Status& status) {
  if (!status.is_ok()) error_text() = status.message();
  return code_of(status.code());
}

pith_status refuse(const char* message) { return answer(Status(Code::bad_argument, message)); }

// A structure of an older caller is shorter: what it lacks keeps its default.
template <class T>
bool read_options(const T* from, T* out) {
  *out = T{};
  if (from == nullptr) return true;
  if (from->size < sizeof from->size || from->size > 4096) return false;
  std::memcpy(out, from, from->size < sizeof(T) ? from->size : sizeof(T));
  return true;
}

pith::OpenOptions open_options(const pith_model_options& o) {
  pith::OpenOptions options;
  options.hashes = o.verify_hashes == 1   ? pith::HashCheck::always
                   : o.verify_hashes == 2 ? pith::HashCheck::never
                                          : pith::HashCheck::automatic;
  return options;
}

pith_status keep_model(pith::Result<std::shared_ptr<const pith::Model>> result, pith_model** out) {
  if (!result.is_ok()) return answer(result.status());
  auto* handle = new (std::nothrow) pith_model{std::move(result).value()};
  if (handle == nullptr) return answer(Status(Code::no_memory, "cannot allocate a model handle"));
  *out = handle;
  return PITH_OK;
}

pith_tensor describe(const pith::TensorView& t, bool readable) {
  pith_tensor out{};
  out.name = t.name;
  out.dtype = static_cast<pith_dtype>(t.dtype);
  out.rank = t.shape.has_rank() ? t.shape.rank() : -1;
  for (int i = 0; i < t.shape.rank(); ++i) out.dims[i] = t.shape[i];
  if (readable && t.data != nullptr && t.shape.is_known()) {
    out.data = t.data;
    out.bytes = t.byte_size();
  }
  if (t.quant.per_tensor()) {
    out.scale = t.quant.scales[0];
    out.zero_point = t.quant.zero_points[0];
  }
  return out;
}

constexpr uint32_t kMostThreads = 1024;
Status too_many_threads() { return Status(Code::bad_argument, "more than 1024 threads were asked for"); }

pith::Result<pith::SessionOptions> session_options(const pith_session_options& o) {
  pith::SessionOptions options;
  if (o.pool != nullptr)
    options.pool = o.pool->pool;
  else
    options.threads = o.threads == 0 ? pith::usable_processors() : o.threads;
  if (options.threads > kMostThreads) return too_many_threads();
  if (o.max_arena_bytes != 0) options.max_arena_bytes = o.max_arena_bytes;
  PITH_RETURN_IF_ERROR(read_environment(&options));
  if (o.tuning != nullptr) options.tuning = o.tuning;
  switch (o.backend) {
    case PITH_BACKEND_AUTO:
      break;
    case PITH_BACKEND_REFERENCE:
      options.backend = pith::BackendChoice::reference;
      break;
    case PITH_BACKEND_XNNPACK:
      options.backend = pith::BackendChoice::xnnpack;
      break;
    case PITH_BACKEND_PITH:
      options.backend = pith::BackendChoice::pith;
      break;
    default:
      return Status(Code::bad_argument, "unknown backend");
  }
  return options;
}

}  // namespace

extern "C" {

const char* pith_version(void) { return "0.1.0"; }
const char* pith_last_error(void) { return error_text().c_str(); }
const char* pith_dtype_name(pith_dtype dtype) { return pith::name_of(static_cast<pith::DType>(dtype)); }

pith_status pith_model_open(const char* path, const pith_model_options* options, pith_model** model) {
  pith_model_options o;
  if (path == nullptr || model == nullptr) return refuse("pith_model_open: path and model must not be NULL");
  if (!read_options(options, &o))
    return refuse("pith_model_open: set options->size to sizeof(pith_model_options)");
  return keep_model(pith::Model::open(path, open_options(o)), model);
}

pith_status pith_model_from_memory(const void* bytes, size_t size, const pith_model_options* options,
                                   pith_model** model) {
  pith_model_options o;
  if (bytes == nullptr || model == nullptr)
    return refuse("pith_model_from_memory: bytes and model must not be NULL");
  if (!read_options(options, &o))
    return refuse("pith_model_from_memory: set options->size to sizeof(pith_model_options)");
  return keep_model(pith::Model::from_memory({static_cast<const uint8_t*>(bytes), size}, open_options(o)),
                    model);
}

void pith_model_destroy(pith_model* model) { delete model; }

const char* pith_model_metadata(const pith_model* model, const char* key) {
  const auto* list = model == nullptr || key == nullptr ? nullptr : model->model->program().metadata();
  if (list == nullptr) return nullptr;
  for (const auto* pair : *list)
    if (pair->key() != nullptr && pair->value() != nullptr &&
        std::string_view(pair->key()->c_str(), pair->key()->size()) == key)
      return pair->value()->c_str();
  return nullptr;
}

size_t pith_model_input_count(const pith_model* model) {
  const auto* inputs = model == nullptr ? nullptr : model->model->entry(0).inputs();
  return inputs == nullptr ? 0 : inputs->size();
}
size_t pith_model_output_count(const pith_model* model) {
  return model == nullptr ? 0 : model->model->entry(0).outputs()->size();
}

pith_status pith_thread_pool_create(uint32_t threads, pith_thread_pool** pool) {
  if (pool == nullptr) return refuse("pith_thread_pool_create: pool must not be NULL");
  if (threads > kMostThreads) return answer(too_many_threads());
  auto* handle = new (std::nothrow) pith_thread_pool;
  if (handle == nullptr) return answer(Status(Code::no_memory, "cannot allocate a thread pool handle"));
  handle->pool = pith::ThreadPool::create(threads == 0 ? pith::usable_processors() : threads);
  *pool = handle;
  return PITH_OK;
}

uint32_t pith_thread_pool_threads(const pith_thread_pool* pool) {
  return pool == nullptr ? 0 : static_cast<uint32_t>(pool->pool->threads());
}

void pith_thread_pool_destroy(pith_thread_pool* pool) { delete pool; }

pith_status pith_session_create(const pith_model* model, const pith_session_options* options,
                                pith_session** session) {
  pith_session_options o;
  if (model == nullptr || session == nullptr)
    return refuse("pith_session_create: model and session must not be NULL");
  if (!read_options(options, &o))
    return refuse("pith_session_create: set options->size to sizeof(pith_session_options)");
  if (options == nullptr) o.threads = 1;
  auto core_options = session_options(o);
  if (!core_options.is_ok()) return answer(core_options.status());
  auto core = pith::Session::create(model->model, core_options.value());
  if (!core.is_ok()) return answer(core.status());
  auto* handle = new (std::nothrow) pith_session;
  if (handle == nullptr) return answer(Status(Code::no_memory, "cannot allocate a session handle"));
  handle->session = std::move(core).value();
  *session = handle;
  return PITH_OK;
}

void pith_session_destroy(pith_session* session) { delete session; }

size_t pith_session_input_count(const pith_session* session) {
  return session == nullptr ? 0 : session->session->input_count();
}
size_t pith_session_output_count(const pith_session* session) {
  return session == nullptr ? 0 : session->session->output_count();
}

pith_tensor pith_session_input(const pith_session* session, size_t index) {
  if (index >= pith_session_input_count(session)) return pith_tensor{};
  return describe(session->session->input(index), true);
}
pith_tensor pith_session_output(const pith_session* session, size_t index) {
  if (index >= pith_session_output_count(session)) return pith_tensor{};
  return describe(session->session->output(index), true);
}

pith_status pith_session_set_input_shape(pith_session* session, size_t index, const int64_t* dims,
                                         int32_t rank) {
  if (session == nullptr || rank < 0 || rank > PITH_MAX_RANK || (dims == nullptr && rank > 0))
    return refuse("pith_session_set_input_shape: needs a session and 0 to 8 dims");
  return answer(session->session->set_input_shape(index, pith::Shape({dims, static_cast<size_t>(rank)})));
}

pith_status pith_session_prepare(pith_session* session) {
  if (session == nullptr) return refuse("pith_session_prepare: session must not be NULL");
  return answer(session->session->prepare());
}

pith_status pith_session_run(pith_session* session) {
  if (session == nullptr) return refuse("pith_session_run: session must not be NULL");
  return answer(session->session->run());
}

uint64_t pith_session_tokens(const pith_session* session) {
  return session == nullptr ? 0 : session->session->remembered();
}

pith_status pith_session_rewind(pith_session* session, uint64_t tokens) {
  if (session == nullptr) return refuse("pith_session_rewind: session must not be NULL");
  return answer(session->session->rewind(tokens));
}

const char* pith_session_tuning_note(const pith_session* session) {
  return session == nullptr ? "" : session->session->tuning_note().c_str();
}

uint64_t pith_session_arena_bytes(const pith_session* session) {
  return session == nullptr ? 0 : session->session->memory().arena_bytes;
}

void pith_session_set_trace(pith_session* session, pith_trace_fn trace, void* user) {
  if (session == nullptr) return;
  session->sink.fn = trace;
  session->sink.user = user;
  session->session->set_trace(trace == nullptr ? nullptr : &session->sink);
}

}  // extern "C"
