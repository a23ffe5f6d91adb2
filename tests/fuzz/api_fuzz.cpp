// Bodies and queries of the control API.
#include "asked.hpp"
#include "chipgate/base/ids.hpp"
#include "fuzz.hpp"

#include <string>

using namespace chipgate;

namespace {

// Every kind of member that a handler asks for.
void read_body(const std::string& body) {
  admin::Members members(body);
  const auto alias = members.text("alias", 64);
  fuzz::require(members.refuse().response() || alias.size() <= 64, "a text that is too long is refused");
  const auto port = members.number("port", {0, 65'535});
  fuzz::require(!port || *port <= 65'535, "a number is within its bounds");
  (void)members.number_in("quota", "day", {0, 1ULL << 50});
  (void)members.number_in("quota", "month", {0, 1ULL << 50});
  (void)members.boolean("force");
  if (const auto refusal = members.refusal()) {
    fuzz::require(refusal->status >= 400 && refusal->status < 500, "a refusal is the client's fault");
    fuzz::require(!refusal->body.empty(), "a refusal has a reason");
  }
}

void read_query(const std::string& value) {
  admin::Call call;
  call.path = {value};
  for (const auto* const key : {"cursor", "limit", "wait", "at", "exit_ip", "chip", "day"})
    call.query.emplace_back(key, value);
  admin::Arguments arguments(call);
  (void)arguments.text("cursor");
  const auto limit = arguments.number("limit", 100, {1, 1'000});
  fuzz::require(limit >= 1 && limit <= 1'000, "a limit is within its bounds");
  (void)arguments.duration("wait", Milliseconds(0), Milliseconds(60'000));
  (void)arguments.time("at");
  (void)arguments.address("exit_ip");
  (void)arguments.chip("chip");
  (void)arguments.day("day");
  (void)arguments.chip_in_path();
  (void)arguments.address_in_path();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input(fuzz::text(bytes, size));
  read_body(input);
  read_query(input);
  return 0;
}
