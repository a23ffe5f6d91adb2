// The commands about chips: what they print, what they ask for, how they exit.
#include "commands_test.hpp"

namespace chipgate::cli {
namespace {

void get_another(lifecycle::ChipView& view) {
  const auto before = view.assignment ? view.assignment->id.value() : 0;
  view.state = State::active;
  view.assignment = admin::active_chip(view.spec.id.value(), view.spec.port, before + 100).assignment;
}

TEST_F(CommandsTest, ListChipsInATableAsWideAsItsContent) {
  const auto ran = run({"chips", "list"});
  EXPECT_EQ(ran.code, exit_done);
  EXPECT_EQ(ran.out,
            "PORT   CHIP   ALIAS  STATE     EXIT         TUNNELS  CONNECT    TROUBLE\n"
            "20001  alpha  -      active    203.0.113.7  0        on_demand  -\n"
            "20002  beta   -      released  -            0        on_demand  -\n");
  EXPECT_EQ(run_json({"chips", "list"}).at(1).at("id"), "beta");
  EXPECT_EQ(run({"chips", "list", "--state", "blocked"}).out.find("alpha"), std::string::npos);
}

TEST_F(CommandsTest, ListMoreChipsThanAPageHas) {
  for (int i = 0; i < 1'100; ++i) {
    const auto id = "bot-" + std::to_string(i);
    world_.control.chips_by_id.insert_or_assign(admin::chip_id(id), admin::released_chip(id, 1));
  }
  EXPECT_EQ(run_json({"chips", "list"}).as_array().size(), 1'102U);
}

TEST_F(CommandsTest, ShowAChip) {
  const auto ran = run({"chips", "show", "alpha"});
  EXPECT_NE(ran.out.find("exit        203.0.113.7\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("session     chip-alpha-1767323045\n"), std::string::npos);
  const auto missing = run({"chips", "show", "nobody"});
  EXPECT_EQ(missing.code, exit_refused);
  EXPECT_EQ(missing.err, "chipgate: unknown_chip: there is no chip of this id (id)\n");
}

TEST_F(CommandsTest, AddAndRemoveChips) {
  EXPECT_NE(run({"chips", "add", "new", "--port", "20009", "--alias", "Sales", "--quota-day", "5"}).out.find("added"),
            std::string::npos);
  EXPECT_EQ(asked(), std::vector<std::string>{"put new alias=Sales port=20009 connect=1 quota=5/0"});
  EXPECT_NE(run({"chips", "add", "new"}).out.find("was there"), std::string::npos);
  const auto ran = run({"chips", "remove", "new", "nobody"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_EQ(ran.out, "new  removed\n");
  EXPECT_EQ(ran.err, "nobody: unknown_chip: there is no chip of this id (id)\n");
}

TEST_F(CommandsTest, ConnectAllSkipsWhatIsConnectedAndWaitsForTheRest) {
  add_active("gamma", 20003);
  world_.control.on_connect = [looks = 0](lifecycle::ChipView& view) mutable {
    // A draw under way; the next chip that asks finds it finished.
    view.state = looks++ == 0 ? State::acquiring : State::active;
    if (view.state == State::active) view.assignment = admin::active_chip("beta", 20002, 50).assignment;
  };
  const auto ran = run({"chips", "connect", "--all", "--wait", "1ms"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_NE(ran.out.find("connect: 0 done, 2 skipped, 1 pending, 0 failed"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.err, "run it again for the rest\n");
  EXPECT_EQ(asked(), std::vector<std::string>{"connect beta 0s"});
  const auto again = run({"chips", "connect", "--all"});
  EXPECT_EQ(again.code, exit_done) << again.out;
  EXPECT_NE(again.out.find("connect: 1 done, 2 skipped, 0 pending, 0 failed"), std::string::npos) << again.out;
}

TEST_F(CommandsTest, ConnectWaitsUntilAChipIsThere) {
  world_.control.on_connect = [this](lifecycle::ChipView& view) {
    view.state = State::acquiring;
    boost::asio::post(world_.context, [this] { add_active("beta", 20002); });
  };
  const auto ran = run({"chips", "connect", "beta"});
  EXPECT_EQ(ran.code, exit_done) << ran.out;
  EXPECT_EQ(ran.out, "CHIP  connect  DETAIL\nbeta  done     203.0.113.7\n");
}

TEST_F(CommandsTest, AChipThatIsNamedTwiceIsRotatedOnce) {
  world_.control.on_connect = get_another;
  EXPECT_EQ(run({"chips", "rotate", "alpha", "alpha"}).code, exit_done);
  EXPECT_EQ(asked().size(), 1U);
}

TEST_F(CommandsTest, ConnectTellsWhyAChipIsBlocked) {
  chip("beta").trouble = Error{ErrorKind::provider_payment, ""};
  world_.control.on_connect = [](lifecycle::ChipView& view) { view.state = State::blocked; };
  const auto ran = run({"chips", "connect", "beta", "--force"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_NE(ran.out.find("provider_payment: the provider wants to be paid"), std::string::npos) << ran.out;
  EXPECT_EQ(asked(), std::vector<std::string>{"connect beta 0s forced"});
}

TEST_F(CommandsTest, ReleaseAllSkipsWhatIsReleasedAndDisarmed) {
  add_active("gamma", 20003);
  chip("beta").arming = ledger::Arming::disarmed;
  const auto body = run_json({"chips", "release", "--all"});
  EXPECT_EQ(asked(), (std::vector<std::string>{"release alpha -", "release gamma -"}));
  EXPECT_EQ(body.at("chips").at("beta").at("outcome"), "skipped");
  EXPECT_EQ(body.at("chips").at("alpha").at("outcome"), "done");
}

TEST_F(CommandsTest, ReleaseOfAnotherAssignmentIsRefused) {
  world_.control.denied = lifecycle::Denied{lifecycle::Denial::not_current, "41 is current", "assignment_id"};
  const auto ran = run({"chips", "release", "alpha", "--assignment", "7"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_NE(ran.out.find("not_current: 41 is current (assignment_id)"), std::string::npos) << ran.out;
  EXPECT_EQ(asked(), std::vector<std::string>{"release alpha 7"});
}

TEST_F(CommandsTest, ConnectEndsWhereAChipIsReleasedMeanwhile) {
  world_.control.on_connect = [this](lifecycle::ChipView& view) {
    view.state = State::acquiring;
    boost::asio::post(world_.context, [&view] { view.state = State::released; });
  };
  const auto ran = run({"chips", "connect", "beta", "--wait", "3s"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_EQ(ran.out, "CHIP  connect  DETAIL\nbeta  failed   it was released meanwhile\n");
}

TEST_F(CommandsTest, RotateWaitsLongerThanARequestMay) {
  add_active("gamma", 20003);
  world_.control.on_connect = [this](lifecycle::ChipView& view) {
    view.state = State::releasing;
    boost::asio::post(world_.context, [&view] { get_another(view); });
  };
  const auto ran = run({"chips", "rotate", "alpha", "gamma", "--wait", "10min", "--force"});
  EXPECT_EQ(ran.code, exit_done) << ran.out;
  EXPECT_NE(ran.out.find("gamma  done    203.0.113.7\n"), std::string::npos) << ran.out;
  EXPECT_EQ(asked(), (std::vector<std::string>{"rotate alpha - 0s forced", "rotate gamma - 0s forced"}));
  EXPECT_EQ(run({"chips", "rotate", "alpha", "--assignment", "141", "--wait", "1h"}).code, exit_done);
  EXPECT_EQ(asked(), std::vector<std::string>{"rotate alpha 141 0s"});
}

TEST_F(CommandsTest, RotateIsNotDoneWhileTheOldAssignmentIsThere) {
  const auto ran = run({"chips", "rotate", "alpha", "--wait", "1ms"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_EQ(ran.out, "CHIP   rotate   DETAIL\nalpha  pending  still under its old assignment\n");
}

TEST_F(CommandsTest, RotateAllCanBeResumedByTime) {
  add_active("gamma", 20003);
  chip("gamma").assignment->assigned_at = admin::at("2026-06-01T00:00:00Z");
  world_.control.on_connect = get_another;
  const auto ran = run({"chips", "rotate", "--all", "--since", "2026-05-01T00:00:00Z"});
  EXPECT_EQ(ran.code, exit_done) << ran.out;
  EXPECT_EQ(asked(), std::vector<std::string>{"rotate alpha - 0s"});
  world_.control.denied = lifecycle::Denied{lifecycle::Denial::ledger_unavailable, "disk full", ""};
  const auto failed = run({"chips", "rotate", "--all"});
  EXPECT_EQ(failed.code, exit_refused);
  EXPECT_NE(failed.err.find("run it again for the rest, with --since 20"), std::string::npos) << failed.err;
  const auto again = run({"chips", "rotate", "--all", "--since", "2026-05-01T00:00:00Z"});
  EXPECT_NE(again.err.find("--since 2026-05-01T00:00:00"), std::string::npos) << "or what is done is done again";
}

TEST_F(CommandsTest, RotateAllFinishesWhatAnInterruptedRunLeft) {
  const auto add = [this](const std::string& id, State state, std::string_view since) {
    auto view = admin::released_chip(id, 20003);
    view.state = state;
    view.since = admin::at(since);
    world_.control.chips_by_id.insert_or_assign(view.spec.id, view);
  };
  add("blocked", State::blocked, "2026-06-01T00:00:00Z");
  add("drawn-new", State::acquiring, "2026-06-01T00:00:00Z");
  add("drawn-old", State::acquiring, "2026-04-01T00:00:00Z");
  add("leaving", State::releasing, "2026-06-01T00:00:00Z");
  chip("leaving").arming = ledger::Arming::disarmed;
  add_active("rotated", 20004);
  chip("rotated").assignment->assigned_at = admin::at("2026-06-01T00:00:00Z");
  world_.control.on_connect = [this](lifecycle::ChipView& view) {
    get_another(view);
    get_another(chip("drawn-new"));
  };
  const auto ran = run({"chips", "rotate", "--all", "--since", "2026-05-01T00:00:00Z"});
  EXPECT_EQ(ran.code, exit_done) << ran.out;
  EXPECT_NE(ran.out.find("rotate: 4 done, 3 skipped, 0 pending, 0 failed"), std::string::npos) << ran.out;
  EXPECT_EQ(asked(), (std::vector<std::string>{"rotate alpha - 0s", "rotate blocked - 0s", "rotate drawn-old - 0s"}));
}

TEST_F(CommandsTest, VerifyFailsWhereAnotherExitIsSeen) {
  EXPECT_EQ(run({"chips", "verify", "alpha"}).code, exit_done);
  world_.control.looked = {lifecycle::LookVerdict::other, admin::ip("198.51.100.9"), {}};
  const auto ran = run({"chips", "verify", "alpha"});
  EXPECT_EQ(ran.code, exit_refused);
  EXPECT_NE(ran.out.find("other: 198.51.100.9"), std::string::npos) << ran.out;
}

TEST_F(CommandsTest, ReportABan) {
  EXPECT_EQ(run({"chips", "report", "alpha", "--note", "403"}).out,
            "alpha  203.0.113.7 is denied from now on; the chip has it still: chipgate chips rotate alpha\n");
  EXPECT_EQ(asked(), std::vector<std::string>{"report alpha banned '403' -"});
}

}  // namespace
}  // namespace chipgate::cli
