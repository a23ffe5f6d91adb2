// What the command line said.
#pragma once

#include "chipgate/base/duration.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::cli {

enum class Form : std::uint8_t { table, json, csv };

// Where chipgate is and how it is answered; every command has it.
struct Common {
  std::string admin{};
  std::string token_file{};
  std::string config{};
  std::string usual{};  // the configuration where nothing else is said
  Form form = Form::table;
};

struct ChipChoice {
  std::vector<std::string> ids{};
  bool all = false;
};

struct ActionOptions {
  ChipChoice chips{};
  std::string wait{};
  std::optional<std::int64_t> assignment{};
  bool force = false;
  std::string since{};  // chips that were rotated or verified later are skipped
};

struct AddOptions {
  std::string id{};
  std::string alias{};
  std::uint16_t port = 0;
  std::string connect = "on_demand";
  std::uint64_t quota_day = 0;
  std::uint64_t quota_month = 0;
};

struct ReportOptions {
  std::string id{};
  std::string kind = "banned";
  std::string note{};
  std::optional<std::int64_t> assignment{};
};

struct HistoryOptions {
  std::string chip{};
  std::string ip{};
  std::string at{};
  std::string from{};
  std::string to{};
  std::size_t limit = 100;  // rows in all
};

struct EventOptions {
  std::string chip{};
  std::optional<std::int64_t> after{};
  std::size_t limit = 50;
  bool follow = false;
};

struct TopOptions {
  double seconds = 2;
  std::uint64_t rounds = 0;  // 0: until it is interrupted
};

}  // namespace chipgate::cli
