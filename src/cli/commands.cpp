// The command line of the commands; CLI11 is slow to compile, so it is here alone.
#include "chipgate/cli/commands.hpp"

#include "session.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <ostream>
#include <unistd.h>

namespace chipgate::cli {

class Commands::Impl {
 public:
  Impl(CLI::App& app, std::string usual) : app_(app) {
    common_.usual = std::move(usual);
    add_watching();
    add_chips();
    add_actions();
    add_history();
    add_denied();
  }

  bool asked() const { return chosen_ != nullptr; }

  int run(std::ostream& out, std::ostream& err) const {
    try {
      const bool at_terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
      const Session session{find_target(common_), common_.form, out, err, at_terminal ? Terminal::yes : Terminal::no};
      return chosen_(session);
    } catch (const Failed& failed) {
      err << "chipgate: " << failed.what() << '\n';
      return failed.code();
    }
  }

 private:
  using Run = std::function<int(const Session&)>;

  // Every command says where chipgate is, and may be answered as JSON.
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what, Run run) {
    auto* const command = parent.add_subcommand(name, what);
    command->add_option("--admin", common_.admin, "http://host:port or unix:path; wants --token-file");
    command->add_option("--token-file", common_.token_file, "The token's file");
    command->add_option(
        "-c,--config", common_.config,
        "A configuration that says both; else $CHIPGATE_ADMIN and $CHIPGATE_TOKEN_FILE, else " + common_.usual);
    command->add_flag_callback("--json", [this] { common_.form = Form::json; }, "For programs");
    command->callback([this, run = std::move(run)] { chosen_ = run; });
    return command;
  }

  CLI::App& group(const std::string& name, const std::string& what) {
    auto* const made = app_.add_subcommand(name, what);
    made->require_subcommand(1);
    return *made;
  }

  void add_watching() {
    add(app_, "status", "How a running chipgate stands", show_status);
    add(app_, "reload", "Have a running chipgate read its configuration again", reload);
    auto& tunnels = group("tunnels", "The tunnels that are open");
    auto* const list = add(tunnels, "list", "List them", [this](const auto& s) { return list_tunnels(s, text_); });
    list->add_option("--chip", text_, "Only of this chip");
    auto* const cut = add(tunnels, "cut", "Reset some", [this](const auto& s) { return cut_tunnels(s, chips_.ids); });
    cut->add_option("id", chips_.ids, "Their ids")->required();
    auto* const watching =
        add(app_, "top", "A table of all chips, again and again", [this](const auto& s) { return top(s, top_); });
    watching->add_option("--interval", top_.seconds, "Seconds between two looks")->check(CLI::Range(0.1, 3600.0));
    watching->add_option("--count", top_.rounds, "How many looks; 0 goes on for ever");
  }

  void add_chips() {
    chips_group_ = &group("chips", "The chips, and what they can be told to do");
    auto* const list = add(*chips_group_, "list", "List them", [this](const auto& s) { return list_chips(s, text_); });
    list->add_option("--state", text_, "Only in this state");
    auto* const show = add(*chips_group_, "show", "All of one", [this](const auto& s) { return show_chip(s, text_); });
    show->add_option("id", text_, "The chip")->required();
    auto* const made = add(*chips_group_, "add", "Add one, or change it: what is left out is reset, but for the port",
                           [this](const auto& s) { return add_chip(s, add_); });
    made->add_option("id", add_.id, "The chip")->required();
    made->add_option("--alias", add_.alias, "Another name for it");
    made->add_option("--port", add_.port, "0 takes the lowest that is free");
    made->add_option("--connect", add_.connect, "manual, on_demand or on_start");
    made->add_option("--quota-day", add_.quota_day, "Bytes a day; 0 is no limit");
    made->add_option("--quota-month", add_.quota_month, "Bytes a month; 0 is no limit");
    auto* const gone = add(*chips_group_, "remove", "Release and remove some",
                           [this](const auto& s) { return remove_chips(s, chips_); });
    gone->add_option("id", chips_.ids, "The chips")->required();
    auto* const report =
        add(*chips_group_, "report", "Tell of a ban", [this](const auto& s) { return report_chip(s, report_); });
    report->add_option("id", report_.id, "The chip")->required();
    report->add_option("--kind", report_.kind, "banned denies its exit for good, suspect only looks again");
    report->add_option("--note", report_.note, "For people");
    report->add_option("--assignment", report_.assignment, "If it is not the current or last one");
  }

