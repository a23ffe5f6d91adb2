// The pages of the origin.
#include "sim/pages.hpp"

#include "chipgate/base/ascii.hpp"
#include "sim/answers.hpp"

#include <fmt/format.h>
#include <limits>

namespace chipgate::sim {
namespace {

constexpr std::size_t pattern_window = 64 * 1024;
constexpr std::uint64_t default_chunks = 10;
constexpr std::uint64_t most_chunks = 1'000'000;
constexpr std::uint64_t longest_delay = 600'000;

std::string make_pattern() {
  std::string pattern;
  for (std::size_t i = 0; i < pattern_window + pattern_period; ++i) pattern += static_cast<char>(i % pattern_period);
  return pattern;
}

// N of "/prefix/N".
std::optional<std::uint64_t> number_after(std::string_view path, std::string_view prefix, std::uint64_t largest) {
  if (!path.starts_with(prefix)) return std::nullopt;
  return parse_decimal(path.substr(prefix.size()), largest);
}

Page not_found() {
  Page page;
  page.status = 404;
  page.body = "no such page\n";
  return page;
}

Page chunked(std::uint64_t chunks) {
  Page page;
  page.chunks = static_cast<unsigned>(chunks);
  page.body = "one chunk of several\n";
  return page;
}

}  // namespace

Page page_for(const Visit& visit) {
  Page page;
  page.body = visit.source.text() + "\n";
  if (visit.head.method != "GET" && visit.head.method != "HEAD") {
    page.body = fmt::format("{}\n", visit.body_bytes);
    return page;
  }
  const auto path = std::string_view(visit.head.target).substr(0, visit.head.target.find('?'));
  if (path == "/json") {
    page.content_type = "application/json";
    page.body = fmt::format("{{\"ip\":\"{}\"}}\n", visit.source.text());
  } else if (path == "/headers") {
    page.body = visit.raw_head;
  } else if (path == "/chunked") {
    return chunked(default_chunks);
  } else if (path.starts_with("/chunked/")) {
    const auto chunks = number_after(path, "/chunked/", most_chunks);
    return chunks.value_or(0) > 0 ? chunked(*chunks) : not_found();
  } else if (path.starts_with("/bytes/")) {
    const auto bytes = number_after(path, "/bytes/", std::numeric_limits<std::int64_t>::max());
    if (!bytes) return not_found();
    page.body.clear();
    page.content_type = "application/octet-stream";
    page.pattern_bytes = *bytes;
  } else if (path.starts_with("/delay/")) {
    const auto delay = number_after(path, "/delay/", longest_delay);
    if (!delay) return not_found();
    page.delay = Milliseconds(*delay);
  }
  return page;
}

std::string head_of(const Page& page, std::string_view connection) {
  const auto framing = page.chunks > 0 ? std::string("Transfer-Encoding: chunked")
                                       : fmt::format("Content-Length: {}", page.pattern_bytes + page.body.size());
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}\r\nConnection: {}\r\n\r\n", page.status,
                     reason_phrase(page.status), page.content_type, framing, connection);
}

std::string_view pattern_from(std::uint64_t offset) {
  static const std::string pattern = make_pattern();
  return std::string_view(pattern).substr(static_cast<std::size_t>(offset % pattern_period), pattern_window);
}

}  // namespace chipgate::sim
