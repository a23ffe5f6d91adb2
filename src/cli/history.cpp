// Commands about what the ledger keeps.
#include "chipgate/cli/commands.hpp"
#include "session.hpp"
#include "table.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <ostream>
#include <thread>

namespace chipgate::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::size_t longest_page = 1'000;
constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::string query_of(const std::vector<std::pair<std::string_view, std::string>>& parameters) {
  std::string query;
  for (const auto& [key, value] : parameters) {
    if (!value.empty()) query += (query.empty() ? "?" : "&") + std::string(key) + "=" + encoded(value);
  }
  return query;
}

// Page behind page; only the first one's line of names is kept.
int print_csv(const Session& session, Client& client, const std::string& path, std::size_t most) {
  std::string cursor;
  std::size_t rows = 0;
  while (true) {
    const auto answer = client.ask("GET", path + "&format=csv" + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
    auto text = std::string_view(answer.body);
    const auto names = text.substr(0, text.find('\n') + 1);
    if (cursor.empty()) session.out << names;
    text.remove_prefix(names.size());
    while (!text.empty() && rows < most) {
      const auto line = text.substr(0, std::min(text.find('\n') + 1, text.size()));
      session.out << line;
      text.remove_prefix(line.size());
      ++rows;
    }
    cursor = answer.next_cursor;
    if (cursor.empty() || rows >= most) return exit_done;
  }
}

Cells event_cells(const json::value& event) {
  const auto* const data = find(event, "data");
  const bool empty = data == nullptr || !data->is_object() || data->get_object().empty();
  return {text_at(event, "id"), text_at(event, "at"), text_at(event, "type"), text_at(event, "chip"),
          empty ? "-" : printable(json::serialize(*data))};
}

std::string events_path(const std::string& chip, std::optional<std::int64_t> after, std::size_t limit) {
  return "/api/v1/events" + query_of({{"limit", std::to_string(std::min(limit, longest_page))},
                                      {"chip", chip},
                                      {"after", after ? std::to_string(*after) : ""}});
}

// Page behind page, until there are `most` or the next one is not before `end`.
json::array events_behind(Client& client, const std::string& chip, std::int64_t after, std::size_t most,
                          std::int64_t end = std::numeric_limits<std::int64_t>::max()) {
  json::array found;
  while (true) {
    auto page = client.get(events_path(chip, after, most - found.size()));
    for (auto& event : page.at("events").as_array()) {
      if (number_at(event, "id") >= end) return found;
      found.push_back(std::move(event));
    }
    if (found.size() >= most || text_at(page, "more") != "true") return found;
    after = number_at(page, "next_after");
  }
}

// The API pages forwards only. What is older than its latest page is read in ranges of ids, each twice as wide as the
// one before: a chip's ids may lie far apart.
json::array latest_events(Client& client, const std::string& chip, std::size_t most) {
  auto found = client.get(events_path(chip, std::nullopt, most)).at("events").as_array();
  if (found.size() < longest_page) return found;
  auto first = number_at(found.front(), "id");
  for (auto width = static_cast<std::int64_t>(longest_page); found.size() < most && first > 1; width *= 2) {
    width = std::min(width, first - 1);
    const auto older = events_behind(client, chip, first - 1 - width, no_limit, first);
    found.insert(found.begin(), older.begin(), older.end());
    first -= width;
  }
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  return found;
}

// The JSON of a block's data line, or nothing for a comment.
std::optional<json::value> event_in(std::string_view block) {
  constexpr std::string_view mark = "data: ";
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size());
    const auto line = block.substr(0, end);
    block.remove_prefix(std::min(end + 1, block.size()));
    if (!line.starts_with(mark)) continue;
    boost::system::error_code error;
    auto parsed = json::parse(line.substr(mark.size()), error);
    if (!error) return parsed;
  }
  return std::nullopt;
}

void print_event(const Session& session, const json::value& event) {
  if (session.form == Form::json) {
    print_json(session.out, event);
  } else {
    const auto cells = event_cells(event);
    session.out << cells[0] << "  " << cells[1] << "  " << cells[2] << "  " << cells[3] << "  " << cells[4] << '\n';
  }
  session.out << std::flush;
}

