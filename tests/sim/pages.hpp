// What the simulator's HTTP origin answers: exit-IP echoes, and bodies of every framing.
#pragma once

#include "chipgate/protocol/http_message.hpp"
#include "sim/faults.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chipgate::sim {

// A request that has come completely.
struct Visit {
  protocol::RequestHead head;
  std::string raw_head;
  std::uint64_t body_bytes = 0;
  IpAddress source;
};

struct Page {
  unsigned status = 200;
  std::string content_type = "text/plain";
  std::string body{};
  std::uint64_t pattern_bytes = 0;  // instead of a body
  unsigned chunks = 0;              // the body so many times, chunked; 0: with a Content-Length
  Milliseconds delay{0};
};

// GET /            the source address and a newline
// GET /json        {"ip":"..."}
// GET /headers     the request's head, as it came
// GET /chunked[/N] N chunks
// GET /bytes/N     N bytes of the pattern
// GET /delay/N     like /, after N ms
// any other method: how many bytes of body came
Page page_for(const Visit& visit);

std::string head_of(const Page& page, std::string_view connection);

// Byte i of every long stream is i % 251, a prime, so that a shift or a hole is seen. At most 64 KiB of it, from there.
inline constexpr std::uint64_t pattern_period = 251;
std::string_view pattern_from(std::uint64_t offset);

}  // namespace chipgate::sim
