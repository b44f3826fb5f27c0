// pith.hpp: a thin C++ face of pith.h. Owns handles; no exceptions: check ok(), read error().
//   pith::Model model("digits.pith");
//   pith::Session session(model);
//   session.prepare();
//   std::copy(image.begin(), image.end(), session.input<float>(0).begin());
//   if (!session.run()) std::puts(pith::error());
//   for (float score : session.output<float>(0)) ...
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "pith/pith.h"

namespace pith {
inline namespace v1 {  // keeps these names apart from the library's own classes when it is linked statically

inline const char* error() { return pith_last_error(); }

class Model {
 public:
  explicit Model(const std::string& path) {
    pith_model* handle = nullptr;
    if (pith_model_open(path.c_str(), nullptr, &handle) == PITH_OK) handle_.reset(handle);
  }
  bool ok() const { return handle_ != nullptr; }
  const pith_model* handle() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(pith_model* m) const { pith_model_destroy(m); }
  };
  std::unique_ptr<pith_model, Destroy> handle_;
};

// Worker threads for any number of sessions; may be destroyed before them.
class ThreadPool {
 public:
  explicit ThreadPool(uint32_t threads = 0) {  // 0: the processors this process may use
    pith_thread_pool* handle = nullptr;
    if (pith_thread_pool_create(threads, &handle) == PITH_OK) handle_.reset(handle);
  }
  bool ok() const { return handle_ != nullptr; }
  pith_thread_pool* handle() const { return handle_.get(); }
  uint32_t threads() const { return pith_thread_pool_threads(handle()); }

 private:
  struct Destroy {
    void operator()(pith_thread_pool* p) const { pith_thread_pool_destroy(p); }
  };
  std::unique_ptr<pith_thread_pool, Destroy> handle_;
};

class Session {
 public:
  explicit Session(const Model& model, uint32_t threads = 1) {
    pith_session_options options{};
    options.size = sizeof options;
    options.threads = threads;
    create(model, options);
  }
  Session(const Model& model, const ThreadPool& pool) {
    pith_session_options options{};
    options.size = sizeof options;
    options.pool = pool.handle();
    if (pool.ok()) create(model, options);
  }
  bool ok() const { return handle_ != nullptr; }
  pith_session* handle() const { return handle_.get(); }

  bool set_input_shape(size_t i, std::initializer_list<int64_t> dims) {
    return pith_session_set_input_shape(handle(), i, dims.begin(), static_cast<int32_t>(dims.size())) ==
           PITH_OK;
  }
  bool prepare() { return pith_session_prepare(handle()) == PITH_OK; }
  bool run() { return pith_session_run(handle()) == PITH_OK; }

  // The caller names the element type; a size that does not fit gives an empty span.
  template <class T>
  std::span<T> input(size_t i) {
    return view<T>(pith_session_input(handle(), i));
  }
  template <class T>
  std::span<const T> output(size_t i) const {
    return view<const T>(pith_session_output(handle(), i));
  }

 private:
  void create(const Model& model, const pith_session_options& options) {
    pith_session* handle = nullptr;
    if (model.ok() && pith_session_create(model.handle(), &options, &handle) == PITH_OK)
      handle_.reset(handle);
  }
  template <class T>
  static std::span<T> view(const pith_tensor& t) {
    if (t.data == nullptr || t.bytes % sizeof(T) != 0) return {};
    return {static_cast<T*>(t.data), t.bytes / sizeof(T)};
  }
  struct Destroy {
    void operator()(pith_session* s) const { pith_session_destroy(s); }
  };
  std::unique_ptr<pith_session, Destroy> handle_;
};

}  // namespace v1
}  // namespace pith
