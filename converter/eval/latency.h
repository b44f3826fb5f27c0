// How long sessions take, measured so that they can be compared: their runs alternate, medians are reported.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/exec/session.h"

namespace pith::eval {

struct LatencyOptions {
  double seconds = 0.5;  // for all sessions together
  int min_rounds = 5;    // one run of each
};

// Median milliseconds of run() of each session; their inputs are fed. One round is not counted.
Result<std::vector<double>> paired_latency_ms(std::span<Session* const> sessions,
                                              const LatencyOptions& options);

// Milliseconds of each node, least of `rounds` traced runs, by the node's name and by the name of its first result: one
// of them survives rewriting.
Result<std::map<std::string, double>> node_latency_ms(Session& session, int rounds);

}  // namespace pith::eval
