// The checks of what the running chipgate says.
#include "checks.hpp"

#include <algorithm>
#include <set>
#include <string_view>

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

template <class Chips, class Wanted>
std::vector<std::string> ids_of(const Chips& chips, Wanted wanted) {
  std::vector<std::string> ids;
  for (const auto& chip : chips) {
    if (wanted(chip)) ids.emplace_back(chip.id);
  }
  return ids;
}

// Its client may never have found it: silence is only heard of those that have an assignment.
bool is_unused(const RunningChip& chip) {
  return chip.state == lifecycle::State::released && chip.arming == ledger::Arming::armed && chip.bytes_this_month == 0;
}

void check_chips(const config::Settings& settings, const Facts& facts, Findings& found) {
  const auto& running = facts.running.chips;
  const auto blocked = ids_of(running, [](const auto& chip) { return chip.state == lifecycle::State::blocked; });
  const auto unused = ids_of(running, is_unused);
  std::set<std::string_view> there;
  for (const auto& chip : running) there.insert(chip.id);
  std::vector<std::string> missing;
  for (const auto& chip : settings.chips) {
    if (!there.contains(chip.id.value())) missing.push_back(chip.id.value());
  }
  std::vector<std::string> told;
  if (!blocked.empty()) told.push_back("blocked: " + some_of(blocked));
  if (!missing.empty()) told.push_back("in the file, and not in the running chipgate: " + some_of(missing));
  const bool any_wrong = !told.empty();
  if (!unused.empty()) told.push_back("armed, and without a byte this month: " + std::to_string(unused.size()));
  std::string evidence;
  for (const auto& one : told) evidence += (evidence.empty() ? "" : "; ") + one;
  if (any_wrong) {
    found.push_back(
        {"chips", Health::warning, evidence,
         "Read why one is blocked (chipgate chips show ID) before it is connected; have the file taken on by "
         "chipgate reload."});
  } else if (!unused.empty()) {
    found.push_back({"chips", Health::unknown, evidence,
                     "If such a number is online, its client goes round its port: see docs/bypass.md."});
  } else {
    found.push_back({"chips", Health::fine, "all chips of the file are there, none blocked"});
  }
}

}  // namespace

std::string some_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most_named) text += " and " + std::to_string(words.size() - most_named) + " more";
  return text;
}

void check_running(const config::Settings& settings, const Facts& facts, Findings& found) {
  if (!answered(facts)) {
    found.push_back({"running", Health::unknown, facts.running.trouble,
                     "Start chipgate, or let the doctor read its token, to have silent ports and duplicates checked."});
    return;
  }
  const auto& running = facts.running;
  found.push_back({"running", Health::fine, "answers, with " + std::to_string(running.chips.size()) + " chips"});
  check_chips(settings, facts, found);
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
