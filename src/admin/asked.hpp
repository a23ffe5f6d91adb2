// What a request asks for, read one by one. The first thing that is wrong becomes the refusal; a handler reads
// everything, looks at the refusal, and only then acts.
#pragma once

#include "chipgate/admin/http.hpp"
#include "chipgate/base/duration.hpp"

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace chipgate::admin {

class Refusal {
 public:
  void set(unsigned status, std::string_view code, std::string_view message, std::string_view field) {
    if (!response_) response_ = error_response(status, code, message, field);
  }
  void bad_value(std::string_view field, std::string_view message) { set(400, "bad_value", message, field); }
  const std::optional<Response>& response() const { return response_; }

 private:
  std::optional<Response> response_;
};

struct NumberBounds {
  std::uint64_t least;
  std::uint64_t most;
};

// The path's names and the query's parameters.
class Arguments {
 public:
  explicit Arguments(const Call& call) : call_(call) {}

  std::optional<std::string> text(std::string_view key);
  std::optional<ChipId> chip(std::string_view key);
  std::optional<IpAddress> address(std::string_view key);
  std::optional<WallTime> time(std::string_view key);
  std::optional<std::string> day(std::string_view key);  // "2026-01-31"
  std::uint64_t number(std::string_view key, std::uint64_t fallback, NumberBounds bounds);
  Milliseconds duration(std::string_view key, Milliseconds fallback, Milliseconds most);

  // Of the path: a chip's name that is none is a chip that does not exist.
  ChipId chip_in_path();
  std::optional<IpAddress> address_in_path();

  const std::optional<Response>& refusal() const { return refusal_.response(); }
  Refusal& refuse() { return refusal_; }

 private:
  const Call& call_;
  Refusal refusal_;
};

// A body's members. Those that are never asked for are refused by their names.
class Members {
 public:
  // An empty body is an empty object.
  explicit Members(const std::string& body);

  std::string text(std::string_view key, std::size_t longest);
  bool boolean(std::string_view key);  // false where it is absent
  std::optional<std::uint64_t> number(std::string_view key, NumberBounds bounds);
  // An object in the object; its members are "key.name" in refusals. Absent is empty.
  std::optional<std::uint64_t> number_in(std::string_view key, std::string_view name, NumberBounds bounds);

  // Once everything was asked for.
  std::optional<Response> refusal();
  Refusal& refuse() { return refusal_; }

 private:
  const boost::json::value* find(std::string_view key);
  std::optional<std::uint64_t> number_of(const boost::json::value& value, std::string_view field, NumberBounds bounds);

  boost::json::object members_;
  std::set<std::string, std::less<>> asked_;
  Refusal refusal_;
};

}  // namespace chipgate::admin
