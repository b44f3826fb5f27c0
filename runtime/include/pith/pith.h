/* pith.h: run a .pith model. C ABI, for C99 and C++; the only header that applications and platform code include.
 *
 *   pith_model* model;                                   // immutable, shared by any number of sessions and threads
 *   if (pith_model_open("digits.pith", NULL, &model) != PITH_OK) die(pith_last_error());
 *   pith_session* session;                               // one per thread: owns the activations
 *   pith_session_create(model, NULL, &session);
 *   pith_session_prepare(session);                       // allocates; afterwards inputs can be written
 *   memcpy(pith_session_input(session, 0).data, image, sizeof image);
 *   if (pith_session_run(session) != PITH_OK) die(pith_last_error());
 *   const float* scores = pith_session_output(session, 0).data;
 *   pith_session_destroy(session);
 *   pith_model_destroy(model);
 *
 * Threads: a model may be used by many threads at once. A session belongs to one thread at a time. A pool of
 * worker threads may serve any number of sessions. pith_last_error is per thread. Memory: weights are read in place from the mapped file; a session allocates
 * in create and prepare, and not in a run whose shapes (and shape-deciding values) are those of the run
 * before. Compatibility: structs begin with `size`, which the caller sets; fields are only appended; enums
 * only grow. */
#ifndef PITH_PITH_H_
#define PITH_PITH_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define PITH_API __declspec(dllexport)
#else
#define PITH_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pith_status {
  PITH_OK = 0,
  PITH_INTERNAL = 1,     /* a defect of Pith */
  PITH_BAD_ARGUMENT = 2, /* the caller's mistake: wrong shape, index or option */
  PITH_BAD_FILE = 3,     /* the model is damaged or malformed */
  PITH_UNSUPPORTED = 4,  /* the model needs something this build does not have */
  PITH_NO_MEMORY = 5,
  PITH_IO = 6 /* the file cannot be read */
} pith_status;

/* Element types; the numbers are those of the file format. */
typedef enum pith_dtype {
  PITH_F32 = 1,
  PITH_F16 = 2,
  PITH_BF16 = 3,
  PITH_F64 = 4,
  PITH_I8 = 5,
  PITH_U8 = 6,
  PITH_I16 = 7,
  PITH_U16 = 8,
  PITH_I32 = 9,
  PITH_U32 = 10,
  PITH_I64 = 11,
  PITH_U64 = 12,
  PITH_BOOL = 13
} pith_dtype;

#define PITH_MAX_RANK 8

typedef struct pith_model pith_model;
typedef struct pith_session pith_session;
typedef struct pith_thread_pool pith_thread_pool;

/* A view of an input or output. Row-major, dense. */
typedef struct pith_tensor {
  const char* name; /* lives as long as the session */
  pith_dtype dtype;
  int32_t rank;                /* -1: not known before the run */
  int64_t dims[PITH_MAX_RANK]; /* -1: set by pith_session_set_input_shape, or known after the run */
  void* data;                  /* NULL before prepare (inputs) or before the run (outputs) */
  size_t bytes;                /* of data; 0 while data is NULL */
  float scale;                 /* real = scale * (code - zero_point); 0 when the tensor is not quantized */
  int32_t zero_point;
} pith_tensor;

/* ---- Library ---- */

PITH_API const char* pith_version(void); /* "0.1.0" */
/* What went wrong in the last failed call of this thread: what, where, expected, found. Never NULL; valid
 * until the next failed call of this thread. */
PITH_API const char* pith_last_error(void);
PITH_API const char* pith_dtype_name(pith_dtype dtype); /* "f32" */

/* ---- Models ---- */

typedef struct pith_model_options {
  size_t size;       /* sizeof(pith_model_options) */
  int verify_hashes; /* 0: automatic (weights up to 64 MiB), 1: always, 2: never; the structure is always
                        verified */
} pith_model_options;

/* Maps the file read-only. options may be NULL. *model is set only on PITH_OK. */
PITH_API pith_status pith_model_open(const char* path, const pith_model_options* options, pith_model** model);
/* The same from memory: `bytes` must be 128-byte aligned and stay unchanged until the model and its sessions
 * are gone. */
PITH_API pith_status pith_model_from_memory(const void* bytes, size_t size, const pith_model_options* options,
                                            pith_model** model);
PITH_API void pith_model_destroy(pith_model* model); /* NULL is allowed; sessions keep what they need */
/* Metadata written by the converter (recipe, certificate ...): value of a key, or NULL. Lives as long as the
 * model. */
