// What a running command has: the way to chipgate, and where it writes.
#pragma once

#include "client.hpp"
#include "options.hpp"

#include <iosfwd>
#include <mutex>

namespace chipgate::cli {

enum class Terminal : std::uint8_t { no, yes };

struct Session {
  Target target;
  Form form;
  std::ostream& out;
  std::ostream& err;
  Terminal terminal = Terminal::no;  // of `err`: whether progress may be drawn over itself
  Milliseconds poll{500};
};

// From the options, the configuration file or the environment, whichever comes first. Throws Failed.
Target find_target(const Common& common);

// watch.cpp
int show_status(const Session& session);
int list_tunnels(const Session& session, const std::string& chip);
int cut_tunnels(const Session& session, const std::vector<std::string>& ids);
int top(const Session& session, const TopOptions& options);

// reload.cpp
int reload(const Session& session);

// chips.cpp
int list_chips(const Session& session, const std::string& state);
int show_chip(const Session& session, const std::string& id);
int add_chip(const Session& session, const AddOptions& options);
int remove_chips(const Session& session, const ChipChoice& chips);
int report_chip(const Session& session, const ReportOptions& options);

// bulk.cpp
int connect_chips(const Session& session, const ActionOptions& options);
int release_chips(const Session& session, const ActionOptions& options);
int rotate_chips(const Session& session, const ActionOptions& options);
int verify_chips(const Session& session, const ActionOptions& options);

// history.cpp
int list_history(const Session& session, const HistoryOptions& options);
int list_events(const Session& session, const EventOptions& options);
int list_denied(const Session& session);
int deny(const Session& session, const std::string& ip, const std::string& reason);
int allow(const Session& session, const std::string& ip);

// All pages of a list, as one.
boost::json::array all_pages(Client& client, const std::string& path, std::string_view member,
                             std::size_t most = static_cast<std::size_t>(-1));
void print_json(std::ostream& out, const boost::json::value& value);

}  // namespace chipgate::cli
