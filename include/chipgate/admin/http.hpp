// Requests and responses of the control port as values: what a handler sees and answers, without sockets.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chipgate::admin {

enum class HttpVersion : std::uint8_t { http_1_0, http_1_1 };
// A browser cannot be led to a Unix socket, so what comes by one is not asked for its Host.
enum class Arrival : std::uint8_t { tcp, unix_socket };

// A request's head, borrowed from the connection that read it.
struct Request {
  HttpVersion version = HttpVersion::http_1_1;
  std::string_view method;
  std::string_view target;
  std::vector<std::string_view> hosts;  // every Host field there is
  IpAddress local;                      // the address that the client reached
  Arrival arrival = Arrival::tcp;
  std::string_view authorization{};
  std::string_view accept{};
  std::string_view content_type{};
  std::string_view last_event_id{};
};

// A request that was let in. A handler may outlive the connection, so nothing is borrowed.
struct Call {
  std::vector<std::string> path{};                           // what stands for the {names} of the route, decoded
  std::vector<std::pair<std::string, std::string>> query{};  // decoded, in the order of the request
  std::string accept{};
  std::string last_event_id{};
  std::string body{};
};

// `metrics` is streamed by the server family by family, `events` until the client leaves; `fixed` is the body below.
enum class Content : std::uint8_t { fixed, metrics, events };

// Where a stream of events begins.
struct EventsFrom {
  std::optional<std::int64_t> after{};  // an id; nothing for whatever happens from now on
  std::optional<ChipId> chip{};
};

struct Response {
  unsigned status = 200;
  std::string_view content_type{};
  Content content = Content::fixed;
  std::string body{};
  std::vector<std::pair<std::string_view, std::string>> fields{};  // Allow, WWW-Authenticate and the like
  EventsFrom events{};
};

// {"error":{"code":...,"message":...,"field":...}}; without `field` where it is empty.
Response error_response(unsigned status, std::string_view code, std::string_view message, std::string_view field = {});

// Without %XX and with + as a space; nothing where a %XX is none.
std::optional<std::string> decode_query(std::string_view text);
// As above, but + is itself.
std::optional<std::string> decode_segment(std::string_view text);

}  // namespace chipgate::admin
