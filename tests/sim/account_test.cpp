// Logins under both grammars.
#include "sim/account.hpp"

#include <gtest/gtest.h>

namespace chipgate::sim {
namespace {

TEST(Account, TakesTheSessionAfterTheFirstMarker) {
  const auto login = log_in(Account{}, "user-session-chip-7-session-9", "pass");
  EXPECT_EQ(login.verdict, LoginVerdict::accepted);
  EXPECT_EQ(login.session, "chip-7-session-9");
}

TEST(Account, IgnoresParametersBeforeTheSession) {
  EXPECT_EQ(log_in(Account{}, "user-country-br-session-a", "pass").session, "a");
}

TEST(Account, GivesARotatingExitWithoutASession) {
  const auto login = log_in(Account{}, "user", "pass");
  EXPECT_EQ(login.verdict, LoginVerdict::accepted);
  EXPECT_FALSE(login.session);
}

TEST(Account, RefusesWhatIsNotIts) {
  EXPECT_EQ(log_in(Account{}, "other-session-a", "pass").verdict, LoginVerdict::unknown_user);
  EXPECT_EQ(log_in(Account{}, "username-session-a", "pass").verdict, LoginVerdict::unknown_user);
  EXPECT_EQ(log_in(Account{}, "user-session-a", "word").verdict, LoginVerdict::wrong_password);
  EXPECT_EQ(log_in(Account{}, "user-session-", "pass").verdict, LoginVerdict::bad_session);
}

TEST(Account, ReadsTheSessionInThePassword) {
  Account account;
  account.grammar = Grammar::iproyal;
  EXPECT_EQ(log_in(account, "user", "pass_country-br_session-abcd1234_lifetime-30m").session, "abcd1234");
  EXPECT_FALSE(log_in(account, "user", "pass").session);
  EXPECT_EQ(log_in(account, "user", "password_session-a").verdict, LoginVerdict::wrong_password);
  EXPECT_EQ(log_in(account, "user-session-a", "pass").verdict, LoginVerdict::unknown_user);
}

TEST(Account, MayHaveAnotherMarker) {
  Account account;
  account.username = "smart-me";
  account.session_marker = "_session-";
  EXPECT_EQ(log_in(account, "smart-me_area-BR_life-30_session-x1", "pass").session, "x1");
}

}  // namespace
}  // namespace chipgate::sim
