// A metric computed by the user's own program: box mAP, word error rate, whatever a number can say.
// The outputs of every item are written as FOLDER/<item>/output<k>.npy (item: its index in the data set, k: the output's
// position), then `command FOLDER` is run by the shell; the last word it prints is the value, larger is better.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "converter/data/dataset.h"
#include "runtime/exec/session.h"

namespace pith::eval {

struct MetricCommand {
  std::string command;
  std::function<void(int64_t done, int64_t total)> progress;
};

// `index[i]`: the number of item i for the program. The folder is temporary and removed. Errors: bad_argument when the
// command fails or prints no finite number, with its exit status and what it printed.
Result<double> run_metric_command(const MetricCommand& metric, const data::Dataset& items,
                                  std::span<const int64_t> index, Session& model);

}  // namespace pith::eval
