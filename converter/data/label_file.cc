// Labels kept apart from the inputs: .npy, IDX, raw elements, a column of a CSV file.
#include <cmath>
#include <limits>

#include "converter/data/dataset_parts.h"

namespace pith::data {
namespace {

constexpr int64_t kMaxLabels = int64_t{1} << 31;

Result<std::vector<int64_t>> labels_of_source(const SourcePtr& source, const std::string& file) {
  const SourceSpec& spec = source->spec();
  int64_t per_item = 1;
  for (int64_t d : spec.shape) per_item = d == 1 ? per_item : 0;  // [N] or [N, 1]
  PITH_REQUIRE(per_item == 1,
               "'%s': one label per item is expected, found items of shape %s; for one-hot labels save "
               "numpy.argmax(labels, 1)",
               file.c_str(), shape_text(spec.shape).c_str());
  PITH_REQUIRE(spec.count <= kMaxLabels, "'%s': too many labels", file.c_str());
  std::vector<int64_t> labels(static_cast<size_t>(spec.count));
  for (int64_t i = 0; i < spec.count; ++i) {
    PITH_ASSIGN(const HostTensor item, source->read(i));
    double value = 0;
    to_doubles(item.dtype, item.bytes.data(), 1, &value);
    PITH_REQUIRE(value >= 0 && value <= std::numeric_limits<int32_t>::max() && value == std::floor(value),
                 "'%s': label %lld is %g; expected a class index, a whole number from 0", file.c_str(),
                 static_cast<long long>(i), value);
    labels[static_cast<size_t>(i)] = static_cast<int64_t>(value);
  }
  return labels;
}

Result<std::vector<int64_t>> labels_of_csv(const LabelConfig& config) {
  PITH_ASSIGN(const std::vector<std::string> lines, read_lines(config.file));
  auto column = static_cast<size_t>(config.column);
  if (!config.column_name.empty()) {
    const std::vector<std::string> names = split_fields(lines.empty() ? "" : lines[0], config.delimiter);
    for (column = 0; column < names.size() && names[column] != config.column_name;) ++column;
    PITH_REQUIRE(column < names.size(), "'%s': no column is called '%s'; its first line is: %s",
                 config.file.c_str(), config.column_name.c_str(),
                 lines.empty() ? "" : lines[0].substr(0, 80).c_str());
  }
  std::vector<int64_t> labels;
  const bool header = config.header || !config.column_name.empty();
  for (size_t i = header ? 1 : 0; i < lines.size(); ++i) {
    const std::string where = format("'%s' line %zu", config.file.c_str(), i + 1);
    const std::vector<std::string> fields = split_fields(lines[i], config.delimiter);
    PITH_REQUIRE(column < fields.size(), "%s: column %zu is wanted, there are %zu (counted from 0)",
                 where.c_str(), column, fields.size());
    PITH_ASSIGN(const int64_t label, parse_label(fields[column], where));
    labels.push_back(label);
  }
  return labels;
}

}  // namespace

Result<std::vector<int64_t>> read_labels(const LabelConfig& config) {
  if (config.kind == LabelConfig::Kind::csv) return labels_of_csv(config);
  SourcePtr source;
  if (config.kind == LabelConfig::Kind::npy) {
    PITH_ASSIGN(source, open_npy_source({config.file, Axes::plain}));
  } else if (config.kind == LabelConfig::Kind::idx) {
    PITH_ASSIGN(source, open_idx_source(config.file));
  } else {
    RawConfig raw;
    raw.file = config.file;
    raw.skip_bytes = config.skip_bytes;
    raw.dtype = config.dtype;
    PITH_ASSIGN(source, open_raw_source(raw));
  }
  return labels_of_source(source, config.file);
}

}  // namespace pith::data
