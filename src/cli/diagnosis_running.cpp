// The checks of what the running chipgate says.
#include "checks.hpp"

#include <algorithm>

namespace chipgate::cli {
namespace {

constexpr std::size_t most_named = 20;

// Only of a chip that admits: clients of another one have no tunnel however well they behave, and one that is held
// speaks.
bool is_silent(const RunningChip& chip, Milliseconds silent_for) {
  const bool admits = chip.state == lifecycle::State::active || chip.state == lifecycle::State::renewing;
  return admits && chip.clients_held == 0 && chip.quiet && *chip.quiet >= silent_for;
}

bool clients_are_refused(const Facts& facts, const Findings& found) {
  return !facts.running.account_trouble.empty() || std::ranges::any_of(found, [](const Finding& finding) {
    return finding.what == "gateway" && finding.health == Health::wrong;
  });
}

void check_silence(const Facts& facts, Findings& found) {
  std::vector<std::string> silent;
  for (const auto& chip : facts.running.chips) {
    if (!is_silent(chip, facts.silent_for)) continue;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*chip.quiet);
    silent.push_back(chip.id + " (port " + std::to_string(chip.port) + ", " + format_duration(whole) + ")");
  }
  if (silent.empty()) {
    found.push_back({"silent_chips", Health::fine,
                     "no assigned chip has been without a tunnel for " + format_duration(facts.silent_for)});
  } else if (clients_are_refused(facts, found)) {
    // Their clients are not to blame, and an exit that is released now does not come back.
    const auto& account = facts.running.account_trouble;
    found.push_back({"silent_chips", Health::unknown,
                     "clients are refused while the gateway fails, so silence says nothing" +
                         (account.empty() ? "" : ": " + account),
                     "Ask again once the gateway serves; release nothing for this."});
  } else {
    found.push_back(
        {"silent_chips", Health::wrong, "assigned, and without a tunnel: " + some_of(silent),
         "If such a number is online, its client goes round its port: see docs/bypass.md; else release it."});
  }
}

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
  check_silence(facts, found);
  const auto duplicates = std::to_string(running.duplicates);
  if (running.duplicates == 0) {
    found.push_back({"duplicates", Health::fine, "no two chips were last seen at one exit"});
  } else {
    found.push_back({"duplicates", Health::wrong, duplicates + " chips with tunnels were last seen at one exit",
                     "Rotate them (chipgate chips rotate), and read exit_shared in chipgate's log."});
  }
}

}  // namespace chipgate::cli
