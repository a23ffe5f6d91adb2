// What the running chipgate says of itself.
#include "chipgate/cli/facts.hpp"
#include "session.hpp"
#include "table.hpp"

#include <boost/json/array.hpp>
#include <charconv>
#include <exception>

namespace chipgate::cli {
namespace {

namespace json = boost::json;

// Whoever has a doctor look is waiting for the answer.
constexpr Milliseconds patience{10'000};

// One that this version does not know admits nobody, as far as it can tell.
lifecycle::State state_of(const std::string& text) {
  for (std::size_t i = 0; i < lifecycle::state_count; ++i) {
    const auto state = static_cast<lifecycle::State>(i);
    if (lifecycle::name(state) == text) return state;
  }
  return lifecycle::State::released;
}

RunningChip chip_of(const json::value& row, WallTime now) {
  RunningChip chip{text_at(row, "id"), static_cast<std::uint16_t>(number_at(row, "port"))};
  chip.state = state_of(text_at(row, "state"));
  chip.clients_held = static_cast<std::uint64_t>(number_at(row, "clients_held"));
  chip.arming = text_at(row, "armed") == "true" ? ledger::Arming::armed : ledger::Arming::disarmed;
  chip.bytes_this_month =
      static_cast<std::uint64_t>(number_at(row, "traffic.month.up") + number_at(row, "traffic.month.down"));
  if (const auto since = parse_rfc3339(text_at(row, "quiet_since"))) {
    chip.quiet = std::chrono::duration_cast<Milliseconds>(now - *since);
  }
  return chip;
}

void ask(Client& client, RunningFacts& facts) {
  const auto status = client.get("/api/v1/status");
  facts.ledger_writable = text_at(status, "ledger_writable") == "true";
  const auto* const account = find(status, "gateway.account");
  if (account != nullptr && account->is_object()) {
    facts.account_trouble = text_at(*account, "message") + " [" + text_at(*account, "code") + "]";
  }
  const auto chips = all_pages(client, "/api/v1/chips?limit=1000", "chips");
  const auto now = std::chrono::system_clock::now();
  for (const auto& row : chips) facts.chips.push_back(chip_of(row, now));
  const auto exposition = client.ask("GET", "/metrics").body;
  facts.duplicates = sample_of(exposition, "chipgate_exit_ip_duplicates");
  facts.descriptors = sample_of(exposition, "process_max_fds");
}

}  // namespace

std::uint64_t sample_of(std::string_view exposition, std::string_view name) {
  while (!exposition.empty()) {
    const auto end = std::min(exposition.find('\n'), exposition.size());
    const auto line = exposition.substr(0, end);
    exposition.remove_prefix(std::min(end + 1, exposition.size()));
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    const auto digits = line.substr(name.size() + 1);
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return static_cast<std::uint64_t>(value);
  }
  return 0;
}

RunningFacts ask_running(const std::string& configuration) {
  RunningFacts facts;
  try {
    Common common;
    common.config = configuration;
    Client client(find_target(common), patience);
    ask(client, facts);
  } catch (const Failed& failed) {
    facts = {};
    facts.trouble = failed.what();
  } catch (const std::exception& error) {
    // Another program's JSON, without the members that chipgate's has.
    facts = {};
    facts.trouble = std::string("what answers there is not chipgate: ") + error.what();
  }
  return facts;
}

}  // namespace chipgate::cli
