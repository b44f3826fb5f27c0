// Choices as JSON, and that JSON as text.
#include "cli/kernel_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/output.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

double to_us(uint64_t ns) { return static_cast<double>(ns) / 1e3; }

const char* why(const Session& session, const Session::Step& step) {
  size_t others = 0;
  for (const KernelCandidate& c : step.candidates) others += c.takes();
  const auto measured = session.timings(step.op);
  if (!measured.empty() && measured.front().backend == step.candidates.front().backend)
    return "measured quickest";
  if (others == 1) return "only one that takes it";
  return session.backend() != BackendChoice::automatic ? "asked for" : "expected quickest";
}

const Json* measured_of(const Json& candidate) {
  const auto at = candidate.find("measured_us");
  return at == candidate.end() ? nullptr : &*at;
}

void print_candidate(const Json& c) {
  std::printf("      %-34s", c["kernel"].get<std::string>().c_str());
  if (c.contains("declines")) {
    std::printf(" declines: %s\n", c["declines"].get<std::string>().c_str());
    return;
  }
  std::printf(" expected %.1f us", c["expected_us"].get<double>());
  if (const Json* us = measured_of(c)) std::printf(", measured %.1f us", us->get<double>());
  std::printf("\n");
}

void print_conversions(const Json& c) {
  std::printf("conversions: ");
  for (const auto& [op, n] : c["steps"].items())
    std::printf("%llu %s, ", n.get<unsigned long long>(), op.c_str());
  std::printf("%s written; inside other steps %llu, %s\n", bytes_text(c["bytes"]).c_str(),
              c["inside_steps"].get<unsigned long long>(), bytes_text(c["inside_bytes"]).c_str());
}

}  // namespace

void describe_choice(const Session& session, const Session::Step& step, Json* row) {
  if (step.candidates.empty()) return;
  (*row)["why"] = why(session, step);
  std::string reason;
  bool before = true;  // who was asked before the chosen one declined; the others are listed with the reason
  for (const KernelCandidate& c : step.candidates) {
    Json j{{"kernel", std::string(name_of(c.backend)) + (c.takes() ? ":" : "") + c.kernel}};
    if (c.takes()) {
      j["expected_us"] = to_us(c.expected_ns);
      for (const NodeTiming& t : session.timings(step.op))
        if (t.backend == c.backend) j["measured_us"] = to_us(t.ns);
    } else {
      j["declines"] = c.reason;
      if (before) reason += (reason.empty() ? "" : "; ") + std::string(name_of(c.backend)) + ": " + c.reason;
    }
    before = before && (!c.takes() || &c == &step.candidates.front());
    (*row)["candidates"].push_back(std::move(j));
  }
  if (!reason.empty()) (*row)["reason"] = reason;
}

Json conversions(const Session& session) {
  Json steps = Json::object();
  uint64_t bytes = 0, inside = 0, inside_bytes = 0;
  for (size_t stage = 0; stage < session.stage_count(); ++stage)
    for (const Session::Step& step : session.steps(stage)) {
      const NodeView& node = session.node(step.op);
      switch (node.op) {
        case schema::Op::QuantizeOptions:
        case schema::Op::DequantizeOptions:
        case schema::Op::RequantizeOptions:
        case schema::Op::DynamicQuantizeOptions:
        case schema::Op::CastOptions: {
          const OpDef* def = find_op(node.op);
          Json& count = steps[def == nullptr ? "?" : def->name];
          count = count.is_number() ? count.get<size_t>() + 1 : size_t{1};
          if (node.has_out(0)) bytes += node.out(0).byte_size();
          break;
        }
        default:
          break;
      }
      if (const uint64_t moved = session.converted_inside(step); moved > 0) ++inside, inside_bytes += moved;
    }
  return {{"steps", std::move(steps)},
          {"bytes", bytes},
          {"inside_steps", inside},
          {"inside_bytes", inside_bytes}};
}

void print_kernels(const Json& report) {
  if (report.contains("tuning")) std::printf("%s\n", report["tuning"].get<std::string>().c_str());
  std::printf("kernels:\n");
  for (const Json& node : report["nodes"]) {
    std::printf("  %-22s %-28s %-6s %s %s\n", node["op"].get<std::string>().c_str(),
                node["kernel"].get<std::string>().c_str(), node["precision"].get<std::string>().c_str(),
                node.value("output", std::string()).c_str(), node["name"].get<std::string>().c_str());
    if (!node.contains("candidates")) continue;
    std::printf("    %s\n", node["why"].get<std::string>().c_str());
    for (const Json& c : node["candidates"]) print_candidate(c);
  }
  print_conversions(report["conversions"]);
}

}  // namespace pith::cli
