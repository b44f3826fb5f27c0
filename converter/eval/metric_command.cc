// Outputs to files, the program, its last word.
#include "converter/eval/metric_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "converter/data/npy.h"
#include "converter/eval/dataset_feed.h"

namespace pith::eval {
namespace {

namespace fs = std::filesystem;

class OutputFolder {
 public:
  static Result<std::unique_ptr<OutputFolder>> create() {
    std::error_code error;
    std::string path = (fs::temp_directory_path(error) / "pith-metric-XXXXXX").string();
    if (error || mkdtemp(path.data()) == nullptr)
      return Status(Code::io, "cannot make a temporary folder for the metric command: set TMPDIR");
    auto folder = std::make_unique<OutputFolder>();
    folder->path_ = path;
    return folder;
  }
  OutputFolder() = default;
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

  Status write(int64_t item, const Session& model) const {
    const fs::path folder = fs::path(path_) / std::to_string(item);
    std::error_code error;
    if (fs::create_directory(folder, error); error)
      return Status(Code::io, "cannot make '" + folder.string() + "': " + error.message());
    for (size_t o = 0; o < model.output_count(); ++o) {
      const TensorView& y = model.output(o);
      const std::vector<int64_t> dims(y.shape.dims().begin(), y.shape.dims().end());
      PITH_RETURN_IF_ERROR(data::write_npy((folder / ("output" + std::to_string(o) + ".npy")).string(),
                                           y.dtype, dims, y.data));
    }
    return Status::ok();
  }

 private:
  std::string path_;
};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<std::string> printed_by(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return Status(Code::io, "cannot start the metric command '" + command + "'");
  std::string text;
  char part[4096];
  for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0 && text.size() < (size_t{1} << 20);)
    text.append(part, n);
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  return Status(Code::bad_argument,
                format("the metric command '%s' failed (%s %d); it printed: %.200s", command.c_str(),
                       WIFEXITED(status) ? "exit code" : "signal",
                       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), text.c_str()));
}

Result<double> last_number(const std::string& text, const std::string& command) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t end = text.find_last_not_of(kSpace);
  const size_t before = end == std::string::npos ? end : text.find_last_of(kSpace, end);
  const std::string word =
      end == std::string::npos
          ? ""
          : text.substr(before == std::string::npos ? 0 : before + 1, end - (before + 1) + 1);
  double value = 0;
  const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc() && at == word.data() + word.size() && std::isfinite(value)) return value;
  return Status(Code::bad_argument, "the last word of the metric command '" + command +
                                        "' must be a number, it is '" + word.substr(0, 100) + "'");
}

}  // namespace

Result<double> run_metric_command(const MetricCommand& metric, const data::Dataset& items,
                                  std::span<const int64_t> index, Session& model) {
  if (static_cast<int64_t>(index.size()) != items.size())
    return Status(Code::internal,
                  format("%zu numbers for %lld items", index.size(), static_cast<long long>(items.size())));
  PITH_ASSIGN(const DatasetFeed feed, DatasetFeed::create(items, model));
  PITH_ASSIGN(const std::unique_ptr<OutputFolder> folder, OutputFolder::create());
  for (int64_t i = 0; i < items.size(); ++i) {
    PITH_RETURN_IF_ERROR(feed.feed(i, model));
    PITH_RETURN_IF_ERROR(model.run());
    PITH_RETURN_IF_ERROR(folder->write(index[static_cast<size_t>(i)], model));
    if (metric.progress) metric.progress(i + 1, items.size());
  }
  PITH_ASSIGN(const std::string text, printed_by(metric.command + " " + quoted(folder->path())));
  return last_number(text, metric.command);
}

}  // namespace pith::eval
