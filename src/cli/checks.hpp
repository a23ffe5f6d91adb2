// What the parts of a diagnosis share.
#pragma once

#include "chipgate/cli/diagnosis.hpp"

#include <string>
#include <vector>

namespace chipgate::cli {

using Findings = std::vector<Finding>;

inline bool answered(const Facts& facts) { return facts.running.trouble.empty(); }

// "a, b, c and 17 more": a fleet does not fit on a screen.
std::string some_of(const std::vector<std::string>& words);

// diagnosis_gateway.cpp: the endpoints, the exits that were seen, and the clock.
void check_gateways(const Facts& facts, Findings& found);

// diagnosis_running.cpp; it goes by what was found of the gateway before.
void check_running(const config::Settings& settings, const Facts& facts, Findings& found);

}  // namespace chipgate::cli