// For ever: a stream that ends is taken up again behind its last event, or behind the latest one that there was when it
// began. Whoever cannot ask for that one never reached chipgate, and is told so.
int follow_events(const Session& session, const EventOptions& options) {
  Client client(session.target);
  const auto latest = number_at(client.get("/api/v1/events?limit=1"), "next_after");
  auto after = options.after.value_or(latest);
  while (session.out) {
    const auto path = "/api/v1/events" + query_of({{"chip", options.chip}, {"after", std::to_string(after)}});
    try {
      client.follow(path, [&](std::string_view block) {
        if (const auto event = event_in(block)) {
          after = number_at(*event, "id");
          print_event(session, *event);
        }
        return session.out.good();
      });
    } catch (const Failed& failed) {
      // It is there no more, or not yet again.
      if (failed.code() != exit_unavailable) throw;
    }
    std::this_thread::sleep_for(session.poll);
  }
  return exit_done;
}

}  // namespace

int list_history(const Session& session, const HistoryOptions& options) {
  Client client(session.target);
  const auto path = "/api/v1/assignments" + query_of({{"limit", std::to_string(std::min(options.limit, longest_page))},
                                                      {"chip", options.chip},
                                                      {"exit_ip", options.ip},
                                                      {"at", options.at},
                                                      {"from", options.from},
                                                      {"to", options.to}});
  if (session.form == Form::csv) return print_csv(session, client, path, options.limit);
  const auto found = all_pages(client, path, "assignments", options.limit);
  if (session.form == Form::json) {
    print_json(session.out, found);
    return exit_done;
  }
  std::vector<Cells> rows;
  for (const auto& row : found) {
    const auto bytes = number_at(row, "traffic.up") + number_at(row, "traffic.down");
    rows.push_back({text_at(row, "id"), text_at(row, "chip"), text_at(row, "exit_ips"),
                    text_at(row, "possibly") == "true" ? "possibly" : "surely", text_at(row, "assigned_at"),
                    text_at(row, "released_at"), text_at(row, "release_reason"),
                    size_text(static_cast<std::uint64_t>(bytes))});
  }
  print_table(session.out, {"ID", "CHIP", "EXIT", "HELD", "FROM", "TO", "REASON", "TRAFFIC"}, rows);
  return exit_done;
}

int list_events(const Session& session, const EventOptions& options) {
  if (options.follow) return follow_events(session, options);
  Client client(session.target);
  const auto found = options.after ? events_behind(client, options.chip, *options.after, options.limit)
                                   : latest_events(client, options.chip, options.limit);
  if (session.form == Form::json) {
    print_json(session.out, found);
    return exit_done;
  }
  std::vector<Cells> rows;
  for (const auto& event : found) rows.push_back(event_cells(event));
  print_table(session.out, {"ID", "AT", "EVENT", "CHIP", "DETAIL"}, rows);
  return exit_done;
}

int list_denied(const Session& session) {
  Client client(session.target);
  const auto denied = all_pages(client, "/api/v1/denied?limit=10000", "denied");
  if (session.form == Form::json) {
    print_json(session.out, denied);
    return exit_done;
  }
  std::vector<Cells> rows;
  for (const auto& row : denied) {
    rows.push_back({text_at(row, "exit_ip"), text_at(row, "at"), text_at(row, "chip"), text_at(row, "reason")});
  }
  print_table(session.out, {"EXIT", "SINCE", "CHIP", "REASON"}, rows);
  return exit_done;
}

int deny(const Session& session, const std::string& ip, const std::string& reason) {
  Client client(session.target);
  const auto answer =
      client.ask("PUT", "/api/v1/denied/" + encoded(ip), json::serialize(json::object{{"reason", reason}}));
  if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
  session.form == Form::json ? print_json(session.out, answer.json()) : void(session.out << ip << "  denied\n");
  return exit_done;
}

int allow(const Session& session, const std::string& ip) {
  Client client(session.target);
  const auto answer = client.ask("DELETE", "/api/v1/denied/" + encoded(ip));
  if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
  session.form == Form::json ? print_json(session.out, answer.json()) : void(session.out << ip << "  allowed\n");
  return exit_done;
}

}  // namespace chipgate::cli
