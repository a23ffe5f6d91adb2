// Runs commands against an admin server over fakes.
#pragma once

#include "chipgate/cli/commands.hpp"
#include "unit/admin/world.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace chipgate::cli {

using lifecycle::State;
namespace json = boost::json;

struct Ran {
  int code;
  std::string out;
  std::string err;
};

class CommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/chipgate-cli-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    token_file_ = folder_ / "token";
    std::ofstream(token_file_) << admin::test_token << '\n';
    world_.start();
  }
  void TearDown() override {
    world_.stop();
    std::filesystem::remove_all(folder_);
  }

  std::string admin() const { return "http://127.0.0.1:" + std::to_string(world_.port); }

  static Ran run_as(std::vector<std::string> words) {
    CLI::App app;
    app.require_subcommand(1);
    const Commands commands(app);
    std::ranges::reverse(words);
    app.parse(std::move(words));
    EXPECT_TRUE(commands.asked());
    std::ostringstream out;
    std::ostringstream err;
    const int code = commands.run(out, err);
    return {code, out.str(), err.str()};
  }
  Ran run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--admin", admin(), "--token-file", token_file_});
    return run_as(std::move(words));
  }
  json::value run_json(std::vector<std::string> words) const {
    words.emplace_back("--json");
    const auto ran = run(std::move(words));
    EXPECT_EQ(ran.code, exit_done) << ran.err;
    return json::parse(ran.out);
  }
  lifecycle::ChipView& chip(std::string_view id) { return world_.control.chips_by_id.at(admin::chip_id(id)); }
  void add_active(const std::string& id, std::uint16_t port) {
    world_.control.chips_by_id.insert_or_assign(admin::chip_id(id), admin::active_chip(id, port, port));
  }
  // Sorted, since several clients ask at once.
  std::vector<std::string> asked() {
    std::vector<std::string> copy;
    world_.run([&] { copy = std::exchange(world_.control.asked, {}); });
    std::ranges::sort(copy);
    return copy;
  }

  std::filesystem::path folder_;
  std::string token_file_;
  admin::AdminWorld world_;
};

}  // namespace chipgate::cli
