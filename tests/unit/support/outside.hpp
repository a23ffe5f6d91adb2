// Outside: a connection of somebody else to the ledger's file.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace chipgate::test {

class Outside {
 public:
  explicit Outside(const std::filesystem::path& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &connection_), SQLITE_OK);
    // The ledger may be writing.
    sqlite3_busy_timeout(connection_, 5'000);
  }
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  ~Outside() { sqlite3_close(connection_); }

  // Every column of every row, as text.
  std::vector<std::string> run(const std::string& sql) {
    std::vector<std::string> found;
    const auto keep = [](void* kept, int count, char** texts, char**) {
      for (int i = 0; i < count; ++i) {
        static_cast<std::vector<std::string>*>(kept)->emplace_back(texts[i] != nullptr ? texts[i] : "");
      }
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(connection_, sql.c_str(), keep, &found, nullptr), SQLITE_OK) << sqlite3_errmsg(connection_);
    return found;
  }
  std::string one(const std::string& sql) {
    auto found = run(sql);
    return found.empty() ? std::string("no row") : found.front();
  }

 private:
  sqlite3* connection_ = nullptr;
};

}  // namespace chipgate::test
