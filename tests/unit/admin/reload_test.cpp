// Having the configuration read again, and what is answered.
#include "api_test.hpp"

namespace chipgate::admin {
namespace {

class ReloadTest : public ApiTest {
 protected:
  Response reload() { return ask("POST", "/api/v1/config/reload"); }
  ReloadAnswer& answer_ = world_.source.reloaded;
};

TEST_F(ReloadTest, AnswersWhatHasChanged) {
  answer_ = Reloaded{.added = {"new-1", "new-2"},
                     .removed = {"old"},
                     .changed = {"alpha"},
                     .settings = {"verify.interval"},
                     .restart_needed = {"workers"},
                     .unfinished = {"chip late is fenced"}};
  const auto response = reload();
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(parsed(response), boost::json::parse(R"({"added":["new-1","new-2"],"removed":["old"],"changed":["alpha"],
    "settings":["verify.interval"],"restart_needed":["workers"],"unfinished":["chip late is fenced"]})"));
  EXPECT_EQ(world_.source.reloads, 1);
}

TEST_F(ReloadTest, AnswersEveryListWhereNothingHasChanged) {
  EXPECT_EQ(reload().body,
            "{\"added\":[],\"removed\":[],\"changed\":[],\"settings\":[],\"restart_needed\":[],\"unfinished\":[]}\n");
}

TEST_F(ReloadTest, TellsEveryProblemOfAFileThatIsWrong) {
  answer_ =
      NotReloaded{NotReloaded::Why::bad_configuration, "f.yaml:3: verify.x: is no key\nf.yaml:9: chips: too many"};
  const auto response = reload();
  EXPECT_EQ(refusal(response), "400 bad_configuration");
  EXPECT_EQ(parsed(response).at("error").at("message"), "f.yaml:3: verify.x: is no key\nf.yaml:9: chips: too many");
}

TEST_F(ReloadTest, IsRefusedWhileAnotherRunsAndWhenItIsTooLate) {
  answer_ = NotReloaded{NotReloaded::Why::running, "x"};
  EXPECT_EQ(refusal(reload()), "409 reload_running");
  answer_ = NotReloaded{NotReloaded::Why::stopping, "x"};
  EXPECT_EQ(refusal(reload()), "503 stopping");
}

TEST_F(ReloadTest, NamesTheChipThatIsInTheWay) {
  answer_ = lifecycle::Denied{lifecycle::Denial::port_taken, "the port 20009 of chip b is chip a's", "chips[b].port"};
  EXPECT_EQ(refusal(reload()), "409 port_taken chips[b].port");
}

TEST_F(ReloadTest, IsForPostAndTakesNoParameters) {
  EXPECT_EQ(ask("GET", "/api/v1/config/reload").status, 405U);
  EXPECT_EQ(ask("POST", "/api/v1/config/reload?dry=1").status, 400U);
  EXPECT_EQ(world_.source.reloads, 0);
}

}  // namespace
}  // namespace chipgate::admin
