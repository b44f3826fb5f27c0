// The native half of org.pith.Pith. Handles are pointers held by Java as long; every failure becomes a PithException.
#include <jni.h>
#include <pith/pith.h>

#include <string>

namespace {

pith_model* model_of(jlong handle) { return reinterpret_cast<pith_model*>(static_cast<intptr_t>(handle)); }
pith_session* session_of(jlong handle) {
  return reinterpret_cast<pith_session*>(static_cast<intptr_t>(handle));
}
jlong handle_of(const void* pointer) { return static_cast<jlong>(reinterpret_cast<intptr_t>(pointer)); }

// JNI takes a UTF-8 of its own: bytes that are no UTF-8 (names in hostile files) become '?', as does what lies beyond 16
// bits, which JNI would want written otherwise.
std::string plain_utf8(const char* text) {
  std::string out;
  for (const char* p = text; *p != 0;) {
    const auto lead = static_cast<unsigned char>(*p);
    const int tail = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead >= 0xE0 && lead < 0xF0 ? 2 : -1;
    bool good = tail >= 0;
    for (int i = 1; good && i <= tail; ++i) good = (static_cast<unsigned char>(p[i]) & 0xC0) == 0x80;
    if (good)
      out.append(p, static_cast<size_t>(tail) + 1);
    else
      out += '?';
    p += good ? tail + 1 : 1;
  }
  return out;
}
jstring java_text(JNIEnv* env, const char* text) { return env->NewStringUTF(plain_utf8(text).c_str()); }

void fail(JNIEnv* env, pith_status status) {
  jclass type = env->FindClass("org/pith/Pith$PithException");
  if (type == nullptr) return;  // an error is pending already
  jmethodID make = env->GetMethodID(type, "<init>", "(ILjava/lang/String;)V");
  jstring message = make == nullptr ? nullptr : java_text(env, pith_last_error());
  if (message == nullptr) return;
  jobject error = env->NewObject(type, make, static_cast<jint>(status), message);
  if (error != nullptr) env->Throw(static_cast<jthrowable>(error));
}
void check(JNIEnv* env, pith_status status) {
  if (status != PITH_OK) fail(env, status);
}

// The characters of a Java string for one call; null stays null, and pith.h refuses it by name.
class Text {
 public:
  Text(JNIEnv* env, jstring text)
      : env_(env), text_(text), chars_(text == nullptr ? nullptr : env->GetStringUTFChars(text, nullptr)) {}
  ~Text() {
    if (chars_ != nullptr) env_->ReleaseStringUTFChars(text_, chars_);
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  const char* get() const { return chars_; }

 private:
  JNIEnv* env_;
  jstring text_;
  const char* chars_;
};

jobject make_tensor(JNIEnv* env, const pith_tensor& t) {
  jclass type = env->FindClass("org/pith/Pith$Tensor");
  if (type == nullptr) return nullptr;
  jmethodID make =
      env->GetMethodID(type, "<init>", "(Ljava/lang/String;Ljava/lang/String;[JLjava/nio/ByteBuffer;FI)V");
  if (make == nullptr) return nullptr;
  jlongArray shape = nullptr;
  if (t.rank >= 0) {
    shape = env->NewLongArray(t.rank);
    if (shape == nullptr) return nullptr;
    jlong dims[PITH_MAX_RANK];
    for (int32_t i = 0; i < t.rank; ++i) dims[i] = t.dims[i];
    env->SetLongArrayRegion(shape, 0, t.rank, dims);
  }
  jstring name = java_text(env, t.name);
  jstring dtype = name == nullptr ? nullptr : java_text(env, pith_dtype_name(t.dtype));
  if (dtype == nullptr) return nullptr;
  jobject data = t.data == nullptr ? nullptr : env->NewDirectByteBuffer(t.data, static_cast<jlong>(t.bytes));
  if (env->ExceptionCheck() != JNI_FALSE) return nullptr;
  return env->NewObject(type, make, name, dtype, shape, data, static_cast<jdouble>(t.scale),
                        static_cast<jint>(t.zero_point));
}

}  // namespace

extern "C" {

JNIEXPORT jstring JNICALL Java_org_pith_Pith_version(JNIEnv* env, jclass) {
  return java_text(env, pith_version());
}

JNIEXPORT jlong JNICALL Java_org_pith_Pith_openModel(JNIEnv* env, jclass, jstring path) {
  const Text text(env, path);
  pith_model* model = nullptr;
  check(env, pith_model_open(text.get(), nullptr, &model));
  return handle_of(model);
}

JNIEXPORT void JNICALL Java_org_pith_Pith_destroyModel(JNIEnv*, jclass, jlong model) {
  pith_model_destroy(model_of(model));
}

JNIEXPORT jstring JNICALL Java_org_pith_Pith_metadata(JNIEnv* env, jclass, jlong model, jstring key) {
  const Text text(env, key);
  const char* value = pith_model_metadata(model_of(model), text.get());
  return value == nullptr ? nullptr : java_text(env, value);
}

JNIEXPORT jlong JNICALL Java_org_pith_Pith_createSession(JNIEnv* env, jclass, jlong model, jint threads) {
  pith_session_options options{};
  options.size = sizeof options;
  options.threads = static_cast<uint32_t>(threads);
  pith_session* session = nullptr;
  check(env, pith_session_create(model_of(model), &options, &session));
  return handle_of(session);
}

JNIEXPORT void JNICALL Java_org_pith_Pith_destroySession(JNIEnv*, jclass, jlong session) {
  pith_session_destroy(session_of(session));
}

JNIEXPORT jint JNICALL Java_org_pith_Pith_count(JNIEnv*, jclass, jlong session, jboolean inputs) {
  const pith_session* s = session_of(session);
  return static_cast<jint>(inputs != JNI_FALSE ? pith_session_input_count(s) : pith_session_output_count(s));
}

JNIEXPORT jobject JNICALL Java_org_pith_Pith_tensor(JNIEnv* env, jclass, jlong session, jint index,
                                                    jboolean inputs) {
  const auto at = static_cast<size_t>(index);  // a negative index becomes one that is out of range
  const pith_session* s = session_of(session);
  const pith_tensor t = inputs != JNI_FALSE ? pith_session_input(s, at) : pith_session_output(s, at);
  if (t.name != nullptr) return make_tensor(env, t);
  jclass type = env->FindClass("java/lang/IndexOutOfBoundsException");
  if (type != nullptr) env->ThrowNew(type, ("no tensor " + std::to_string(index)).c_str());
  return nullptr;
}

JNIEXPORT void JNICALL Java_org_pith_Pith_setInputShape(JNIEnv* env, jclass, jlong session, jint index,
                                                        jlongArray dims) {
  int64_t shape[PITH_MAX_RANK];
  const jsize rank = dims == nullptr ? -1 : env->GetArrayLength(dims);
  if (rank > 0 && rank <= PITH_MAX_RANK) {
    jlong values[PITH_MAX_RANK];
    env->GetLongArrayRegion(dims, 0, rank, values);
    for (jsize i = 0; i < rank; ++i) shape[i] = values[i];
  }
  check(env, pith_session_set_input_shape(session_of(session), static_cast<size_t>(index), shape, rank));
}

JNIEXPORT void JNICALL Java_org_pith_Pith_prepare(JNIEnv* env, jclass, jlong session) {
  check(env, pith_session_prepare(session_of(session)));
}

JNIEXPORT void JNICALL Java_org_pith_Pith_run(JNIEnv* env, jclass, jlong session) {
  check(env, pith_session_run(session_of(session)));
}

}  // extern "C"
