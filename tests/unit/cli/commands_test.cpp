// The other commands, and how each finds its chipgate.
#include "commands_test.hpp"

namespace chipgate::cli {
namespace {

TEST_F(CommandsTest, HistoryIsATableJsonOrCsvOverAllPages) {
  for (int id = 1'500; id > 0; --id) {
    ledger::HistoryRow history{.row = {.chip = admin::chip_id("alpha")}};
    history.row.id = AssignmentId(id);
    history.row.exits.v4 = admin::ip("203.0.113.7");
    history.row.assigned_at = admin::at("2026-01-02T03:04:05Z");
    history.certainty = id == 1'500 ? ledger::Certainty::possibly : ledger::Certainty::surely;
    world_.ledger.history.push_back(history);
  }
  const auto table = run({"history", "--ip", "203.0.113.7", "--at", "2026-01-02T03:04:06+01:00", "--limit", "1"}).out;
  EXPECT_EQ(table,
            "ID    CHIP   EXIT         HELD      FROM                      TO  REASON  TRAFFIC\n"
            "1500  alpha  203.0.113.7  possibly  2026-01-02T03:04:05.000Z  -   -       0 B\n");
  EXPECT_EQ(world_.ledger.asked_for.at, admin::at("2026-01-02T02:04:06Z"));
  EXPECT_EQ(run_json({"history", "--limit", "1200"}).as_array().size(), 1'200U);
  const auto csv = run({"history", "--csv", "--limit", "5000"}).out;
  EXPECT_EQ(std::ranges::count(csv, '\n'), 1'501);
  EXPECT_TRUE(csv.starts_with("id,chip,"));
  EXPECT_TRUE(csv.substr(csv.rfind('\n', csv.size() - 2) + 1).starts_with("1,alpha,"));
}

TEST_F(CommandsTest, EventsAreListed) {
  for (int id = 1; id <= 3; ++id) world_.happen(id);
  EXPECT_EQ(run({"events", "--limit", "1"}).out,
            "ID  AT                        EVENT        CHIP   DETAIL\n"
            "3   2026-01-02T03:04:05.000Z  chip.active  alpha  {\"n\":3}\n");
  EXPECT_EQ(run_json({"events", "--after", "1"}).as_array().size(), 2U);
}

TEST_F(CommandsTest, MoreEventsThanAPageHasAreListed) {
  for (int n = 1; n <= 1'200; ++n) {
    for (const auto& [id, chip] : {std::pair(n * 1'000, "beta"), std::pair(n * 1'000 + 1, "alpha")}) {
      ledger::EventRow row{.id = id, .at = admin::at("2026-01-02T03:04:05Z"), .type = "chip.active"};
      row.chip = admin::chip_id(chip);
      world_.ledger.event_rows.push_back(row);
    }
  }
  const auto listed = [this](std::vector<std::string> words) {
    words.insert(words.begin(), "events");
    const auto rows = run_json(std::move(words)).as_array();
    EXPECT_TRUE(std::ranges::is_sorted(rows, {}, [](const auto& row) { return row.at("id").as_int64(); }));
    return std::tuple(rows.size(), rows.front().at("id").as_int64(), rows.back().at("id").as_int64());
  };
  EXPECT_EQ(listed({"--after", "1000", "--limit", "2200"}), std::tuple(2'200U, 1'001, 1'101'000));
  EXPECT_EQ(listed({"--after", "1000", "--limit", "9999"}), std::tuple(2'399U, 1'001, 1'200'001));
  EXPECT_EQ(listed({"--limit", "2200"}), std::tuple(2'200U, 101'000, 1'200'001));
  EXPECT_EQ(listed({"--limit", "9999"}), std::tuple(2'400U, 1'000, 1'200'001));
  EXPECT_EQ(listed({"--chip", "beta", "--limit", "1100"}), std::tuple(1'100U, 101'000, 1'200'000));
}

TEST_F(CommandsTest, TunnelsAreListedAndCut) {
  lifecycle::TunnelView tunnel;
  tunnel.id = lifecycle::TunnelId(7);
  tunnel.chip_id = "alpha";
  tunnel.target = "web.whatsapp.com:443";
  tunnel.bytes_down = 1'500'000;
  tunnel.idle = Milliseconds(2'500);
  world_.control.open_tunnels.push_back(tunnel);
  EXPECT_NE(run({"tunnels", "list"}).out.find("7   alpha  web.whatsapp.com:443"), std::string::npos);
  EXPECT_NE(run({"tunnels", "list", "--chip", "alpha"}).out.find("1.5 MB  2 s"), std::string::npos);
  EXPECT_EQ(run({"tunnels", "cut", "7"}).out, "7  cut\n");
  EXPECT_EQ(run({"tunnels", "cut", "7"}).code, exit_refused);
}

TEST_F(CommandsTest, DeniedExitsAreKept) {
  EXPECT_EQ(run({"denied", "add", "2001:db8::1", "--reason", "listed"}).out, "2001:db8::1  denied\n");
  EXPECT_NE(run({"denied", "list"}).out.find("2001:db8::1"), std::string::npos);
  EXPECT_EQ(run({"denied", "remove", "2001:db8::1"}).code, exit_done);
  EXPECT_EQ(run({"denied", "remove", "2001:db8::1"}).code, exit_refused);
}

TEST_F(CommandsTest, StatusAndTopTellWhoNeedsSomebody) {
  chip("beta").state = State::blocked;
  chip("beta").trouble = Error{ErrorKind::provider_no_exit, ""};
  chip("alpha").traffic_month = {2'000'000'000, 0};
  const auto status = run({"status"}).out;
  EXPECT_NE(status.find("chips     2: 1 active, 1 blocked\n"), std::string::npos) << status;
  EXPECT_NE(status.find("month     2.0 GB (5.00 EUR)\n"), std::string::npos) << status;
  EXPECT_EQ(run_json({"status"}).at("chips").at("blocked"), 1);
  const auto rounds = run({"top", "--count", "2", "--interval", "0.1"}).out;
  const auto blocked = rounds.find("\nbeta ");
  EXPECT_LT(blocked, rounds.find("\nalpha "));
  EXPECT_NE(rounds.find("\nbeta ", blocked + 1), std::string::npos);
}

TEST_F(CommandsTest, ReloadTellsWhatHasChanged) {
  auto& answer = world_.source.reloaded;
  EXPECT_EQ(run({"reload"}).out, "nothing has changed\n");
  admin::Reloaded reloaded{.added = {"a", "b"}, .settings = {"verify.interval"}, .restart_needed = {"workers"}};
  world_.run([&] { answer = reloaded; });
  const auto ran = run({"reload"});
  EXPECT_EQ(ran.out, "added: a, b\nin force: verify.interval\nwants a restart: workers\n");
  EXPECT_EQ(ran.code, exit_done);
  EXPECT_EQ(run_json({"reload"}).at("added").at(1), "b");
  reloaded.added.assign(500, "bot");
  reloaded.unfinished = {"chip c is fenced"};
  world_.run([&] { answer = reloaded; });
  const auto late = run({"reload"});
  EXPECT_EQ(late.code, exit_refused);
  EXPECT_NE(late.out.find("bot and 490 more\n"), std::string::npos) << late.out;
  EXPECT_NE(late.out.find("unfinished: chip c is fenced\n"), std::string::npos) << late.out;
}

TEST_F(CommandsTest, ReloadTellsWhereTheFileIsWrong) {
  world_.run([&] {
    world_.source.reloaded =
        admin::NotReloaded{admin::NotReloaded::Why::bad_configuration, "f.yaml:3: x: no\nf.yaml:4"};
  });
  const auto ran = run({"reload"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "chipgate: bad_configuration: f.yaml:3: x: no\nf.yaml:4\n");
}

TEST_F(CommandsTest, ExitCodesTellWhyNothingWasDone) {
  EXPECT_EQ(run_as({"status", "--admin", "127.0.0.1:1", "--token-file", token_file_}).code, exit_unavailable);
  EXPECT_EQ(run_as({"events", "--follow", "--after", "1", "--admin", "127.0.0.1:1", "--token-file", token_file_}).code,
            exit_unavailable)
      << "it waits for one that was there";
  EXPECT_EQ(run_as({"status", "--admin", "ftp://x", "--token-file", token_file_}).code, exit_usage);
  EXPECT_EQ(run_as({"status", "--admin", admin(), "--token-file", "/nowhere"}).code, exit_no_token);
  std::ofstream(token_file_) << "wrong-wrong-wrong-wrong\n";
  const auto ran = run({"status"});
  EXPECT_EQ(ran.code, exit_no_token);
  EXPECT_EQ(ran.err.find("wrong-wrong"), std::string::npos);
  EXPECT_EQ(run_as({"chips", "connect", "--admin", admin(), "--token-file", token_file_}).code, exit_usage);
}

TEST_F(CommandsTest, FindChipgateByEnvironmentOrConfiguration) {
  ::setenv("CHIPGATE_ADMIN", admin().c_str(), 1);
  ::setenv("CHIPGATE_TOKEN_FILE", token_file_.c_str(), 1);
  EXPECT_EQ(run_as({"status"}).code, exit_done);
  ::unsetenv("CHIPGATE_ADMIN");
  ::unsetenv("CHIPGATE_TOKEN_FILE");
  const auto file = folder_ / "chipgate.yaml";
  std::ofstream(file) << "gateway: {username: a, password: b}\nadmin: {listen: \"0.0.0.0:" << world_.port
                      << "\", token_file: token}\n";
  const auto ran = run_as({"status", "--config", file});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  EXPECT_EQ(run_as({"status", "--config", folder_ / "absent.yaml"}).code, exit_usage);
}

TEST_F(CommandsTest, ASlipElsewhereInTheConfigurationTakesNoCommandAway) {
  const auto file = folder_ / "chipgate.yaml";
  const auto write = [&](const std::string& more) {
    std::ofstream(file) << "verfy: {}\nchips:\nadmin: {listen: \"127.0.0.1:" << world_.port << "\", token_file: token"
                        << more << "}\n";
  };
  write(", webhook: {url: \"http://a.example\", secret_file: of-another-user}");
  const auto ran = run_as({"chips", "release", "alpha", "--config", file});
  EXPECT_EQ(ran.code, exit_done) << ran.err;
  write(", token_fil: x");
  EXPECT_EQ(run_as({"chips", "release", "alpha", "--config", file}).code, exit_usage) << "this is their part";
}

// Somebody's shell names production; the file that is named on the command line names another one.
class Production {
 public:
  Production(const std::string& admin, const std::string& token_file) {
    ::setenv("CHIPGATE_ADMIN", admin.c_str(), 1);
    ::setenv("CHIPGATE_TOKEN_FILE", token_file.c_str(), 1);
  }
  ~Production() {
    ::unsetenv("CHIPGATE_ADMIN");
    ::unsetenv("CHIPGATE_TOKEN_FILE");
  }
  Production(const Production&) = delete;
  Production& operator=(const Production&) = delete;
};

TEST_F(CommandsTest, TheUsualConfigurationIsMeantWhereNothingIsSaid) {
  const auto usual = folder_ / "chipgate.yaml";
  std::ofstream(usual) << "admin: {listen: \"127.0.0.1:" << world_.port << "\", token_file: token}\n";
  const auto run_with = [&](std::vector<std::string> words) {
    CLI::App app;
    const Commands commands(app, usual);
    std::ranges::reverse(words);
    app.parse(std::move(words));
    std::ostringstream out;
    return commands.run(out, out);
  };
  EXPECT_EQ(run_with({"status"}), exit_done);
  EXPECT_EQ(run_with({"status", "--config", folder_ / "absent.yaml"}), exit_usage);
  {
    const Production token_alone("", token_file_);
    EXPECT_EQ(run_with({"status"}), exit_done) << "its token goes to no other address than the file's";
  }
  const Production production("127.0.0.1:1", token_file_);
  EXPECT_EQ(run_with({"status"}), exit_unavailable) << "the environment says another one";
}

TEST_F(CommandsTest, AConfigurationThatIsNamedWinsOverTheEnvironment) {
  const Production production(admin(), token_file_);
  const auto staging = folder_ / "staging.yaml";
  std::ofstream(staging) << "admin: {listen: \"127.0.0.1:1\", token_file: token}\n";
  const auto ran = run_as({"chips", "release", "--all", "--config", staging});
  EXPECT_EQ(ran.code, exit_unavailable) << ran.err;
  EXPECT_NE(ran.err.find("127.0.0.1:1"), std::string::npos) << ran.err;
  EXPECT_TRUE(asked().empty()) << "production was told";
}

TEST_F(CommandsTest, ATokenIsNotSentToAnAddressOfAnotherSource) {
  const auto file = folder_ / "chipgate.yaml";
  std::ofstream(file) << "admin: {listen: \"127.0.0.1:1\", token_file: token}\n";
  EXPECT_EQ(run_as({"status", "--admin", admin(), "--config", file}).code, exit_usage);
  ::setenv("CHIPGATE_ADMIN", admin().c_str(), 1);
  EXPECT_EQ(run_as({"status"}).code, exit_usage);
  EXPECT_EQ(run_as({"status", "--token-file", token_file_}).code, exit_done) << "it is named";
  const Production production(admin(), token_file_);
  EXPECT_EQ(run_as({"status", "--admin", admin()}).code, exit_usage);
  std::ofstream(file) << "admin: {listen: \"127.0.0.1:" << world_.port << "\", token_file: absent}\n";
  EXPECT_EQ(run_as({"status", "--config", file}).code, exit_no_token) << "the environment's is another one's";
  EXPECT_EQ(run_as({"status", "--config", file, "--token-file", token_file_}).code, exit_done);
}

TEST_F(CommandsTest, TalkOverAUnixSocket) {
  world_.stop();
  admin::AdminOptions options;
  options.unix_socket = folder_ / "admin.sock";
  world_.start(options);
  EXPECT_EQ(run_as({"status", "--admin", "unix:" + options.unix_socket, "--token-file", token_file_}).code, exit_done);
}

// Keeps what is written, and breaks once it has what it wanted, as a closed pipe does.
class BreakingStream : public std::stringbuf {
 public:
  explicit BreakingStream(std::string wanted) : wanted_(std::move(wanted)) {}
  int sync() override { return str().find(wanted_) == std::string::npos ? 0 : -1; }

 private:
  const std::string wanted_;
};

TEST_F(CommandsTest, EventsAreFollowedUntilTheReaderLeaves) {
  for (int id = 1; id <= 3; ++id) world_.happen(id);
  CLI::App app;
  const Commands commands(app);
  std::vector<std::string> words{"events", "--follow", "--after", "1", "--admin", admin(), "--token-file", token_file_};
  std::ranges::reverse(words);
  app.parse(std::move(words));
  BreakingStream buffer("\n3  ");
  std::ostream out(&buffer);
  std::ostringstream err;
  EXPECT_EQ(commands.run(out, err), exit_done) << err.str();
  EXPECT_TRUE(buffer.str().starts_with("2  2026-01-02T03:04:05.000Z  chip.active  alpha  {\"n\":2}\n3  "))
      << buffer.str();
}

}  // namespace
}  // namespace chipgate::cli
