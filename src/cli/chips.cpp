// Commands about single chips.
#include "chipgate/cli/commands.hpp"
#include "session.hpp"
#include "table.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

namespace chipgate::cli {
namespace {

namespace json = boost::json;

std::string chip_path(const std::string& id) { return "/api/v1/chips/" + encoded(id); }

int refused(const Session& session, const std::string& what, const Answer& answer) {
  session.err << what << ": " << refusal_of(answer) << '\n';
  return exit_refused;
}

}  // namespace

int list_chips(const Session& session, const std::string& state) {
  Client client(session.target);
  const auto path = "/api/v1/chips?limit=1000" + (state.empty() ? "" : "&state=" + encoded(state));
  const auto chips = all_pages(client, path, "chips");
  if (session.form == Form::json) {
    print_json(session.out, chips);
    return exit_done;
  }
  std::vector<Cells> rows;
  for (const auto& chip : chips) {
    rows.push_back({text_at(chip, "port"), text_at(chip, "id"), text_at(chip, "alias"), text_at(chip, "state"),
                    text_at(chip, "assignment.exit_ips"), text_at(chip, "tunnels_open"), text_at(chip, "connect"),
                    text_at(chip, "trouble.message")});
  }
  print_table(session.out, {"PORT", "CHIP", "ALIAS", "STATE", "EXIT", "TUNNELS", "CONNECT", "TROUBLE"}, rows);
  return exit_done;
}

int show_chip(const Session& session, const std::string& id) {
  Client client(session.target);
  const auto chip = client.get(chip_path(id));
  if (session.form == Form::json) {
    print_json(session.out, chip);
    return exit_done;
  }
  const auto bytes = [&](const std::string& period) {
    const auto sum = number_at(chip, "traffic." + period + ".up") + number_at(chip, "traffic." + period + ".down");
    auto text = size_text(static_cast<std::uint64_t>(sum));
    const auto cost = text_at(chip, "traffic." + period + ".cost");
    return cost == "-" ? text : text + ", " + cost + " " + text_at(chip, "traffic.currency");
  };
  print_table(session.out, {"chip", text_at(chip, "id")},
              {{"alias", text_at(chip, "alias")},
               {"proxy", text_at(chip, "proxy_url")},
               {"state", text_at(chip, "state") + " since " + text_at(chip, "since")},
               {"connect", text_at(chip, "connect") + (text_at(chip, "armed") == "true" ? "" : ", disarmed")},
               {"exit", text_at(chip, "assignment.exit_ips")},
               {"assignment", text_at(chip, "assignment.id") + " since " + text_at(chip, "assignment.assigned_at")},
               {"verified", text_at(chip, "assignment.verified_at")},
               {"session", text_at(chip, "assignment.session_identifier")},
               {"endpoint", text_at(chip, "assignment.endpoint")},
               {"tunnels", text_at(chip, "tunnels_open") + ", " + text_at(chip, "clients_held") + " held"},
               {"today", bytes("today")},
               {"month", bytes("month")},
               {"trouble", text_at(chip, "trouble.message")},
               {"detail", text_at(chip, "trouble.detail")},
               {"next try", text_at(chip, "retry_at")}});
  return exit_done;
}

int add_chip(const Session& session, const AddOptions& options) {
  Client client(session.target);
  json::object body{{"alias", options.alias}, {"port", options.port}, {"connect", options.connect}};
  body["quota"] = {{"day", options.quota_day}, {"month", options.quota_month}};
  const auto answer = client.ask("PUT", chip_path(options.id), json::serialize(body));
  if (answer.status >= 400) return refused(session, options.id, answer);
  const auto chip = answer.json();
  if (session.form == Form::json) {
    print_json(session.out, chip);
  } else {
    session.out << text_at(chip, "id") << "  " << text_at(chip, "proxy_url")
                << (answer.status == 201 ? "  added\n" : "  was there\n");
  }
  return exit_done;
}

int remove_chips(const Session& session, const ChipChoice& chips) {
  Client client(session.target);
  int code = exit_done;
  for (const auto& id : chips.ids) {
    const auto answer = client.ask("DELETE", chip_path(id));
    if (answer.status >= 400) {
      code = refused(session, id, answer);
    } else if (session.form == Form::json) {
      print_json(session.out, answer.json());
    } else {
      session.out << id << "  removed\n";
    }
  }
  return code;
}

int report_chip(const Session& session, const ReportOptions& options) {
  Client client(session.target);
  json::object body{{"kind", options.kind}, {"note", options.note}};
  if (options.assignment) body["assignment_id"] = *options.assignment;
  const auto answer = client.ask("POST", chip_path(options.id) + "/actions/report", json::serialize(body));
  if (answer.status >= 400) return refused(session, options.id, answer);
  if (session.form == Form::json) {
    print_json(session.out, answer.json());
  } else {
    const auto denied = text_at(answer.json(), "denied_exit_ip");
    session.out << options.id << "  " << (denied == "-" ? "reported" : denied + " is denied from now on");
    const auto exits = text_at(client.get(chip_path(options.id)), "assignment.exit_ips");
    const bool still = denied != "-" && exits.find(denied) != std::string::npos;
    session.out << (still ? "; the chip has it still: chipgate chips rotate " + options.id : "") << '\n';
  }
  return exit_done;
}

}  // namespace chipgate::cli