  CLI::App* add_action(const std::string& name, const std::string& what,
                       int (*run)(const Session&, const ActionOptions&)) {
    auto* const command = add(*chips_group_, name, what, [this, run](const auto& s) {
      action_.chips = chips_;
      return run(s, action_);
    });
    auto* const ids = command->add_option("id", chips_.ids, "The chips");
    command->add_flag("--all", chips_.all, "All of them")->excludes(ids);
    return command;
  }

  void add_actions() {
    auto* const connect = add_action("connect", "Give them an assignment", connect_chips);
    auto* const release = add_action("release", "End their assignments", release_chips);
    auto* const rotate = add_action("rotate", "End their assignments and start others", rotate_chips);
    auto* const verify = add_action("verify", "Look at their exits now", verify_chips);
    for (auto* const command : {connect, rotate}) {
      command->add_option("--wait", action_.wait, "How long to wait: 15s for one chip, 10min for many");
      command->add_flag("--force", action_.force, "Pass the hourly cap and the pause between draws");
    }
    for (auto* const command : {release, rotate}) {
      command->add_option("--assignment", action_.assignment, "Only if it is this one");
    }
    for (auto* const command : {rotate, verify}) {
      command->add_option("--since", action_.since, "Skip those that were done after this time");
    }
  }

  void add_history() {
    auto* const history = add(app_, "history", "Who had which exit when, newest first",
                              [this](const auto& s) { return list_history(s, history_); });
    history->add_option("--chip", history_.chip, "Only of this chip");
    history->add_option("--ip", history_.ip, "Only with this exit, its own or observed");
    history->add_option("--at", history_.at, "Only open at this time: 2026-01-31T15:04:05Z");
    history->add_option("--from", history_.from, "Only open after this time");
    history->add_option("--to", history_.to, "Only open before this time");
    history->add_option("--limit", history_.limit, "Rows in all")->capture_default_str();
    history->add_flag_callback("--csv", [this] { common_.form = Form::csv; }, "For spreadsheets");
    auto* const events =
        add(app_, "events", "What happened", [this](const auto& s) { return list_events(s, events_); });
    events->add_option("--chip", events_.chip, "Only of this chip");
    events->add_option("--after", events_.after, "Only behind this id");
    events->add_option("--limit", events_.limit, "Rows in all")->capture_default_str();
    events->add_flag("--follow", events_.follow, "And what happens from now on");
  }

  void add_denied() {
    auto& denied = group("denied", "The exit addresses that no chip gets");
    add(denied, "list", "List them", list_denied);
    auto* const more = add(denied, "add", "Deny one", [this](const auto& s) { return deny(s, text_, reason_); });
    more->add_option("ip", text_, "The address")->required();
    more->add_option("--reason", reason_, "For people");
    auto* const less = add(denied, "remove", "Allow one again", [this](const auto& s) { return allow(s, text_); });
    less->add_option("ip", text_, "The address")->required();
  }

  CLI::App& app_;
  CLI::App* chips_group_ = nullptr;
  Run chosen_;
  Common common_;
  std::string text_;
  std::string reason_;
  ChipChoice chips_;
  ActionOptions action_;
  AddOptions add_;
  ReportOptions report_;
  HistoryOptions history_;
  EventOptions events_;
  TopOptions top_;
};

Commands::Commands(CLI::App& app, std::string usual) : impl_(std::make_unique<Impl>(app, std::move(usual))) {}
Commands::~Commands() = default;

bool Commands::asked() const { return impl_->asked(); }
int Commands::run(std::ostream& out, std::ostream& err) const { return impl_->run(out, err); }

}  // namespace chipgate::cli
