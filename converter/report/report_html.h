// The report of a compression as one page: needs no script, no network and no other file; light and dark.
#pragma once
#include <string>

#include "converter/compress/compress.h"

namespace pith::report {

// `stopped` is the error that ended the run early, or ok.
std::string report_html(const compress::CompressOptions& options, const compress::CompressReport& report,
                        const Status& stopped);

// Writes the page or, when `path` ends in .json, the JSON object; atomically.
Status write_report(const std::string& path, const compress::CompressOptions& options,
                    const compress::CompressReport& report, const Status& stopped);
// Ok, or what such a path should end in: to be asked before any long work.
Status check_report_path(const std::string& path);

}  // namespace pith::report
