// Commands that show how things stand now.
#include "chipgate/cli/commands.hpp"
#include "session.hpp"
#include "table.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <ostream>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

namespace chipgate::cli {
namespace {

namespace json = boost::json;

std::uint64_t bytes_of(const json::value& value, const std::string& path) {
  return static_cast<std::uint64_t>(number_at(value, path + ".up") + number_at(value, path + ".down"));
}

std::string traffic_text(const json::value& value, const std::string& period) {
  auto text = size_text(bytes_of(value, "traffic." + period));
  const auto cost = text_at(value, "traffic." + period + ".cost");
  return cost == "-" ? text : text + " (" + cost + " " + text_at(value, "traffic.currency") + ")";
}

// "3 active, 1 blocked": the states that are there.
std::string states_text(const json::value& status) {
  std::string text;
  for (const auto& [state, count] : status.at("chips").as_object()) {
    if (state == "total" || number_at(count, {}) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(number_at(count, {})) + " " + std::string(state);
  }
  return text.empty() ? "none" : text;
}

std::string checks_text(const json::value& checks) {
  std::string text;
  for (const auto& [part, state] : checks.as_object()) {
    text += (text.empty() ? "" : ", ") + printable(part) + " " + text_at(state, {});
  }
  return text.empty() ? "-" : text;
}

void print_status(const Session& session, const json::value& status) {
  print_table(session.out, {"chipgate", text_at(status, "version") + ", since " + text_at(status, "started_at")},
              {{"ready", text_at(status, "ready") == "true" ? "yes" : "no"},
               {"checks", checks_text(status.at("checks"))},
               {"ledger", text_at(status, "ledger_writable") == "true" ? "writable" : "NOT WRITABLE"},
               {"account", text_at(status, "gateway.account.message")},
               {"chips", text_at(status, "chips.total") + ": " + states_text(status)},
               {"tunnels", text_at(status, "tunnels_open") + ", " + text_at(status, "clients_held") + " clients held"},
               {"today", traffic_text(status, "today")},
               {"month", traffic_text(status, "month")}});
}

// Who needs somebody stands first, then who carries most.
int rank(const json::value& chip) {
  const auto state = text_at(chip, "state");
  if (state == "blocked") return 0;
  if (find(chip, "trouble") != nullptr) return 1;
  return state == "active" || state == "renewing" ? 2 : 3;
}

std::size_t rows_that_fit(const Session& session) {
  winsize size{};
  const bool known = session.terminal == Terminal::yes && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  // The status and the header are above the rows.
  return known && size.ws_row > 14 ? size.ws_row - 12U : 1'000'000;
}

}  // namespace

int show_status(const Session& session) {
  Client client(session.target);
  const auto status = client.get("/api/v1/status");
  if (session.form == Form::json) {
    print_json(session.out, status);
  } else {
    print_status(session, status);
  }
  return exit_done;
}

int list_tunnels(const Session& session, const std::string& chip) {
  Client client(session.target);
  const auto path = "/api/v1/tunnels?limit=10000" + (chip.empty() ? "" : "&chip=" + encoded(chip));
  const auto tunnels = all_pages(client, path, "tunnels");
  if (session.form == Form::json) {
    print_json(session.out, tunnels);
    return exit_done;
  }
  std::vector<Cells> rows;
  for (const auto& tunnel : tunnels) {
    rows.push_back({text_at(tunnel, "id"), text_at(tunnel, "chip"), text_at(tunnel, "target"),
                    text_at(tunnel, "opened_at"),
                    size_text(static_cast<std::uint64_t>(number_at(tunnel, "traffic.up"))),
                    size_text(static_cast<std::uint64_t>(number_at(tunnel, "traffic.down"))),
                    std::to_string(number_at(tunnel, "idle_ms") / 1'000) + " s"});
  }
  print_table(session.out, {"ID", "CHIP", "TARGET", "OPENED", "UP", "DOWN", "IDLE"}, rows);
  return exit_done;
}

int cut_tunnels(const Session& session, const std::vector<std::string>& ids) {
  Client client(session.target);
  int code = exit_done;
  for (const auto& id : ids) {
    const auto answer = client.ask("DELETE", "/api/v1/tunnels/" + encoded(id));
    if (answer.status >= 400) {
      session.err << id << ": " << refusal_of(answer) << '\n';
      code = exit_refused;
    } else {
      session.form == Form::json ? print_json(session.out, answer.json()) : void(session.out << id << "  cut\n");
    }
  }
  return code;
}

int top(const Session& session, const TopOptions& options) {
  Client client(session.target);
  std::map<std::string, std::uint64_t> before;
  TimePoint last{};
  for (std::uint64_t round = 0; (options.rounds == 0 || round < options.rounds) && session.out; ++round) {
    if (round > 0) std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
    const auto status = client.get("/api/v1/status");
    auto chips = all_pages(client, "/api/v1/chips?limit=1000", "chips");
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - std::exchange(last, now)).count();
    std::vector<std::pair<std::pair<int, std::uint64_t>, Cells>> ranked;
    for (const auto& chip : chips) {
      const auto id = text_at(chip, "id");
      const auto bytes = bytes_of(chip, "traffic.today");
      const auto known = before.find(id);
      const bool grown = round > 0 && known != before.end() && bytes >= known->second;
      const auto rate = grown ? static_cast<std::uint64_t>(static_cast<double>(bytes - known->second) / seconds) : 0;
      before.insert_or_assign(id, bytes);
      ranked.push_back({{rank(chip), ~rate},
                        {id, text_at(chip, "port"), text_at(chip, "state"), text_at(chip, "assignment.exit_ips"),
                         text_at(chip, "tunnels_open"), text_at(chip, "clients_held"), size_text(rate) + "/s",
                         size_text(bytes), text_at(chip, "trouble.message")}});
    }
    std::ranges::sort(ranked, {}, [](const auto& row) { return row.first; });
    std::vector<Cells> rows;
    for (auto& [order, cells] : ranked) {
      if (rows.size() < rows_that_fit(session)) rows.push_back(std::move(cells));
    }
    if (session.terminal == Terminal::yes) session.out << "\033[H\033[J";
    print_status(session, status);
    session.out << '\n';
    print_table(session.out, {"CHIP", "PORT", "STATE", "EXIT", "TUNNELS", "HELD", "RATE", "TODAY", "TROUBLE"}, rows);
    session.out << std::flush;
  }
  return exit_done;
}

}  // namespace chipgate::cli