PITH_API const char* pith_model_metadata(const pith_model* model, const char* key);
PITH_API size_t pith_model_input_count(const pith_model* model);
PITH_API size_t pith_model_output_count(const pith_model* model);

/* ---- Thread pools ---- */

/* Threads that several sessions share, instead of a pool for each: as many as there are processors are enough
 * for all of them. Sessions on one pool may run one after the other or in threads of their own at the same
 * time; then their operators take turns. Idle threads sleep. threads counts the calling one; 0: the
 * processors this process may use. When the system gives fewer threads, the pool has fewer. */
PITH_API pith_status pith_thread_pool_create(uint32_t threads, pith_thread_pool** pool);
PITH_API uint32_t pith_thread_pool_threads(const pith_thread_pool* pool); /* the calling one included */
PITH_API void pith_thread_pool_destroy(pith_thread_pool* pool); /* NULL is allowed; sessions keep it alive */

/* ---- Sessions ---- */

typedef enum pith_backend {
  PITH_BACKEND_AUTO = 0,
  PITH_BACKEND_REFERENCE = 1,
  PITH_BACKEND_XNNPACK = 2,
  PITH_BACKEND_PITH = 3 /* our own vector kernels */
} pith_backend;

typedef struct pith_session_options {
  size_t size;              /* sizeof(pith_session_options) */
  uint32_t threads;         /* 0: the processors this process may use; 1: the calling thread only */
  pith_backend backend;     /* AUTO: the environment variable PITH_BACKEND, else the fastest for every node */
  uint64_t max_arena_bytes; /* 0: no limit; a plan that needs more is refused with PITH_NO_MEMORY */
  pith_thread_pool* pool;   /* NULL: a pool of its own; else `threads` is not used */
  const char* tuning;       /* what `pith tune` wrote: a file, "auto" (its usual place), "" (none); NULL: the
                               environment variable PITH_TUNE, else none. Never an error: see tuning_note */
} pith_session_options;

/* options may be NULL: one thread, automatic backend. */
PITH_API pith_status pith_session_create(const pith_model* model, const pith_session_options* options,
                                         pith_session** session);
PITH_API void pith_session_destroy(pith_session* session); /* NULL is allowed */

PITH_API size_t pith_session_input_count(const pith_session* session);
PITH_API size_t pith_session_output_count(const pith_session* session);
/* An index out of range gives a tensor with name NULL. */
PITH_API pith_tensor pith_session_input(const pith_session* session, size_t index);
PITH_API pith_tensor pith_session_output(const pith_session* session, size_t index);

/* Sets the actual dims of an input; needed where the model leaves a dim open. Moves the data of every input:
 * write inputs after prepare. */
PITH_API pith_status pith_session_set_input_shape(pith_session* session, size_t index, const int64_t* dims,
                                                  int32_t rank);
/* Plans and allocates for the present shapes; run does it when it was not done. */
PITH_API pith_status pith_session_prepare(pith_session* session);
/* Runs the model on the present inputs. Outputs are valid until the next run, shape change or destroy. */
PITH_API pith_status pith_session_run(pith_session* session);

/* Models with memory (attention over a cache of keys and values): the session keeps every token that runs gave it. How many
 * it holds; and forgetting those from place `tokens` on (0: all), PITH_BAD_ARGUMENT if it holds fewer. A run whose tokens do
 * not fit is refused with PITH_BAD_ARGUMENT and changes nothing. Models without memory hold 0. */
PITH_API uint64_t pith_session_tokens(const pith_session* session);
PITH_API pith_status pith_session_rewind(pith_session* session, uint64_t tokens);

/* Whether tuning is used, or why not; "" when none was asked for. Lives as long as the session. */
PITH_API const char* pith_session_tuning_note(const pith_session* session);

/* Bytes the session holds for activations, scratch included. */
PITH_API uint64_t pith_session_arena_bytes(const pith_session* session);

/* Called after every operator of a run, on the running thread. node: its name; kernel: "backend:kernel";
 * times in nanoseconds of a monotonic clock. The strings live until the session is destroyed or planned
 * again. */
typedef void (*pith_trace_fn)(void* user, const char* node, const char* backend, const char* kernel,
                              uint64_t begin_ns, uint64_t end_ns);
PITH_API void pith_session_set_trace(pith_session* session, pith_trace_fn trace, void* user); /* NULL: off */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PITH_PITH_H_ */
