// The API's routes.
#include "sim/api.hpp"

#include "chipgate/base/ascii.hpp"
#include "sim/api_text.hpp"

#include <algorithm>
#include <limits>

namespace chipgate::sim {
namespace {

// A page of the log that a reader takes in one piece.
constexpr std::size_t log_page = 10'000;

struct Call {
  World& world;
  Listeners& listeners;
  const Path& path;
  std::string_view body;

  const std::string& named() const { return path.segments[1]; }
  // A string of the body, which may be empty altogether.
  std::optional<std::string> text(const std::string& key) const {
    const auto json = Json::parse(body);
    if (!json || json->object() == nullptr) return std::nullopt;
    const auto found = json->object()->find(key);
    if (found == json->object()->end() || found->second.string() == nullptr) return std::nullopt;
    return *found->second.string();
  }
};

ApiAnswer complain(unsigned status, std::string_view why) {
  JsonWriter json;
  return {status, json.text("error", why).done()};
}

ApiAnswer ok() { return {200, "{}"}; }

template <class Range, class Write>
std::string list(std::string_view key, const Range& range, Write write) {
  std::string items;
  for (const auto& item : range) {
    if (!items.empty()) items += ',';
    items += write(item);
  }
  JsonWriter json;
  return json.raw(key, "[" + items + "]").done();
}

CloseHow how_of(std::string_view text) { return text == "fin" ? CloseHow::fin : CloseHow::rst; }

ApiAnswer list_faults(const Call& call) {
  return {200, list("faults", call.world.faults.standing(), [](const StandingFault& fault) { return json_of(fault); })};
}

// What is refused changes nothing.
ApiAnswer take_fault(const Call& call, std::optional<std::uint64_t> (FaultPlan::*take)(Fault)) {
  auto parsed = fault_of(call.body);
  if (const auto* complaint = std::get_if<Complaint>(&parsed)) return complain(400, complaint->text);
  const auto id = (call.world.faults.*take)(std::get<Fault>(std::move(parsed)));
  if (!id) return complain(400, "this kind does not belong to this stage");
  call.listeners.adjust();
  JsonWriter json;
  return {201, json.number("id", *id).done()};
}

ApiAnswer add_fault(const Call& call) { return take_fault(call, &FaultPlan::add); }
ApiAnswer replace_faults(const Call& call) { return take_fault(call, &FaultPlan::replace); }

ApiAnswer clear_faults(const Call& call) {
  call.world.faults.clear();
  call.listeners.adjust();
  return ok();
}

ApiAnswer remove_fault(const Call& call) {
  const auto id = parse_decimal(call.named(), std::numeric_limits<std::uint64_t>::max());
  if (!id || !call.world.faults.remove(*id)) return complain(404, "no such fault");
  call.listeners.adjust();
  return ok();
}

ApiAnswer list_sessions(const Call& call) {
  const auto now = Clock::now();
  const auto wall_now = std::chrono::system_clock::now();
  return {200, list("sessions", call.world.sessions.list(now),
                    [&](const NamedSession& session) { return json_of(session, now, wall_now); })};
}

ApiAnswer exit_answer(const IpAddress& exit) {
  JsonWriter json;
  return {200, json.text("exit", exit.text()).done()};
}

ApiAnswer move_session(const Call& call) {
  const auto to = call.text("to");
  if (!to) return exit_answer(call.world.sessions.move_on(call.named(), Clock::now()));
  const auto exit = IpAddress::parse(*to);
  if (!exit || !exit->is_v4() || !exit->is_loopback()) return complain(400, "an exit is an address of 127.0.0.0/8");
  call.world.sessions.move(call.named(), *exit, Clock::now());
  return exit_answer(*exit);
}

ApiAnswer duplicate_session(const Call& call) {
  const auto other = call.text("session");
  if (!other) return complain(400, "which session?");
  const bool done = call.world.sessions.duplicate(call.named(), *other, Clock::now());
  return done ? ok() : complain(404, "no such session");
}

ApiAnswer end_session(const Call& call) {
  if (!call.world.sessions.end(call.named(), Clock::now())) return complain(404, "no such session");
  if (const auto how = query_value(call.path.query, "tunnels")) {
    call.world.connections.end_tunnels(call.named(), how_of(*how));
  }
  return ok();
}

ApiAnswer show_stats(const Call& call) { return {200, json_of(call.world.stats)}; }

ApiAnswer show_ports(const Call& call) { return {200, json_of(call.listeners.ports(), call.world.options)}; }

ApiAnswer gateway_down(const Call& call) {
  call.listeners.set_gateway(GatewayState::down);
  if (const auto how = call.text("tunnels")) call.world.connections.end_tunnels("", how_of(*how));
  return ok();
}

ApiAnswer gateway_up(const Call& call) {
  call.listeners.set_gateway(GatewayState::up);
  return ok();
}

ApiAnswer count_answer(std::size_t tunnels) {
  JsonWriter json;
  return {200, json.number("tunnels", tunnels).done()};
}

ApiAnswer cut_tunnels(const Call& call) {
  return count_answer(
      call.world.connections.end_tunnels(call.text("session").value_or(""), how_of(call.text("how").value_or("rst"))));
}

ApiAnswer freeze_tunnels(const Call& call) {
  return count_answer(call.world.connections.freeze_tunnels(call.text("session").value_or("")));
}

ApiAnswer add_mapping(const Call& call) {
  const bool added = call.world.names.add(call.text("target").value_or(""), call.text("to").value_or(""));
  return added ? ok() : complain(400, "target is host:port, to is a loopback address and a port");
}

ApiAnswer show_log(const Call& call) {
  constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
  const auto since = parse_decimal(query_value(call.path.query, "since").value_or("0"), largest);
  const auto limit = parse_decimal(query_value(call.path.query, "limit").value_or("10000"), log_page);
  if (!since || !limit) return complain(400, "since and limit are numbers");
  return {200, list("entries", call.world.log.since(*since, static_cast<std::size_t>(*limit)),
                    [](const LogEntry& entry) { return json_of(entry); })};
}

struct Route {
  std::string_view method;
  std::vector<std::string_view> segments;  // "*" is a name
  ApiAnswer (*handler)(const Call&);
};

const std::vector<Route>& routes() {
  static const std::vector<Route> table{
      {"GET", {"faults"}, list_faults},
      {"POST", {"faults"}, add_fault},
      {"PUT", {"faults"}, replace_faults},
      {"DELETE", {"faults"}, clear_faults},
      {"DELETE", {"faults", "*"}, remove_fault},
      {"GET", {"sessions"}, list_sessions},
      {"POST", {"sessions", "*", "move"}, move_session},
      {"POST", {"sessions", "*", "duplicate_of"}, duplicate_session},
      {"DELETE", {"sessions", "*"}, end_session},
      {"GET", {"stats"}, show_stats},
      {"GET", {"ports"}, show_ports},
      {"POST", {"listeners", "down"}, gateway_down},
      {"POST", {"listeners", "up"}, gateway_up},
      {"POST", {"tunnels", "cut"}, cut_tunnels},
      {"POST", {"tunnels", "blackhole"}, freeze_tunnels},
      {"POST", {"map"}, add_mapping},
      {"GET", {"log"}, show_log},
  };
  return table;
}

bool matches(const Route& route, const std::vector<std::string>& segments) {
  return std::ranges::equal(route.segments, segments, [](std::string_view wanted, const std::string& given) {
    return wanted == "*" ? !given.empty() : wanted == given;
  });
}

}  // namespace

ApiAnswer answer_api(World& world, Listeners& listeners, const ApiRequest& request) {
  const auto path = parse_path(request.target);
  if (!path) return complain(400, "a broken escape in the path");
  bool known = false;
  for (const auto& route : routes()) {
    if (!matches(route, path->segments)) continue;
    if (route.method == request.method) return route.handler({world, listeners, *path, request.body});
    known = true;
  }
  return known ? complain(405, "not by this method") : complain(404, "no such thing");
}

}  // namespace chipgate::sim
