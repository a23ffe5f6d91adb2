// The API's JSON: faults read, and everything written.
#pragma once

#include "sim/json.hpp"
#include "sim/world.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipgate::sim {

// What is wrong with a body, for a person.
struct Complaint {
  std::string text;
};

std::variant<Fault, Complaint> fault_of(std::string_view json);

std::string json_of(const StandingFault& fault);
std::string json_of(const NamedSession& session, TimePoint now, WallTime wall_now);
std::string json_of(const Stats& stats);
std::string json_of(const Ports& ports, const SimulatorOptions& options);

struct Path {
  std::vector<std::string> segments;  // percent-decoded
  std::string query;
};
// nullopt: a broken escape.
std::optional<Path> parse_path(std::string_view target);
std::optional<std::string_view> query_value(std::string_view query, std::string_view key);

}  // namespace chipgate::sim
