// Reading and writing measurements of `pith tune`.
#include "runtime/exec/tuning.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/base/cpu_identity.h"
#include "runtime/base/hash.h"
#include "runtime/port/mapping.h"

namespace pith {
namespace {

constexpr uint64_t kMostBytes = 16u << 20;
constexpr char kPithVersion[] = "0.1.0";

// Takes lines and blank-separated words off a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool next_line() {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return true;
  }
  // The rest of the line behind "NAME "; false when it begins otherwise.
  bool next_field(const char* name, std::string_view* value) {
    const size_t n = std::strlen(name);
    if (!next_line() || line_.substr(0, n) != name || line_.size() <= n || line_[n] != ' ') return false;
    *value = line_.substr(n + 1);
    return true;
  }
  std::string_view word() {
    const size_t end = line_.find(' ');
    const std::string_view w = line_.substr(0, end);
    line_.remove_prefix(end == std::string_view::npos ? line_.size() : end + 1);
    return w;
  }
  bool line_is_done() const { return line_.empty(); }
  bool is_done() const { return rest_.empty(); }
  Status fault(const char* what) const {
    return {Code::bad_file, format("line %zu: %s; run pith tune again", number_, what)};
  }

 private:
  std::string_view line_, rest_;
  size_t number_ = 0;
};

// Digits only, no sign, no overflow.
bool read_number(std::string_view text, uint64_t base, uint64_t* out) {
  *out = 0;
  for (const char c : text) {
    const uint64_t digit = c >= '0' && c <= '9'   ? static_cast<uint64_t>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<uint64_t>(c - 'a') + 10
                                                  : base;
    if (digit >= base || __builtin_mul_overflow(*out, base, out) || __builtin_add_overflow(*out, digit, out))
      return false;
  }
  return !text.empty();
}

Status other(const char* what, const std::string& expected, std::string_view found) {
  return {Code::unsupported,
          format("made for another %s: expected '%s', found '%.*s'; run pith tune again", what,
                 expected.c_str(), static_cast<int>(std::min<size_t>(found.size(), 120)), found.data())};
}

std::string hex(uint64_t v) { return format("%016llx", static_cast<unsigned long long>(v)); }

Status check_head(Reader& in, const TuneKey& key) {
  const struct {
    const char *name, *what;
    std::string expected;
  } fields[] = {{"pith-tune", "version of this format", "1"},
                {"pith", "version of pith", kPithVersion},
                {"model", "model", hex(key.model)},
                {"cpu", "processor", key.cpu},
                {"threads", "number of threads", std::to_string(key.threads)}};
  for (const auto& f : fields) {
    std::string_view found;
    if (!in.next_field(f.name, &found)) return in.fault(format("expected '%s'", f.name).c_str());
    if (found != f.expected) return other(f.what, f.expected, found);
  }
  return Status::ok();
}

Status read_timings(Reader& in, std::vector<NodeTiming>* out) {
  while (!in.line_is_done()) {
    const std::string name(in.word());
    uint64_t ns = 0;
    const Result<BackendChoice> backend = parse_backend(name.c_str());
    if (!backend.is_ok() || backend.value() == BackendChoice::automatic)
      return in.fault("expected the name of a backend");
    if (!read_number(in.word(), 10, &ns)) return in.fault("expected nanoseconds");
    for (const NodeTiming& t : *out)
      if (t.backend == backend.value()) return in.fault("a backend stands twice");
    out->push_back({backend.value(), ns});
  }
  return out->empty() ? in.fault("a node without backends") : Status::ok();
}

}  // namespace

TuneKey tune_key(const Model& model, Cpu cpu, size_t threads) {
  const uint64_t hashes[] = {model.header().program_hash, model.header().segment_table_hash};
  char identity[kCpuIdentityBytes];
  cpu_identity(cpu, identity);
  return {hash64(hashes, sizeof hashes), identity, threads};
}

std::string Tuning::text() const {
  std::string out = format("pith-tune 1\npith %s\nmodel %s\ncpu %s\nthreads %zu\n", kPithVersion,
                           hex(key.model).c_str(), key.cpu.c_str(), key.threads);
  size_t count = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].empty()) continue;
    ++count;
    out += format("node %zu", i);
    for (const NodeTiming& t : nodes[i])
      out += format(" %s %llu", name_of(t.backend), static_cast<unsigned long long>(t.ns));
    out += '\n';
  }
  return out + format("end %zu\n", count);
}

Result<Tuning> parse_tuning(std::string_view text, const TuneKey& key, size_t operators) {
  Reader in(text);
  PITH_RETURN_IF_ERROR(check_head(in, key));
  Tuning out{key, {}};
  out.nodes.resize(operators);
  uint64_t count = 0, index = 0;
  while (in.next_line()) {
    const std::string_view kind = in.word();
    if (!read_number(in.word(), 10, &index)) return in.fault("expected a number");
    if (kind == "end") {
      if (index != count || !in.line_is_done() || !in.is_done()) return in.fault("a wrong or early end");
      return out;
    }
    if (kind != "node") return in.fault("expected 'node' or 'end'");
    if (index >= operators) return in.fault("the model has no such operator");
    if (!out.nodes[static_cast<size_t>(index)].empty()) return in.fault("an operator stands twice");
    PITH_RETURN_IF_ERROR(read_timings(in, &out.nodes[static_cast<size_t>(index)]));
    ++count;
  }
  return in.fault("the end is missing");
}

Result<Tuning> read_tuning(const std::string& path, const TuneKey& key, size_t operators) {
  PITH_ASSIGN(const std::unique_ptr<Mapping> file, Mapping::open(path.c_str()));
  if (file->size() > kMostBytes)
    return Status(Code::bad_file, format("'%s' is too large for a tuning file", path.c_str()));
  const auto* text = static_cast<const char*>(static_cast<const void*>(file->data()));
  Result<Tuning> tuning = parse_tuning({text, static_cast<size_t>(file->size())}, key, operators);
  if (tuning.is_ok()) return tuning;
  return Status(tuning.status()).with_context("'" + path + "': ");
}

std::string tuning_path(const TuneKey& key) {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::string folder;
  if (cache != nullptr && *cache == '/')
    folder = cache;
  else if (home != nullptr && *home == '/')
    folder = std::string(home) + "/.cache";
  else
    return "";
  const uint64_t cpu = hash64(key.cpu.data(), key.cpu.size());
  return folder + "/pith/tune/" + hex(key.model) + "-" + hex(cpu) + "-" + std::to_string(key.threads) +
         ".txt";
}

}  // namespace pith
