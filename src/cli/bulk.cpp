// Commands that bring many chips to a wanted state. What is in it already is skipped, so that a run that was
// interrupted is simply started again.
#include "bulk.hpp"

#include "chipgate/cli/commands.hpp"
#include "session.hpp"
#include "table.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <map>
#include <thread>

namespace chipgate::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// One chip's patience is a client's; a fleet's is what its draws may take.
constexpr Milliseconds one_chips_wait = 15s;
constexpr Milliseconds fleets_wait = 10min;

bool admits(const json::value& chip) {
  const auto state = text_at(chip, "state");
  return state == "active" || state == "renewing";
}

// Released, or about to be: an operator's release disarms a chip before it ends.
bool stays_released(const json::value& chip) {
  const auto state = text_at(chip, "state");
  return state == "released" || (state == "releasing" && text_at(chip, "armed") == "false");
}

bool is_since(const json::value& chip, std::string_view path, WallTime since) {
  const auto at = parse_rfc3339(text_at(chip, path));
  return at && *at >= since;
}

std::optional<WallTime> since_of(const ActionOptions& options) {
  if (options.since.empty()) return std::nullopt;
  const auto since = parse_rfc3339(options.since);
  if (!since) throw Failed(exit_usage, "--since: '" + options.since + "' is not a time like 2026-01-31T15:04:05Z");
  return since;
}

Milliseconds wait_of(const ActionOptions& options) {
  const bool fleet = options.chips.all || options.chips.ids.size() > 1;
  if (options.wait.empty()) return fleet ? fleets_wait : one_chips_wait;
  const auto wait = parse_duration(options.wait);
  if (!wait) throw Failed(exit_usage, "--wait: '" + options.wait + "' is not a duration like 15s");
  return *wait;
}

std::string body_of(const ActionOptions& options) {
  json::object body;
  if (options.assignment) body["assignment_id"] = *options.assignment;
  if (options.force) body["force"] = true;
  return body.empty() ? std::string() : json::serialize(body);
}

std::string action_path(const std::string& id, const std::string& action) {
  return "/api/v1/chips/" + encoded(id) + "/actions/" + action;
}

Outcome failed(const Answer& answer) { return {Outcome::What::failed, refusal_of(answer)}; }

// What connect and rotate answer at once, of a chip that was under the assignment `before`.
Outcome connected(const Answer& answer, std::int64_t before) {
  if (answer.status == 202) return {Outcome::What::pending};
  if (answer.status != 200) return failed(answer);
  const auto body = answer.json();
  if (number_at(body, "assignment_id") == before) return {Outcome::What::pending};
  return {Outcome::What::done, text_at(body, "chip.assignment.exit_ips")};
}

// Under which assignment each chip was, 0 where it had none: what a rotate is to end.
using Assignments = std::map<std::string, std::int64_t>;

Assignments assignments_of(const json::array& chips) {
  Assignments found;
  for (const auto& chip : chips) found.emplace(text_at(chip, "id"), number_at(chip, "assignment.id"));
  return found;
}

// All of them are asked for at once, then looked at until they have got there: chipgate itself decides how fast it
// draws, and a request may not wait as long as a fleet needs. `before` is the assignment that does not count any more.
Outcome wait_for(const Session& session, Client& client, const std::string& id, std::int64_t before, TimePoint until) {
  while (true) {
    const auto answer = client.ask("GET", "/api/v1/chips/" + encoded(id));
    if (answer.status >= 400) return failed(answer);
    const auto chip = answer.json();
    const auto state = text_at(chip, "state");
    const bool old = admits(chip) && number_at(chip, "assignment.id") == before;
    if (admits(chip) && !old) return {Outcome::What::done, text_at(chip, "assignment.exit_ips")};
    if (state == "blocked") return {Outcome::What::failed, text_at(chip, "trouble.message")};
    if (state == "released") return {Outcome::What::failed, "it was released meanwhile"};
    if (Clock::now() >= until) {
      const auto why = text_at(chip, "trouble.message");
      return {Outcome::What::pending,
              old ? "still under its old assignment" : "still " + state + (why == "-" ? "" : ": " + why)};
    }
    std::this_thread::sleep_for(session.poll);
  }
}

}  // namespace

