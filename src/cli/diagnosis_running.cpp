// The checks of what the running chipgate says.
#include "checks.hpp"

#include <algorithm>

namespace chipgate::cli {
namespace {

constexpr std::size_t most_named = 20;

}  // namespace

std::string some_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most_named) text += " and " + std::to_string(words.size() - most_named) + " more";
  return text;
}

void check_running(const Facts& facts, Findings& found) {
  if (!answered(facts)) {
    found.push_back({"running", Health::unknown, facts.running.trouble,
                     "Start chipgate, or let the doctor read its token, to have silent ports and duplicates checked."});
    return;
  }
  const auto& running = facts.running;
  found.push_back({"running", Health::fine, "answers, with " + std::to_string(running.chips.size()) + " chips"});
  std::vector<std::string> silent;
  for (const auto& chip : running.chips) {
    if (!chip.quiet || *chip.quiet < facts.silent_for) continue;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*chip.quiet);
    silent.push_back(chip.id + " (port " + std::to_string(chip.port) + ", " + format_duration(whole) + ")");
  }
  if (silent.empty()) {
    found.push_back({"silent_chips", Health::fine,
                     "no assigned chip has been without a tunnel for " + format_duration(facts.silent_for)});
  } else {
    found.push_back(
        {"silent_chips", Health::wrong, "assigned, and without a tunnel: " + some_of(silent),
         "If such a number is online, its client goes round its port: see docs/bypass.md; else release it."});
  }
  const auto duplicates = std::to_string(running.duplicates);
  if (running.duplicates == 0) {
    found.push_back({"duplicates", Health::fine, "no two chips were last seen at one exit"});
  } else {
    found.push_back({"duplicates", Health::wrong, duplicates + " chips with tunnels were last seen at one exit",
                     "Rotate them (chipgate chips rotate), and read exit_shared in chipgate's log."});
  }
}

}  // namespace chipgate::cli
