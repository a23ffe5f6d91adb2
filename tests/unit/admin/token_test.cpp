// The token and its file.
#include "chipgate/admin/token.hpp"

#include "world.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace chipgate::admin {
namespace {

class TokenTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "chipgate-token-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    options_.token_file = (folder_ / "chipgate.token").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Secret provide() {
    telemetry::Log log({.path = {}}, std::make_unique<KeepingSink>(logged_));
    return provide_token(options_, log);
  }
  void write(const std::string& text) { std::ofstream(options_.token_file) << text; }

  std::filesystem::path folder_;
  AdminOptions options_;
  std::string logged_;
};

TEST_F(TokenTest, IsMadeOnceForItsOwnerOnly) {
  const auto made = provide();
  EXPECT_EQ(made.reveal().size(), 64U);
  struct stat status{};
  ASSERT_EQ(::stat(options_.token_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_TRUE(made.equals(provide().reveal()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_NE(logged_.find("token_made"), std::string::npos);
  EXPECT_EQ(logged_.find(made.reveal()), std::string::npos);
}

TEST_F(TokenTest, DiffersEachTime) {
  const auto first = provide();
  std::filesystem::remove(options_.token_file);
  EXPECT_FALSE(first.equals(provide().reveal()));
}

TEST_F(TokenTest, OfTheConfigurationNeedsNoFile) {
  options_.token = Secret("configured-token-1234");
  EXPECT_TRUE(provide().equals("configured-token-1234"));
  EXPECT_FALSE(std::filesystem::exists(options_.token_file));
}

TEST_F(TokenTest, OfAFileIsTakenWithoutItsLineEnd) {
  write("0123456789abcdef\r\n");
  EXPECT_TRUE(provide().equals("0123456789abcdef"));
  EXPECT_NE(logged_.find("token_file_open_to_others"), std::string::npos);
}

TEST_F(TokenTest, IsRefusedWhereTheFileHoldsNone) {
  for (const auto& text : {std::string(), std::string("\n"), std::string("short"),
                           std::string("0123456789abcdef\n0123456789abcdef\n"), std::string(5'000, 'x')}) {
    write(text);
    EXPECT_THROW(provide(), std::runtime_error) << text.size();
  }
  options_.token_file = (folder_ / "nowhere" / "token").string();
  EXPECT_THROW(provide(), std::runtime_error);
}

}  // namespace
}  // namespace chipgate::admin