int connect_chips(const Session& session, const ActionOptions& options) {
  const auto wait = wait_of(options);
  Bulk bulk(session, "connect", chosen(session, options.chips));
  bulk.skip([](const json::value& chip) { return admits(chip); });
  const auto body = body_of(options);
  const auto until = Clock::now() + wait;
  bulk.run([&](Client& client, const std::string& id) {
    return connected(client.ask("POST", action_path(id, "connect") + "?wait=0", body), 0);
  });
  bulk.run_pending([&](Client& client, const std::string& id) { return wait_for(session, client, id, 0, until); });
  return bulk.finish();
}

int release_chips(const Session& session, const ActionOptions& options) {
  Bulk bulk(session, "release", chosen(session, options.chips));
  bulk.skip([&](const json::value& chip) {
    return !options.assignment && text_at(chip, "state") == "released" && text_at(chip, "armed") == "false";
  });
  const auto body = body_of(options);
  bulk.run([&](Client& client, const std::string& id) {
    const auto answer = client.ask("POST", action_path(id, "release"), body);
    if (answer.status >= 400) return failed(answer);
    const bool recorded = text_at(answer.json(), "recorded") == "true";
    return Outcome{Outcome::What::done, recorded ? "" : "fenced, and not yet recorded in the ledger"};
  });
  return bulk.finish();
}

int rotate_chips(const Session& session, const ActionOptions& options) {
  const auto since = since_of(options);
  const auto wait = wait_of(options);
  const auto chips = chosen(session, options.chips);
  const auto before = assignments_of(chips);
  Bulk bulk(session, "rotate", chips);
  bulk.resumable_by_time(since);
  bulk.skip([&](const json::value& chip) {
    // A fleet's released chips stay so; a single one was named.
    if (options.chips.all && stays_released(chip)) return true;
    return since && is_since(chip, "assignment.assigned_at", *since);
  });
  // What an earlier run rotated has no assignment to end any more; another rotate could end the one that it gets.
  bulk.await([&](const json::value& chip) {
    return since && text_at(chip, "state") == "acquiring" && is_since(chip, "since", *since);
  });
  const auto body = body_of(options);
  const auto until = Clock::now() + wait;
  bulk.run([&](Client& client, const std::string& id) {
    return connected(client.ask("POST", action_path(id, "rotate") + "?wait=0", body), before.at(id));
  });
  bulk.run_pending(
      [&](Client& client, const std::string& id) { return wait_for(session, client, id, before.at(id), until); });
  return bulk.finish();
}

int verify_chips(const Session& session, const ActionOptions& options) {
  const auto since = since_of(options);
  Bulk bulk(session, "verify", chosen(session, options.chips));
  bulk.resumable_by_time(since);
  bulk.skip([&](const json::value& chip) {
    const auto verified = parse_rfc3339(text_at(chip, "assignment.verified_at"));
    if (!verified) return options.chips.all;
    return since && *verified >= *since;
  });
  bulk.run([&](Client& client, const std::string& id) {
    const auto answer = client.ask("POST", action_path(id, "verify"));
    if (answer.status >= 400) return failed(answer);
    const auto looked = answer.json();
    const auto verdict = text_at(looked, "verdict");
    if (verdict == "same") return Outcome{Outcome::What::done, text_at(looked, "exit_ip")};
    const auto detail = verdict == "other" ? text_at(looked, "exit_ip") : text_at(looked, "trouble.message");
    return Outcome{Outcome::What::failed, verdict + ": " + detail};
  });
  return bulk.finish();
}

}  // namespace chipgate::cli
